"""The events for calendars and search engines, read by an independent parser of iCalendar."""

from typing import Any, cast

import httpx
from icalendar import Calendar

from api import calendars
from tests.support.app import AppUnderTest
from tests.support.people import Person, unique
from tests.support.wait import wait_for


def new_event(host: Person, **values: object) -> dict[str, str]:
    row = {
        "title": unique("Quiz; with, marks"),
        "organizer_id": host.user_id,
        "starts_at": "2031-07-07T18:30:00Z",
        "ends_at": "2031-07-07T20:30:00Z",
        "time_zone": "Europe/Berlin",
    }
    [made] = host.client.table("events").insert({**row, **values}).execute().data
    return cast("dict[str, str]", made)


def calendar(server: AppUnderTest, path: str) -> Any:
    answer = httpx.get(f"{server.url}/api/{path}").raise_for_status()
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    return Calendar.from_ical(answer.content)


def test_a_calendar_follows_an_event_and_its_cancellation(server: AppUnderTest, ann: Person) -> None:
    made = new_event(ann, description="Bring a spoon.", location="Cellar")
    uid = f"{made['id']}@tavern"

    def entry() -> dict[str, object] | None:
        found = calendar(server, "events.ics").events
        return next((dict(one) for one in found if one["UID"] == uid), None)

    wait_for(lambda: entry() is not None, what="the event in the calendar")
    [event] = calendar(server, f"events/{made['id']}.ics").events
    assert (str(event["SUMMARY"]), str(event["LOCATION"]), str(event["STATUS"])) == (
        made["title"],
        "Cellar",
        "CONFIRMED",
    )
    assert event.start.isoformat() == "2031-07-07T20:30:00+02:00"
    assert str(event["URL"]) == f"{server.url}/event?id={made['id']}"
    assert [str(alarm["ACTION"]) for alarm in event.walk("VALARM")] == ["DISPLAY"]
    sequence = event["SEQUENCE"]

    change = {"cancelled_at": "2031-01-01T00:00:00Z", "cancel_reason": "The cook is ill."}
    ann.client.table("events").update(change).eq("id", made["id"]).execute()
    wait_for(lambda: str((entry() or {}).get("STATUS")) == "CANCELLED", what="the cancellation")
    [event] = calendar(server, f"events/{made['id']}.ics").events
    assert "Cancelled: The cook is ill." in str(event["DESCRIPTION"])
    assert event["SEQUENCE"] > sequence
    assert event.walk("VALARM") == []


def test_the_listing_speaks_schema_org(server: AppUnderTest, ann: Person) -> None:
    made = new_event(ann, capacity=3)
    ann.client.table("rsvps").insert({"event_id": made["id"], "status": "going", "guests": 1}).execute()

    def listed() -> dict[str, object]:
        answer = httpx.get(f"{server.url}/api/events.json").raise_for_status()
        assert answer.headers["content-type"] == "application/ld+json"
        return next((one for one in answer.json() if one["identifier"] == made["id"]), {})

    wait_for(lambda: listed().get("remainingAttendeeCapacity") == 1, what="the answer to be counted")
    event = listed()
    assert (event["@type"], event["startDate"]) == ("Event", "2031-07-07T20:30:00+02:00")
    assert event["eventStatus"] == "https://schema.org/EventScheduled"
    assert event["organizer"] == {"@type": "Person", "name": ann.name}


def test_an_event_that_is_not_there_and_no_id_are_told(server: AppUnderTest) -> None:
    missing = httpx.get(f"{server.url}/api/events/00000000-0000-4000-8000-000000000000.ics")
    assert (missing.status_code, missing.headers["content-type"]) == (404, "application/problem+json")
    assert httpx.get(f"{server.url}/api/events/nonsense.ics").status_code == 422


def test_invented_names_of_hosts_get_no_files_of_their_own(server: AppUnderTest) -> None:
    for number in range(calendars._MOST_HOMES + 2):
        answer = httpx.get(f"{server.url}/api/events.json", headers={"host": f"h{number}.example"})
        assert answer.is_success or answer.status_code in (400, 403, 421)
    last = httpx.get(f"{server.url}/api/events.json", headers={"host": "last.example"})
    assert "last.example" not in last.text
