"""What a person does just before they open another page counts."""

from typing import cast

from playwright.async_api import Locator, Page, expect

from db.columns import Record
from local_supabase.stack.runtime import StackInfo
from tests.browser.conftest import OpenWindow
from tests.support import visitor
from tests.support.browser import Window
from tests.support.people import Person, sign_up, unique
from tests.support.wait import wait_for, wait_until

_TIMES = {"starts_at": "2030-11-07T18:30:00Z", "ends_at": "2030-11-07T20:30:00Z"}


def events_of(person: Person, count: int) -> list[str]:
    """Make events; return their ids."""
    rows = [{"title": unique("Feast"), "organizer_id": person.user_id, **_TIMES} for _ in range(count)]
    made = person.client.table("events").insert(rows).execute().data
    return [str(cast("Record", row)["id"]) for row in made]


async def leave_at_once(window: Window, first: Locator) -> None:
    """Press something, and open the page of people as soon as the browser has sent it."""
    page = window.page
    link, sent = await visitor.navigation(page, "People").element_handle(), len(window.sent)
    await first.dispatch_event("click")
    await wait_until(lambda: len(window.sent) > sent, what="the browser to send it")
    await link.evaluate("link => link.click()")
    await people_page(page)


async def people_page(page: Page) -> None:
    await expect(visitor.heading(page)).to_have_text("People")


async def test_an_answer_to_an_event(open_window: OpenWindow, stack: StackInfo) -> None:
    ann, bela = sign_up(stack, "Ann"), sign_up(stack, "Bela")
    first, second, third, fourth = events_of(ann, 4)
    window = await open_window("/events", person=bela)
    page = window.page

    def going(event_id: str) -> Locator:
        return page.locator(f'article[data-row="{event_id}"]').get_by_role("button", name="Going")

    def answered() -> set[str]:
        found = bela.client.table("rsvps").select("event_id").eq("user_id", bela.user_id).execute().data
        return {str(cast("Record", row)["event_id"]) for row in found}

    await leave_at_once(window, going(first))
    wait_for(lambda: answered() == {first}, what="the answer before another page")
    await visitor.go(page, "Events")
    await leave_at_once(window, going(second))
    wait_for(lambda: answered() == {first, second}, what="the second answer")
    await visitor.go(page, "Events")
    both = [await going(event_id).element_handle() for event_id in (third, fourth)]
    await page.evaluate("both => both.forEach(button => button.click())", both)
    wait_for(lambda: answered() == {first, second, third, fourth}, what="both answers of one moment")
