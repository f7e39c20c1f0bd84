"""Typed text stays in every form while others change everything."""

import uuid
from urllib.parse import urljoin

import pytest
from playwright.async_api import Locator, Page

from local_supabase.stack.runtime import StackInfo
from tests.browser.conftest import OpenWindow
from tests.support import visitor
from tests.support.people import Person, sign_up, unique

TYPED = "Half a thou"


def _change_everything(person: Person) -> str:
    """Do something in every public table; return what shows up in the common room at the end."""
    values = {
        "title": unique("Surprise"),
        "starts_at": "2031-05-01T18:00:00Z",
        "ends_at": "2031-05-01T20:00:00Z",
        "time_zone": "Europe/Berlin",
        "organizer_id": person.user_id,
    }
    client = person.client
    values["id"] = str(uuid.uuid4())
    client.table("events").insert(values).execute()
    answer = {"event_id": values["id"], "user_id": person.user_id, "status": "going"}
    client.table("rsvps").insert(answer).execute()
    client.table("users").update({"bio": unique("Changed")}).eq("id", person.user_id).execute()
    said = unique("Interruption")
    client.table("tavern_messages").insert({"author_id": person.user_id, "body": said}).execute()
    return said


def _new_event(page: Page) -> list[Locator]:
    form = page.get_by_test_id("stForm")
    return [form.get_by_label("Title"), form.get_by_label("Description"), form.get_by_label("Location")]


def _profile(page: Page) -> list[Locator]:
    return [
        page.get_by_label("Display name"),
        page.get_by_label("About you"),
        page.get_by_role("textbox", name="Avatar"),
    ]


async def _after_interruption(fields: list[Locator], page: Page, other: Person) -> list[str]:
    """Type into the fields, have somebody else change everything, and return what the fields hold then."""
    for field in fields:
        await field.fill(TYPED)
    witness = await page.context.new_page()
    await witness.goto(urljoin(page.url, "/"))
    await visitor.is_live(witness)
    said = _change_everything(other)
    await visitor.hears(witness, said)
    return [await field.input_value() for field in fields]


@pytest.fixture
def other(stack: StackInfo) -> Person:
    return sign_up(stack, "Other")


async def test_in_a_new_event(open_window: OpenWindow, other: Person, stack: StackInfo) -> None:
    window = await open_window(person=sign_up(stack, "Planner"))
    await visitor.go(window.page, "Events")
    await window.page.get_by_role("button", name="New event").click()
    assert await _after_interruption(_new_event(window.page), window.page, other) == [TYPED] * 3


async def test_in_ones_profile(open_window: OpenWindow, other: Person, stack: StackInfo) -> None:
    window = await open_window(person=sign_up(stack, "Newcomer"))
    await visitor.go(window.page, "Your profile")
    assert await _after_interruption(_profile(window.page), window.page, other) == [TYPED] * 3


async def test_in_the_account_forms(open_window: OpenWindow, other: Person) -> None:
    window = await open_window("/create_account")
    fields = [window.page.get_by_label("Display name"), window.page.get_by_label("Email")]
    assert await _after_interruption(fields, window.page, other) == [TYPED] * 2


async def test_in_the_search(open_window: OpenWindow, other: Person) -> None:
    window = await open_window("/people")
    field = window.page.get_by_label("Search")
    assert await _after_interruption([field], window.page, other) == [TYPED]


async def test_in_a_private_message(open_window: OpenWindow, other: Person, stack: StackInfo) -> None:
    window = await open_window(person=sign_up(stack, "Writer"))
    await visitor.go(window.page, "Inbox")
    await visitor.address(window.page, other.name)
    field = visitor.message_field(window.page)
    assert await _after_interruption([field], window.page, other) == [TYPED]


async def test_in_an_edit_of_ones_own_message(
    open_window: OpenWindow, other: Person, stack: StackInfo
) -> None:
    window = await open_window(person=sign_up(stack, "Editor"))
    text = unique("To be edited")
    await visitor.say(window.page, text)
    await visitor.use(window.page, text, "Edit")
    field = window.page.get_by_role("dialog").get_by_label("Message")
    assert await _after_interruption([field], window.page, other) == [TYPED]
