"""A write shows at once, marked until the database has answered; a refusal takes it back."""

import itertools
from collections.abc import Callable

from playwright.async_api import Locator, Page, expect

from local_supabase.stack.runtime import StackInfo
from tests.livetables.fault_proxy import FaultProxy
from tests.support import visitor
from tests.support.browser import Window
from tests.support.people import Person, sign_up, unique


def _event(organizer: Person, title: str, capacity: int | None = None) -> str:
    values = {
        "title": title,
        "starts_at": "2031-05-01T18:00:00Z",
        "ends_at": "2031-05-01T20:00:00Z",
        "time_zone": "Europe/Berlin",
        "organizer_id": organizer.user_id,
        "capacity": capacity,
    }
    row = organizer.client.table("events").insert(values).execute().data[0]
    assert isinstance(row, dict)
    return str(row["id"])


def saving(place: Locator | Page) -> Locator:
    """Return the mark of what the database has not confirmed yet."""
    return place.get_by_role("status").filter(has_text="…")


async def test_an_answer_shows_before_it_is_written_and_a_full_event_takes_it_back(
    castaway: tuple[Window, Person], stack: StackInfo, proxy: FaultProxy
) -> None:
    page, me = castaway[0].page, castaway[1]
    quick, title, roomy = sign_up(stack, "Quick"), unique("One chair"), unique("Many chairs")
    event_id = _event(quick, title, capacity=1)
    _event(quick, roomy)
    await visitor.go(page, "Events")
    card = visitor.event(page, title)
    going = card.get_by_role("button", name="Going")
    await expect(going).to_be_visible()

    proxy.writes_stalled = True
    await going.click()
    await expect(saving(card)).to_be_visible()
    await expect(going).to_have_attribute("aria-pressed", "true")
    await expect(card).to_contain_text(me.name)
    answer = {"event_id": event_id, "user_id": quick.user_id, "status": "going"}
    quick.client.table("rsvps").insert(answer).execute()
    proxy.writes_stalled = False
    await expect(page.get_by_test_id("stToast")).to_contain_text("This event is full")
    await expect(card.get_by_role("button", name="Join the waitlist")).to_be_visible()
    await expect(going).to_have_count(0)
    await expect(saving(card)).to_have_count(0)
    await expect(card).to_contain_text(quick.name)
    await expect(card).not_to_contain_text(me.name)

    card = visitor.event(page, roomy)
    maybe = card.get_by_role("button", name="Maybe")
    proxy.loses_answer = once()
    await maybe.dblclick()
    await expect(maybe).to_have_attribute("aria-pressed", "true")
    await expect(saving(card)).to_have_count(0)
    written = me.client.table("rsvps").select("version").eq("user_id", me.user_id).execute().data
    assert written == [{"version": 1}]


async def test_a_message_shows_before_it_is_sent_and_is_sent_once(
    castaway: tuple[Window, Person], stack: StackInfo, proxy: FaultProxy
) -> None:
    page, me = castaway[0].page, castaway[1]
    friend, said = sign_up(stack, "Friend"), [unique("Slow line"), unique("Answer lost"), unique("Psst")]
    proxy.writes_stalled = True
    await visitor.room_input(page).fill(said[0])
    await visitor.room_input(page).press("Enter")
    await visitor.hears(page, said[0])
    await expect(saving(visitor.message(page, said[0]))).to_be_visible()
    proxy.writes_stalled = False
    await expect(saving(visitor.message(page, said[0]))).to_have_count(0)

    proxy.loses_answer = once()
    await visitor.say(page, said[1])
    await expect(saving(visitor.message(page, said[1]))).to_have_count(0)

    await visitor.go(page, "Inbox")
    await visitor.address(page, friend.name)
    await visitor.message_field(page).fill(said[2])
    await page.get_by_test_id("stChatInputSubmitButton").dblclick()
    await expect(visitor.conversation(page).get_by_text(said[2], exact=True)).to_have_count(1)
    await expect(visitor.conversation(page)).to_contain_text("· sent")
    await expect(page.get_by_role("alert")).to_have_count(0)

    rows = me.client.table("tavern_messages").select("body").eq("author_id", me.user_id)
    assert rows.order("created_at").execute().data == [{"body": said[0]}, {"body": said[1]}]
    sent = me.client.table("private_messages").select("body").eq("sender_id", me.user_id).execute()
    assert sent.data == [{"body": said[2]}]


async def test_a_form_stays_with_its_text_until_the_database_has_confirmed_it(
    castaway: tuple[Window, Person], proxy: FaultProxy
) -> None:
    page = castaway[0].page
    await visitor.go(page, "Your profile")
    await page.get_by_label("About you").fill("Words worth keeping")
    await page.get_by_label("Avatar", exact=True).fill("not an emoji")
    await visitor.form_button(page, "Save profile").click()
    await expect(page.get_by_role("alert")).to_contain_text("an emoji")
    await expect(page.get_by_label("About you")).to_have_value("Words worth keeping")

    await visitor.go(page, "Events")
    title = unique("Slow planning")
    await page.get_by_role("button", name="New event").click()
    await page.get_by_role("textbox", name="Title").fill(title)
    proxy.writes_stalled = True
    await visitor.form_button(page, "Create event").click()
    await expect(saving(visitor.event(page, title))).to_be_visible()
    await expect(visitor.form_button(page, "Create event")).to_be_disabled()
    proxy.refuse()
    proxy.writes_stalled = False
    await expect(page.get_by_role("alert")).to_contain_text("your text is kept")
    await expect(visitor.event(page, title)).to_have_count(0)
    await expect(page.get_by_role("textbox", name="Title")).to_have_value(title)
    # What is asked for before the badge knows that all is well again would be refused at once.
    await expect(visitor.badge(page)).to_contain_text("Offline")
    proxy.heal()
    await visitor.is_live(page)
    await visitor.form_button(page, "Create event").dblclick()
    await expect(visitor.event(page, title)).to_have_count(1)
    await expect(page.get_by_role("textbox", name="Title")).to_have_count(0)


def once() -> Callable[[], bool]:
    """Lose one answer."""
    lost = itertools.chain([True], itertools.repeat(False))
    return lambda: next(lost)
