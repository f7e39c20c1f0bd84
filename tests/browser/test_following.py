"""A chat that one follows: what was seen is read, and what arrives out of sight is marked."""

from playwright.async_api import Locator, Page, expect

from local_supabase.stack.runtime import StackInfo
from tests.browser.conftest import OpenWindow
from tests.support import visitor
from tests.support.browser import settled
from tests.support.line import Line
from tests.support.people import Person, sign_up, unique
from tests.verify.cast import owner


async def _be(page: Page, state: str) -> None:
    """Hide the page, or show it again, as a switch to another tab does."""
    await page.evaluate(
        "state => { Object.defineProperty(document, 'visibilityState', { value: state, configurable: true });"
        " document.dispatchEvent(new Event('visibilitychange')) }",
        state,
    )


def _write(sender: Person, recipient: Person) -> str:
    body = unique("Are you there")
    row = {"sender_id": sender.user_id, "recipient_id": recipient.user_id, "body": body}
    sender.client.table("private_messages").insert(row).execute()
    return body


async def test_only_what_a_visible_page_has_shown_is_read(open_window: OpenWindow, stack: StackInfo) -> None:
    me, sender = sign_up(stack, "Reader"), sign_up(stack, "Sender")
    window = await open_window(person=me)
    _write(sender, me)
    other_device = window.page
    await expect(other_device).to_have_title("(1) Tavern")

    line = Line()
    page = await line.open_tab(window, "/inbox")
    await visitor.open_conversation(page, sender.name)
    await expect(other_device).to_have_title("Tavern")

    # The server goes on sending to a page that receives nothing.
    line.frozen = True
    _write(sender, me)
    await expect(other_device).to_have_title("(1) Tavern")
    body = _write(sender, me)
    await expect(other_device).to_have_title("(2) Tavern")
    line.thaw()
    await expect(visitor.conversation(page)).to_contain_text(body)
    await expect(other_device).to_have_title("Tavern")

    # A page that is hidden shows everything, to nobody.
    await _be(page, "hidden")
    body = _write(sender, me)
    await expect(visitor.conversation(page)).to_contain_text(body)
    body = _write(sender, me)
    await expect(visitor.conversation(page)).to_contain_text(body)
    await expect(page).to_have_title("(2) Inbox · Tavern")
    await _be(page, "visible")
    await expect(page).to_have_title("Inbox · Tavern")
    await expect(page.locator("[data-first-new]")).to_have_count(1)


def _fill_the_room(stack: StackInfo, author: Person, count: int) -> None:
    with owner(stack) as cursor:
        cursor.execute(
            "insert into public.tavern_messages (author_id, body, created_at)"
            " select %s, 'Remark ' || n, now() - interval '1 minute' + n * interval '1 millisecond'"
            " from generate_series(1, %s) n",
            (author.user_id, count),
        )


async def _scroll_up(page: Page) -> None:
    """Scroll to the top of the room until it stays there. For a moment Streamlit may still follow the end."""
    await page.wait_for_function(
        "() => {"
        " const room = document.querySelector('.st-key-room');"
        " if (room.scrollTop > 0) { room.scrollTop = 0; room.framesAtTop = 0; }"
        " room.framesAtTop = (room.framesAtTop ?? 0) + 1;"
        " return room.framesAtTop > 30 }",
        polling="raf",
    )


async def _place_of(block: Locator, key: str | None) -> float:
    """Return where the message is on the screen, in pixels from the top."""
    row = block.locator(f'[data-row="{key}"]')
    return float(await row.evaluate("row => row.getBoundingClientRect().top"))


async def test_one_keeps_ones_place_and_learns_of_what_is_new(
    open_window: OpenWindow, stack: StackInfo
) -> None:
    author = sign_up(stack, "Author")
    first = unique("The first one")
    author.client.table("tavern_messages").insert({"author_id": author.user_id, "body": first}).execute()
    _fill_the_room(stack, author, 100)
    window = await open_window()
    page = window.page
    room = page.locator(".st-key-room")
    await expect(room).to_contain_text("Remark 100")
    new = page.get_by_role("button", name="new ↓")
    await expect(new).to_have_count(0)

    # A run may draw the room anew, so it is looked up each time.
    at_end = "room => room.scrollHeight - room.scrollTop - room.clientHeight < 40"
    await page.wait_for_function(f"({at_end})(document.querySelector('.st-key-room'))")
    await settled(page)
    earlier = page.get_by_role("button", name="Load earlier messages")
    await expect(earlier).to_be_attached()
    await _scroll_up(page)
    await expect(earlier).to_be_in_viewport()
    oldest = await room.locator("[data-row]").first.get_attribute("data-row")
    before = await _place_of(room, oldest)
    await earlier.click()
    await expect(room).to_contain_text("Remark 1")
    await expect(room.locator("[data-row]").nth(81)).to_be_attached()
    assert abs(await _place_of(room, oldest) - before) < 2

    before = await _place_of(room, oldest)
    text = unique("Something new")
    author.client.table("tavern_messages").insert({"author_id": author.user_id, "body": text}).execute()
    await expect(new).to_have_text("1 new ↓")
    assert abs(await _place_of(room, oldest) - before) < 2
    await expect(room.locator("[data-first-new]")).to_contain_text(text)
    await new.click()
    await expect(new).to_have_count(0)
    await expect(room.get_by_text(text, exact=True)).to_be_in_viewport()
