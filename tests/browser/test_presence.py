"""Who is here: in the sidebar, in the directory, and on an event that somebody edits."""

import re

from playwright.async_api import Locator, Page, expect

from local_supabase.stack.runtime import StackInfo
from tests.browser.conftest import OpenWindow
from tests.support import visitor
from tests.support.people import give_role, sign_up, unique


async def test_two_people_and_a_visitor_see_each_other(open_window: OpenWindow, stack: StackInfo) -> None:
    admin, organizer = sign_up(stack, "Admin"), sign_up(stack, "Organizer")
    give_role(stack, admin.user_id, "admin")
    ada, bo = [await open_window("/events", person=each) for each in (organizer, admin)]
    guest = await open_window("/people")
    for window in (ada, bo, guest):
        for name in (organizer.name, admin.name):
            await expect(_here(window.page, name)).to_contain_text("Events")
        await expect(_here(window.page, "visitor")).to_be_visible()
    for name in (organizer.name, admin.name):
        await expect(_card(guest.page, name).get_by_text("online")).to_be_visible()

    # A second tab of the same person counts once, and an edited event tells who edits it.
    second = await ada.open_tab("/people")
    await expect(second.get_by_text(re.compile(r"\d+ here now"))).to_be_visible()
    for page in (second, bo.page):
        await expect(_here(page, organizer.name)).to_have_count(1)
    title = unique("Watched")
    await visitor.create_event(ada.page, title)
    await visitor.event(ada.page, title).get_by_role("button", name="Edit").click()
    await expect(bo.page.get_by_role("status").filter(has_text="is editing")).to_contain_text(title)
    await visitor.event(bo.page, title).get_by_role("button", name="Edit").click()
    for window, name in ((ada, admin.name), (bo, organizer.name)):
        dialog = window.page.get_by_role("dialog")
        await expect(dialog.get_by_text("here too")).to_contain_text(name)

    runs = guest.full_runs()
    await ada.context.close()
    await expect(_here(guest.page, organizer.name)).to_have_count(0)
    await expect(_card(guest.page, organizer.name).get_by_text("online")).to_be_hidden()
    assert guest.full_runs() == runs


def _here(page: Page, text: str) -> Locator:
    return page.get_by_role("region", name="Here now").get_by_role("listitem").filter(has_text=text)


def _card(page: Page, name: str) -> Locator:
    return page.locator("article[data-row]").filter(has_text=name)
