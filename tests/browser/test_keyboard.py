"""The keyboard alone: the focus is where the work goes on, and the same keys send everywhere."""

from playwright.async_api import Locator, Page, expect

from db.ratings import artifacts
from local_supabase.stack.runtime import StackInfo
from tests.browser.conftest import OpenWindow
from tests.browser.test_ratings import found_tenant
from tests.support import visitor
from tests.support.browser import settled
from tests.support.people import give_role, sign_up, unique


async def test_the_focus_is_where_the_work_goes_on(open_window: OpenWindow, stack: StackInfo) -> None:
    me, other = sign_up(stack, "Typist"), sign_up(stack, "Other")
    window = await open_window("/sign_in")
    page = window.page
    await visitor.is_live(page)

    await expect(page.get_by_label("Email")).to_be_visible()

    # Past the menu at once, and past the badge.
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to main content")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("stMain")).to_be_focused()
    await page.keyboard.press("Tab")
    await expect(visitor.badge(page).get_by_role("button")).to_be_focused()
    await page.keyboard.press("Tab")
    await expect(page.get_by_label("Email")).to_be_focused()
    await page.keyboard.type(me.email)
    await page.keyboard.press("Tab")
    await page.keyboard.type(me.password)
    await page.keyboard.press("Enter")
    await visitor.is_signed_in(page)
    await expect(page.get_by_test_id("stMain")).to_be_focused()

    await visitor.go(page, "Tavern")
    # Ctrl+Enter sends as Enter does.
    text = unique("Sent with two keys")
    await visitor.room_input(page).fill(text)
    await page.keyboard.press("Control+Enter")
    await visitor.hears(page, text)
    await expect(page.get_by_text("starts a new line")).to_be_visible()
    edit = visitor.message(page, text).get_by_role("button", name="Edit")
    await edit.focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(edit).to_be_focused()

    await visitor.go(page, "Events")
    new, title = page.get_by_role("button", name="New event"), page.get_by_role("textbox", name="Title")
    await new.focus()
    await page.keyboard.press("Enter")
    await expect(title).to_be_focused()
    await page.get_by_role("button", name="Close", exact=True).focus()
    await page.keyboard.press("Enter")
    await expect(new).to_be_focused()
    await page.keyboard.press("Enter")
    name = unique("By keyboard")
    await title.fill(name)
    await visitor.form_button(page, "Create event").focus()
    await page.keyboard.press("Enter")
    await expect(visitor.event(page, name)).to_be_focused()

    await visitor.go(page, "Inbox")
    row = {"sender_id": other.user_id, "recipient_id": me.user_id, "body": unique("Hello")}
    other.client.table("private_messages").insert(row).execute()
    await visitor.open_conversation(page, other.name)
    await expect(visitor.conversation(page)).to_contain_text("Hello")
    first, second = unique("One line"), unique("another")
    await visitor.message_field(page).fill(first)
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.type(second)
    await page.keyboard.press("Enter")
    await expect(visitor.conversation(page)).to_contain_text(f"{first}\n{second}")
    await expect(visitor.message_field(page)).to_have_value("")


def dialog(page: Page) -> Locator:
    """Return the open dialog."""
    return page.get_by_role("dialog")


async def press(button: Locator) -> None:
    """Press a button by keyboard, without a moment between the focus and the key."""
    await button.press("Enter")


async def leave_by(page: Page, opener: Locator, name: str) -> None:
    """Open a dialog by keyboard, and leave it by the button with this name."""
    await press(opener)
    await press(dialog(page).get_by_role("button", name=name))
    await expect(dialog(page)).to_have_count(0)


