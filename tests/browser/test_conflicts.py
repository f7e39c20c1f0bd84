"""Two people edit the same row: different fields are merged, the same field is decided by a person."""

from playwright.async_api import Locator, Page, expect

from local_supabase.stack.runtime import StackInfo
from tests.browser.conftest import OpenWindow
from tests.support import visitor
from tests.support.browser import Window, settled
from tests.support.people import give_role, sign_up, unique


async def test_different_fields_are_merged(open_window: OpenWindow, stack: StackInfo) -> None:
    organizer, admin, title, name = await _two_editors(open_window, stack)
    mine, theirs = await _edit(organizer.page, title), await _edit(admin.page, title)

    await mine.get_by_label("Description").fill("Bring your own pen")
    await theirs.get_by_label("Location").fill("The cellar")
    await _save(theirs)
    await expect(mine.get_by_text("changed the location")).to_contain_text(name)
    await expect(mine.get_by_label("Description")).to_have_value("Bring your own pen")
    await _save(mine)

    await expect(organizer.page.get_by_role("dialog")).to_have_count(0)
    for window in (organizer, admin):
        await expect(visitor.event(window.page, title)).to_contain_text("Bring your own pen")
        await expect(visitor.event(window.page, title)).to_contain_text("The cellar")


async def test_the_same_field_is_decided_by_the_last_to_save(
    open_window: OpenWindow, stack: StackInfo
) -> None:
    organizer, admin, title, name = await _two_editors(open_window, stack)
    mine, theirs = await _edit(organizer.page, title), await _edit(admin.page, title)

    await mine.get_by_label("Location").fill("The attic")
    await mine.get_by_label("Description").fill("All of it mine")
    await theirs.get_by_label("Location").fill("The cellar")
    await theirs.get_by_label("Description").fill("All of it theirs")
    await _save(theirs)
    await expect(mine.get_by_text("changed the description and location")).to_contain_text(name)
    await _save(mine)
    await expect(mine.get_by_text("saved a different version")).to_contain_text(name)
    await expect(mine).to_contain_text("The attic")
    await expect(mine).to_contain_text("The cellar")
    await mine.get_by_label("Location").get_by_text("Take theirs").click()
    await mine.get_by_role("button", name="Save", exact=True).click()

    for window in (organizer, admin):
        await expect(visitor.event(window.page, title)).to_contain_text("The cellar")
        await expect(visitor.event(window.page, title)).to_contain_text("All of it mine")


async def test_a_profile_changed_in_another_tab_is_reported_and_merged(
    open_window: OpenWindow, stack: StackInfo
) -> None:
    window = await open_window(person=sign_up(stack, "Twice here"))
    other = await window.open_tab("/")
    for page in (window.page, other):
        await page.goto(f"{window.url}/profile")
        await expect(page.get_by_label("About you")).to_be_visible()
        await settled(page)
    await window.page.get_by_label("Avatar", exact=True).fill("🦉")
    words = unique("Elsewhere")
    await other.get_by_label("About you").fill(words)
    await other.get_by_role("button", name="Save profile").click()
    await expect(window.page.get_by_text("You changed the text about you")).to_be_visible()
    await expect(window.page.get_by_label("Avatar", exact=True)).to_have_value("🦉")
    await window.page.get_by_role("button", name="Save profile").click()
    # For a moment the page has the old field as well.
    await expect(window.page.get_by_label("About you").first).to_have_value(words)
    await settled(window.page)
    await expect(window.page.get_by_label("Avatar", exact=True)).to_have_value("🦉")

    # A field that is refused is marked, and does not keep the others from being saved.
    page = window.page
    await settled(page)  # the fields were shown anew, one after the other
    await page.get_by_label("Avatar", exact=True).fill("owl")
    await page.get_by_label("About you").fill(f"{words} again")
    await page.get_by_role("button", name="Save profile").click()
    await expect(page.get_by_role("alert").filter(has_text="An avatar is an emoji.")).to_be_visible()
    await expect(page.get_by_label("Avatar", exact=True)).to_have_value("owl")
    await page.get_by_label("Avatar", exact=True).fill("🦊")
    await page.get_by_role("button", name="Save profile").click()
    await expect(page.get_by_role("alert").filter(has_text="An avatar is an emoji.")).to_have_count(0)
    await page.reload()
    await expect(page.get_by_label("About you")).to_have_value(f"{words} again")
    await expect(page.get_by_label("Avatar", exact=True)).to_have_value("🦊")


