"""The keyboard alone: the focus is where the work goes on, and the same keys send everywhere."""

from playwright.async_api import expect

from local_supabase.stack.runtime import StackInfo
from tests.browser.conftest import OpenWindow
from tests.support import visitor
from tests.support.people import sign_up, unique


async def test_the_focus_is_where_the_work_goes_on(open_window: OpenWindow, stack: StackInfo) -> None:
    me, other = sign_up(stack, "Typist"), sign_up(stack, "Other")
    window = await open_window("/sign_in")
    page = window.page
    await visitor.is_live(page)

    # Past the menu at once.
    skip = page.get_by_role("link", name="Skip to main content")
    await skip.focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("stMain")).to_be_focused()
    await visitor.sign_in(page, me.email, me.password)

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