async def dismiss(page: Page, opener: Locator) -> None:
    """Open a dialog by keyboard, and close it by Escape."""
    await press(opener)
    await expect(dialog(page).get_by_role("button", name="Yes")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(dialog(page)).to_have_count(0)


async def test_a_closed_dialog_leaves_the_focus_where_the_work_goes_on(
    open_window: OpenWindow, stack: StackInfo
) -> None:
    place = found_tenant(stack)
    me, title, first = place.manager, unique("Feast"), unique("The first remark")
    give_role(stack, me.user_id, "admin")
    values = {"title": title, "organizer_id": me.user_id, "time_zone": "UTC"}
    times = {"starts_at": "2031-05-01T18:00:00Z", "ends_at": "2031-05-01T20:00:00Z"}
    me.client.table("events").insert({**values, **times}).execute()
    me.client.table("tavern_messages").insert({"author_id": me.user_id, "body": first}).execute()
    run = {"user_id": me.user_id, "task_id": title, "agent_name": unique("Painter"), "agent_id": "1"}
    me.client.table("agent_runs").insert(run).execute()
    files = me.client.storage.from_(artifacts.Bucket.MODEL_ARTIFACTS)
    files.upload(f"{place.tenant}/{title}.json", b"{}", {"content-type": "application/json"})
    window = await open_window("/events", person=me)
    page = window.page

    card = visitor.event(page, title)
    edit, cancel = card.get_by_role("button", name="Edit"), card.get_by_role("button", name="Cancel event")
    await press(edit)
    await expect(dialog(page).get_by_label("Title")).to_be_focused()
    await press(dialog(page).get_by_role("button", name="Close without saving"))
    await expect(edit).to_be_focused()
    await press(edit)
    await dialog(page).get_by_label("Location").fill("The roof")
    await press(dialog(page).get_by_role("button", name="Save changes"))
    await expect(card).to_contain_text("The roof")
    await expect(edit).to_be_focused()
    await leave_by(page, cancel, "Keep it")
    await expect(cancel).to_be_focused()
    await leave_by(page, cancel, "Yes, cancel it")
    await expect(card).to_be_focused()
    await press(card.get_by_role("button", name="Put back on"))
    await expect(cancel).to_be_visible()
    await expect(card).to_be_focused()

    await visitor.go(page, "Tavern")
    text = unique("Delete me")
    await visitor.say(page, text)
    remark = visitor.message(page, text)
    await press(remark.get_by_role("button", name="Edit"))
    await dialog(page).get_by_label("Message").fill(f"{text} now")
    await press(dialog(page).get_by_role("button", name="Save"))
    await expect(dialog(page)).to_have_count(0)
    await expect(remark.get_by_role("button", name="Edit")).to_be_focused()
    await leave_by(page, remark.get_by_role("button", name="Delete"), "Delete")
    await expect(remark).to_have_count(0)
    await expect(page.locator("[data-row]:focus")).to_have_count(1)

    await visitor.go(page, "Agents")
    card = page.locator(".tv-run").filter(has_text=run["agent_name"])
    await dismiss(page, card.get_by_role("button", name="Cancel"))
    await expect(card.get_by_role("button", name="Cancel")).to_be_focused()
    await leave_by(page, card.get_by_role("button", name="Cancel"), "Yes, cancel it")
    await expect(card).to_contain_text("Cancelled")
    await expect(card.locator(":focus").or_(page.locator(".tv-run:focus"))).to_have_count(1)

    await visitor.go(page, "Ratings")
    await page.get_by_text("Files", exact=True).click()
    await visitor.choose(page.get_by_test_id("stSelectbox").filter(has_text="File"), f"{title}.json")
    delete = page.get_by_role("button", name="Delete")
    await dismiss(page, delete)
    await expect(delete).to_be_focused()
    await leave_by(page, delete, "Yes, delete it")
    await expect(delete).to_have_count(0)
    await expect(page.get_by_test_id("stMain").locator(":focus")).to_have_count(1)

    await visitor.go(page, "Activity")
    await press(page.locator("summary").filter(has_text="After a flood"))
    count = page.get_by_role("button", name="Count them")
    await count.scroll_into_view_if_needed()
    await visitor.choose(page.get_by_test_id("stSelectbox").filter(has_text="Whose rows"), me.name)
    await settled(page)
    await leave_by(page, count, "Yes, delete 1")
    await expect(count).to_be_focused()
