"""A full event has a waitlist, whose people move up as soon as a place is free."""

import csv
from typing import cast

import httpx
from playwright.async_api import Locator, Page, expect

from db.columns import Record
from local_supabase.stack.runtime import StackInfo
from tests.browser.conftest import OpenWindow
from tests.support.app import AppUnderTest
from tests.support.browser import PHONE
from tests.support.people import Person, sign_up, unique
from tests.support.wait import wait_for
from tests.verify.cast import owner

_TIMES = {"starts_at": "2030-11-07T18:30:00Z", "ends_at": "2030-11-07T20:30:00Z"}


def one_chair(host: Person) -> dict[str, str]:
    """Make an event with one place; return its row."""
    row = {"title": unique("One chair"), "organizer_id": host.user_id, "capacity": 1, **_TIMES}
    [made] = host.client.table("events").insert(row).execute().data
    return cast("dict[str, str]", made)


def button(place: Locator, name: str) -> Locator:
    return place.get_by_role("button", name=name, exact=True)


async def test_people_wait_move_up_confirm_and_make_room(open_window: OpenWindow, stack: StackInfo) -> None:
    host, first, cleo, dora = (sign_up(stack, name) for name in ("Ann", "Bela", "Cleo", "Dora"))
    chair = one_chair(host)
    answer = {"event_id": chair["id"], "status": "going"}
    first.client.table("rsvps").insert(answer).execute()
    windows = [
        await open_window("/events", person=cleo),
        await open_window(f"/event?id={chair['id']}", person=dora, viewport=PHONE),
    ]
    pages: list[Page] = [window.page for window in windows]
    cards = [page.locator(f'article[data-row="{chair["id"]}"]') for page in pages]

    for card, place in zip(cards, ("1st", "2nd"), strict=True):
        await expect(button(card, "Going")).to_have_count(0)
        await button(card, "Join the waitlist").click()
        await expect(card).to_contain_text(f"You are {place} on the waitlist.")
        await expect(button(card, "On the waitlist")).to_have_attribute("aria-pressed", "true")
    await expect(cards[0]).to_contain_text("full · 2 waiting")

    first.client.table("rsvps").delete().eq("user_id", first.user_id).execute()
    offer = pages[0].get_by_role("status").filter(has_text="You have a place at")
    await expect(offer).to_contain_text(chair["title"])
    await expect(cards[1]).to_contain_text("You are 1st on the waitlist.")
    await button(cards[0], "Confirm my place").click()
    await expect(offer).to_have_count(0)
    await expect(button(cards[0], "Going")).to_have_attribute("aria-pressed", "true")

    def unconfirmed() -> list[str]:
        rows = cleo.client.table("rsvps").select("confirm_by").eq("user_id", cleo.user_id).execute().data
        return [str(cast("Record", row)["confirm_by"]) for row in rows]

    wait_for(lambda: unconfirmed() == ["None"], what="the confirmation")
    await expect(button(cards[0], "+ 1 guest")).to_have_count(0)
    await button(cards[0], "Take back my answer").click()
    await expect(pages[1].get_by_role("status").filter(has_text="You have a place at")).to_be_visible()
    await expect(cards[1]).to_contain_text("You have a place from the waitlist, without guests. Confirm it")
    host.client.table("events").update({"capacity": 3}).eq("id", chair["id"]).execute()
    await button(cards[1], "+ 1 guest").click()
    await expect(cards[1]).to_contain_text("You come with 1 guest.")
    await expect(pages[1].get_by_test_id("stMain")).to_contain_text("1 with 1 guest · 1 place left")

    # Who becomes a host gets the answers as a file, and nobody else does.
    export = pages[1].get_by_role("button", name="Export answers")
    await expect(export).to_have_count(0)
    host.client.table("event_cohosts").insert({"event_id": chair["id"], "user_id": dora.user_id}).execute()
    async with pages[1].expect_download() as started:
        await export.click()
    with (await (await started.value).path()).open(encoding="utf-8-sig", newline="") as file:
        answers = list(csv.reader(file))
    assert [line[:3] for line in answers] == [["name", "answer", "guests"], [dora.name, "going", "1"]]


async def test_the_app_passes_on_a_place_that_nobody_confirms(app: AppUnderTest, stack: StackInfo) -> None:
    wait_for(lambda: httpx.get(f"{app.url}/api/health").is_success, within=60, what="the app to be live")
    host, first, late, next_ = (sign_up(stack, name) for name in ("Ann", "Bela", "Cleo", "Dora"))
    chair = one_chair(host)
    for person, status in ((first, "going"), (late, "waitlisted"), (next_, "waitlisted")):
        person.client.table("rsvps").insert({"event_id": chair["id"], "status": status}).execute()
    first.client.table("rsvps").delete().eq("user_id", first.user_id).execute()
    with owner(stack) as cursor:
        cursor.execute("select set_config('waitlist.moves_up', 'yes', true)")
        cursor.execute(
            "update public.rsvps set confirm_by = now() - interval '1 minute' where user_id = %s",
            (late.user_id,),
        )

    def answers() -> dict[str, str]:
        rows = host.client.table("rsvps").select("user_id, status").eq("event_id", chair["id"]).execute().data
        return {str(row["user_id"]): str(row["status"]) for row in cast("list[Record]", rows)}

    expected = {late.user_id: "waitlisted", next_.user_id: "going"}
    wait_for(lambda: answers() == expected, within=60, what="the place to go to the next in line")
