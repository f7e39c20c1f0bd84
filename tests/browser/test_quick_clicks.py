"""What a person does just before they open another page counts."""

from typing import cast

from playwright.async_api import Locator, Page, expect

from db.columns import Record
from local_supabase.stack.runtime import StackInfo
from tests.browser.conftest import OpenWindow
from tests.support import visitor
from tests.support.people import Person, sign_up, unique
from tests.support.wait import wait_for

_TIMES = {"starts_at": "2030-11-07T18:30:00Z", "ends_at": "2030-11-07T20:30:00Z"}
_BOTH = "([first, second]) => { first.click(); setTimeout(() => second.click(), 20) }"
_SEND = """([field, link]) => {
    const enter = { key: "Enter", code: "Enter", keyCode: 13, bubbles: true };
    field.dispatchEvent(new KeyboardEvent("keydown", enter));
    setTimeout(() => link.click(), 20);
}"""


def events_of(person: Person, count: int) -> list[str]:
    """Make events; return their ids."""
    rows = [{"title": unique("Feast"), "organizer_id": person.user_id, **_TIMES} for _ in range(count)]
    made = person.client.table("events").insert(rows).execute().data
    return [str(cast("Record", row)["id"]) for row in made]


async def in_one_moment(script: str, *elements: Locator) -> None:
    """Run a script with elements of a page."""
    await elements[0].page.evaluate(script, [await each.element_handle() for each in elements])


async def people_page(page: Page) -> None:
    await expect(visitor.heading(page)).to_have_text("People")


async def test_an_answer_to_an_event(open_window: OpenWindow, stack: StackInfo) -> None:
    ann, bela = sign_up(stack, "Ann"), sign_up(stack, "Bela")
    first, second, third, fourth = events_of(ann, 4)
    page = (await open_window("/events", person=bela)).page

    def going(event_id: str) -> Locator:
        return page.locator(f'article[data-row="{event_id}"]').get_by_role("button", name="Going")

    def answered() -> set[str]:
        found = bela.client.table("rsvps").select("event_id").eq("user_id", bela.user_id).execute().data
        return {str(cast("Record", row)["event_id"]) for row in found}

    await in_one_moment(_BOTH, going(first), visitor.navigation(page, "People"))
    await people_page(page)
    wait_for(lambda: answered() == {first}, what="the answer before another page")
    await visitor.go(page, "Events")
    await in_one_moment(_BOTH, going(second), visitor.navigation(page, "People"))
    await people_page(page)
    wait_for(lambda: answered() == {first, second}, what="the second answer")
    await visitor.go(page, "Events")
    await in_one_moment(_BOTH, going(third), going(fourth))
    wait_for(lambda: answered() == {first, second, third, fourth}, what="both answers of one moment")


async def test_messages_that_are_sent(open_window: OpenWindow, stack: StackInfo) -> None:
    bela, texts = sign_up(stack, "Bela"), [unique("Back soon") for _ in range(4)]
    page = (await open_window(person=bela)).page
    for text in texts:
        await visitor.room_input(page).fill(text)
        await in_one_moment(_SEND, visitor.room_input(page), visitor.navigation(page, "People"))
        await people_page(page)
        await visitor.go(page, "Tavern")
        await visitor.hears(page, text)
        await expect(visitor.room_input(page)).to_have_value("")