async def test_a_message_changed_in_another_tab_is_decided_and_a_deleted_one_leaves_its_text(
    open_window: OpenWindow,
    stack: StackInfo,
) -> None:
    window = await open_window(person=sign_up(stack, "Twice here"))
    other = await window.open_tab("/")
    said, mine, theirs = unique("Frist"), unique("First"), unique("Fist")
    await visitor.say(window.page, said)
    await visitor.hears(other, said)
    here, there = [await _edit_message(page, said) for page in (window.page, other)]
    await here.get_by_label("Message").fill(mine)
    await there.get_by_label("Message").fill(theirs)
    await there.get_by_role("button", name="Save").click()
    await expect(here.get_by_text("You changed the message")).to_be_visible()
    await here.get_by_role("button", name="Save").click()
    await expect(here.get_by_text("You saved a different version")).to_be_visible()
    for version in (mine, theirs):
        await expect(here).to_contain_text(version)
    await here.get_by_role("button", name="Save", exact=True).click()
    await visitor.hears(other, f"{mine} (edited)")

    dialog = await _edit_message(window.page, mine)
    await dialog.get_by_label("Message").fill("Words worth keeping")
    await visitor.use(other, mine, "Delete")
    await other.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await expect(dialog.get_by_text("Somebody has removed this message")).to_be_visible()
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog.get_by_role("alert").filter(has_text="not there any more")).to_be_visible()
    await expect(dialog.get_by_label("Message")).to_have_value("Words worth keeping")


async def test_an_event_removed_meanwhile_leaves_the_text_in_the_form(
    open_window: OpenWindow, stack: StackInfo
) -> None:
    organizer = sign_up(stack, "Organizer")
    window = await open_window(person=organizer)
    await visitor.go(window.page, "Events")
    title = unique("Gone soon")
    await visitor.create_event(window.page, title)
    form = await _edit(window.page, title)
    await form.get_by_label("Description").fill("Words worth keeping")

    organizer.client.table("events").delete().eq("title", title).execute()
    await expect(form.get_by_text("Somebody has removed this event")).to_be_visible()
    await _save(form)
    await expect(form.get_by_role("alert").filter(has_text="not there any more")).to_be_visible()
    await expect(form.get_by_label("Description")).to_have_value("Words worth keeping")


async def _two_editors(open_window: OpenWindow, stack: StackInfo) -> tuple[Window, Window, str, str]:
    """Give the windows of an organizer and an admin, the organizer's event before both, the admin's name."""
    admin = sign_up(stack, "Admin")
    give_role(stack, admin.user_id, "admin")
    first = await open_window(person=sign_up(stack, "Organizer"))
    second = await open_window(person=admin)
    for window in (first, second):
        await visitor.go(window.page, "Events")
    title = unique("Contested")
    await visitor.create_event(first.page, title)
    await expect(visitor.event(second.page, title)).to_be_visible()
    return first, second, title, admin.name


async def _edit(page: Page, title: str) -> Locator:
    await visitor.event(page, title).get_by_role("button", name="Edit").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_label("Title")).to_have_value(title)
    await settled(page)
    return dialog


async def _edit_message(page: Page, text: str) -> Locator:
    await visitor.use(page, text, "Edit")
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_label("Message")).to_be_visible()
    await settled(page)
    return dialog


async def _save(dialog: Locator) -> None:
    await dialog.get_by_role("button", name="Save changes").click()
