"""People are found by what one types, without the letters that only their own keyboards have."""

from __future__ import annotations

import re
import unicodedata

from playwright.async_api import expect

from local_supabase.stack.runtime import StackInfo
from tests.browser.conftest import OpenWindow
from tests.support import visitor
from tests.support.people import Person, sign_up


def _called(stack: StackInfo, name: str) -> tuple[Person, str]:
    """Make an account with this name, and return what is unique in it."""
    person = sign_up(stack, "Somebody")
    mark = person.name.rpartition(" ")[2]
    values = {"display_name": f"{name} {mark}"}
    person.client.table("users").update(values).eq("id", person.user_id).execute()
    return person, mark


async def test_people_are_found_in_the_directory_and_in_the_inbox(
    open_window: OpenWindow, stack: StackInfo
) -> None:
    me = sign_up(stack, "Finder")
    asked = {
        "jose": _called(stack, "José"),
        "jose b": _called(stack, unicodedata.normalize("NFD", "José B")),
        "lukasz": _called(stack, "Łukasz"),
        "o'neill": _called(stack, "O’Neill"),
    }
    window = await open_window("/people")
    page = window.page
    for query, (person, mark) in asked.items():
        await page.get_by_label("Search").fill(f"{query} {mark}")
        await page.get_by_label("Search").press("Enter")
        card = page.locator("article[data-row]")
        await expect(card).to_have_count(1)
        await expect(card).to_have_attribute("data-row", person.user_id)

    await visitor.sign_in(page, me.email, me.password)
    await visitor.go(page, "Inbox")
    person, mark = asked["lukasz"]
    await page.get_by_role("button", name="New message").click()
    field = page.get_by_test_id("stSelectbox").filter(has_text="To").get_by_role("combobox")
    await field.click()
    for query in ("lukasz", "ŁUKASZ"):
        await field.fill(f"{query} {mark}")
        await expect(page.get_by_role("option", name=f"Łukasz {mark}", exact=True)).to_be_visible()
    await page.get_by_role("option").click()
    await expect(page).to_have_url(re.compile(person.user_id))
