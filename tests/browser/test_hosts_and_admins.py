"""What the hosts of an event and the admins do, others see at once, and it can be undone."""

from playwright.async_api import expect

from local_supabase.runtime import StackInfo
from tests.browser.conftest import OpenWindow
from tests.support import visitor
from tests.support.people import give_role, sign_up, unique


async def test_cohosts_calling_off_and_hiding(open_window: OpenWindow, stack: StackInfo) -> None:
    admin = sign_up(stack, "Admin")
    give_role(stack, admin.user_id, "admin")
    friend = sign_up(stack, "Friend")
    organizer, other, chief = await open_window(), await open_window(), await open_window()
    await visitor.create_account(organizer.page, "Organizer")
    await visitor.sign_in(other.page, friend.email, friend.password)
    await visitor.sign_in(chief.page, admin.email, admin.password)
    for window in (organizer, other):
        await visitor.go(window.page, "Events")
    title = unique("Shared")
    await visitor.create_event(organizer.page, title)
    mine, theirs = visitor.event(organizer.page, title), visitor.event(other.page, title)
    await expect(theirs.get_by_role("button", name="Edit")).to_be_hidden()

    await mine.get_by_role("button", name="Edit").click()
    dialog = organizer.page.get_by_role("dialog")
    await visitor.choose(dialog.get_by_test_id("stMultiSelect"), friend.name)
    await expect(theirs).to_contain_text(friend.name)
    await expect(theirs.get_by_role("button", name="Edit")).to_be_visible()
    await organizer.page.keyboard.press("Backspace")
    await expect(theirs.get_by_role("button", name="Edit")).to_be_hidden()
    await organizer.page.keyboard.press("Tab")  # while the list of people is open, all else is hidden
    await dialog.get_by_role("button", name="Close without saving").click()

    await mine.get_by_role("button", name="Cancel event").click()
    await organizer.page.get_by_role("button", name="Yes, cancel it").click()
    await expect(theirs).to_contain_text("Cancelled")
    await expect(theirs.get_by_role("button", name="Going")).to_have_count(0)
    await mine.get_by_role("button", name="Put back on").click()
    await expect(theirs.get_by_role("button", name="Going")).to_be_visible()

    await visitor.go(other.page, "Tavern")
    words = unique("Rude words")
    await visitor.say(other.page, words)
    await visitor.use(chief.page, words, "Hide")
    await expect(visitor.message(other.page, words)).to_have_count(0)
    hidden = chief.page.locator("article[data-row]").filter(has_text="hidden by a moderator").last
    await hidden.hover()
    await hidden.get_by_role("button", name="Show again").click()
    await visitor.hears(other.page, words)
