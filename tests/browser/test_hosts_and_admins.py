"""What hosts and admins do reaches others at once, and can be undone."""

from typing import cast

from playwright.async_api import expect

from local_supabase.stack.runtime import StackInfo
from tests.browser.conftest import OpenWindow
from tests.support import visitor
from tests.support.people import Person, give_role, sign_up, unique


async def test_cohosts_cancelling_and_hiding(open_window: OpenWindow, stack: StackInfo) -> None:
    admin = sign_up(stack, "Admin")
    give_role(stack, admin.user_id, "admin")
    host, friend = sign_up(stack, "Organizer"), sign_up(stack, "Friend")
    sign_up(stack, "Anne-Marie")
    organizer, other = [await open_window("/events", person=each) for each in (host, friend)]
    chief = await open_window(person=admin)
    title = unique("Shared")
    await visitor.create_event(organizer.page, title)
    mine, theirs = visitor.event(organizer.page, title), visitor.event(other.page, title)
    await expect(theirs.get_by_role("button", name="Edit")).to_be_hidden()

    await mine.get_by_role("button", name="Edit").click()
    dialog = organizer.page.get_by_role("dialog")
    chosen = dialog.get_by_test_id("stMultiSelect")
    await chosen.get_by_role("combobox").click()
    await organizer.page.get_by_text("Select all", exact=True).click()
    await expect(chosen).to_contain_text("Anne-Marie")  # as it is written, without signs that escape
    await organizer.page.keyboard.press("Escape")
    await dialog.get_by_role("button", name="Close without saving").click()
    await expect(dialog).to_have_count(0)
    assert cohosts(admin, title) == []

    await mine.get_by_role("button", name="Edit").click()
    await visitor.choose(chosen, friend.name)
    await organizer.page.keyboard.press("Tab")  # while the list of people is open, all else is hidden
    await dialog.get_by_role("button", name="Save changes").click()
    await expect(theirs).to_contain_text(friend.name)
    await expect(theirs.get_by_role("button", name="Edit")).to_be_visible()
    assert cohosts(admin, title) == [friend.user_id]
    await mine.get_by_role("button", name="Edit").click()
    await chosen.get_by_role("combobox").click()
    await organizer.page.keyboard.press("Backspace")
    await organizer.page.keyboard.press("Tab")
    await dialog.get_by_role("button", name="Save changes").click()
    await expect(theirs.get_by_role("button", name="Edit")).to_be_hidden()

    await mine.get_by_role("button", name="Cancel event").click()
    await dialog.get_by_role("button", name="Keep it").click()
    await expect(dialog).to_have_count(0)
    await mine.get_by_role("button", name="Cancel event").click()
    confirm = dialog.get_by_role("button", name="Yes, cancel it")
    await dialog.get_by_label("Reason").fill("x" * 501)
    await confirm.click()
    problem = dialog.get_by_role("alert")
    await expect(problem).to_contain_text("up to 500 characters")
    # Dialogs stand beside the app, in its colors.
    await expect(problem).to_have_css("color", "rgb(163, 38, 42)")
    await dialog.get_by_label("Reason").fill("The cook is ill.")
    await confirm.click()
    await expect(theirs).to_contain_text("Cancelled")
    await expect(theirs).to_contain_text("The cook is ill.")
    await expect(theirs.get_by_role("button", name="Going")).to_have_count(0)
    await mine.get_by_role("button", name="Put back on").click()
    await expect(theirs.get_by_role("button", name="Going")).to_be_visible()
    await expect(theirs).not_to_contain_text("The cook is ill.")

    await visitor.go(other.page, "Tavern")
    words = unique("Rude words")
    await visitor.say(other.page, words)
    await visitor.use(chief.page, words, "Hide")
    await expect(visitor.message(other.page, words)).to_have_count(0)
    hidden = chief.page.locator("article[data-row]").filter(has_text="hidden by a moderator").last
    await hidden.hover()
    await hidden.get_by_role("button", name="Show again").click()
    await visitor.hears(other.page, words)


def cohosts(reader: Person, title: str) -> list[object]:
    """Return the co-hosts of an event, as the database has them."""
    query = reader.client.table("event_cohosts").select("user_id,events!inner(title)")
    found = query.eq("events.title", title).execute().data
    return [cast("dict[str, object]", each)["user_id"] for each in found]
