"""Quick search: by keyboard on every page, by the menu on a phone; each person finds what they may read."""

import uuid

from playwright.async_api import Locator, Page, expect

from local_supabase.stack.runtime import StackInfo
from tests.browser.conftest import OpenWindow
from tests.browser.test_accessibility import faults
from tests.support import visitor
from tests.support.browser import PHONE, settled
from tests.support.people import sign_up, unique


def search(page: Page) -> Locator:
    """Return the dialog."""
    return page.get_by_role("dialog", name="Search")


def field(page: Page) -> Locator:
    """Return the field in it."""
    return search(page).get_by_role("combobox")


def option(page: Page, text: str) -> Locator:
    """Return the line that contains a text."""
    return search(page).get_by_role("option").filter(has_text=text)


async def test_quick_search_finds_what_one_may_read_by_keyboard_and_on_a_phone(
    open_window: OpenWindow, stack: StackInfo
) -> None:
    word = f"zq{uuid.uuid4().hex[:6]}"
    me, other = sign_up(stack, "Seeker"), sign_up(stack, "Other")
    name = f"Józef {word}"
    other.client.table("users").update({"display_name": name}).eq("id", other.user_id).execute()
    said, letter = f"<b>{word}</b> said here", f"{word} in private"
    event = str(uuid.uuid4())
    times = {"starts_at": "2031-02-01T18:00:00Z", "ends_at": "2031-02-01T20:00:00Z", "time_zone": "UTC"}
    other.client.table("events").insert(
        {"id": event, "title": f"Fête {word}", "organizer_id": other.user_id, "location": "Łódź", **times}
    ).execute()
    for table, row in (
        ("tavern_messages", {"author_id": other.user_id, "body": said}),
        ("private_messages", {"sender_id": other.user_id, "recipient_id": me.user_id, "body": letter}),
    ):
        other.client.table(table).insert(row).execute()
    window = await open_window("/events", person=me)
    page = window.page
    await visitor.is_live(page)
    opener = page.get_by_role("button", name="New event")
    await opener.focus()
    await expect(page.locator("html[data-tavern-search]")).to_be_attached()

    # The first key of Ctrl+K is answered at once, and Escape gives the focus back.
    await page.keyboard.press("Control+k")
    await expect(field(page)).to_be_focused()
    await expect(option(page, "Leaderboard")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(search(page)).to_have_count(0)
    await expect(opener).to_be_focused()

    # Any spelling, places too, texts as texts, and the list says what is chosen.
    await page.keyboard.press("Control+k")
    await page.keyboard.type(f"jozef {word}")
    await expect(option(page, name)).to_have_attribute("aria-selected", "true")
    await field(page).fill(f"LODZ {word}")
    await expect(option(page, f"Fête {word}")).to_be_visible()
    await field(page).fill(word)
    await expect(option(page, said)).to_contain_text("in the common room")
    await expect(option(page, letter)).to_be_visible()
    await expect(search(page).get_by_role("status")).to_have_text("4 results")
    assert await faults(page) == []
    await field(page).fill("x" * 300)
    await expect(search(page).get_by_role("status")).to_contain_text("Nothing found")
    await field(page).fill(word)
    await expect(option(page, letter)).to_be_visible()
    await page.keyboard.press("ArrowUp")
    chosen = search(page).locator('[aria-selected="true"]')
    await expect(chosen).to_have_count(1)
    await expect(field(page)).to_have_attribute(
        "aria-activedescendant", await chosen.get_attribute("id") or ""
    )
    runs = window.full_runs()
    await option(page, said).hover()
    await page.keyboard.press("Enter")
    await expect(visitor.heading(page)).to_have_text("The common room")
    await expect(visitor.message(page, said)).to_be_focused()
    await expect(visitor.message(page, said)).to_be_in_viewport()
    assert window.full_runs() == runs + 1

    # Nothing stays for the next one in the tab, who finds only what is public.
    await settled(page)
    await page.keyboard.press("Control+k")
    await field(page).fill(word)
    await option(page, letter).click()
    await expect(visitor.conversation(page).locator(":focus")).to_contain_text(letter)
    await visitor.sign_out(page)
    await page.keyboard.press("Control+k")
    await field(page).fill(word)
    await expect(search(page).get_by_role("status")).to_have_text("3 results")
    await expect(option(page, said)).to_be_visible()
    await expect(option(page, letter)).to_have_count(0)

    phone = await open_window("/events", person=me, viewport=PHONE)
    await phone.page.get_by_role("button", name="Expand sidebar").click()
    await phone.page.get_by_role("button", name="Search").click()
    await expect(field(phone.page)).to_be_focused()
    await expect(phone.page.get_by_test_id("stSidebar")).to_have_attribute("data-collapsed", "true")
    await field(phone.page).fill(unique("nobody is called so"))
    await expect(search(phone.page).get_by_role("status")).to_contain_text("Nothing found")
    await field(phone.page).fill(f"fete {word}")
    await option(phone.page, f"Fête {word}").click()
    await expect(phone.page).to_have_url(f"{phone.url}/event?id={event}")
    await expect(search(phone.page)).to_have_count(0)
