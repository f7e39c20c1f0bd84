"""A link to an event has a preview, made by a program that runs no script."""

import re
from html import unescape

import httpx
import pytest
from starlette.types import Scope

from api.backend import Backend
from api.errors import ServiceUnavailableError
from api.previews import EventPreviews, event_in, preview_of, site_of
from tests.api.test_calendars import new_event
from tests.support.app import AppUnderTest
from tests.support.people import Person
from tests.support.wait import wait_for
from tests.ui.samples import event, user

ID = "0f8fad5b-d9cb-469f-a165-70867728950e"


def tags(server: AppUnderTest, path: str) -> dict[str, str]:
    """Return the content of the tags in the head of a page, by their names."""
    head = httpx.get(f"{server.url}/{path}").raise_for_status().text.partition("</head>")[0]
    found = re.findall(r'<meta (?:name|property)="([^"]+)" content="([^"]*)">', head)
    return {name: unescape(content) for name, content in found}


def test_the_page_of_an_event_names_it_in_its_head(server: AppUnderTest, ann: Person) -> None:
    made = new_event(ann, description='Bring <b>soup</b> & "bread".', location="Cellar")
    path = f"event?id={made['id']}"
    wait_for(lambda: "og:title" in tags(server, path), what="the preview")
    shown = tags(server, path)
    assert shown["og:title"] == made["title"]
    when = "Monday, 7 July 2031, 20:30 (Europe/Berlin)"
    assert shown["og:description"] == f'{when} · Cellar. Bring <b>soup</b> & "bread".'
    assert shown["description"] == shown["og:description"]
    for other in ("events", f"event?id={ID}", "event?id=x", "event", f"person?id={made['id']}"):
        assert "og:title" not in tags(server, other)

    change = {"cancelled_at": "2031-01-01T00:00:00Z", "cancel_reason": "Ill."}
    ann.client.table("events").update(change).eq("id", made["id"]).execute()
    cancelled = f"Cancelled: {made['title']}"
    wait_for(lambda: tags(server, path)["og:title"] == cancelled, what="the cancellation")
    ann.client.table("events").delete().eq("id", made["id"]).execute()
    wait_for(lambda: "og:title" not in tags(server, path), what="the deletion")


def test_the_picture_of_an_event_has_a_whole_address() -> None:
    party = event("Ball", user("Ann"), picture=ID)
    site = "https://tavern.example/house/"
    assert preview_of(party, site).image == f"{site}event-pictures/{party.id}/{ID}.webp"
    assert preview_of(event("Ball", user("Ann")), site).image == ""
    assert preview_of(party, "").image == ""


@pytest.mark.parametrize(
    ("headers", "site"),
    [
        ({"host": "tavern.example:8501"}, "http://tavern.example:8501/house/"),
        ({"host": "tavern.example", "x-forwarded-proto": "https, http"}, "https://tavern.example/house/"),
        ({"host": "tavern.example", "x-forwarded-proto": "javascript"}, "http://tavern.example/house/"),
        ({"host": 'x"><script>'}, ""),
        ({}, ""),
    ],
)
def test_the_address_of_the_site_is_the_one_that_was_asked(headers: dict[str, str], site: str) -> None:
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    assert site_of({**asked("/house/event", ""), "scheme": "http", "headers": raw}) == site


def asked(path: str, query: str) -> Scope:
    return {"type": "http", "path": path, "query_string": query.encode()}


@pytest.mark.parametrize(
    ("path", "query", "found"),
    [
        ("/event", f"id={ID}", ID),
        ("/house/event", f"x=1&id={ID.upper()}", ID),
        ("/event", f"id={ID}&id={ID}", None),
        ("/event", f"id={{{ID}}}", None),
        ("/event", "", None),
        ("/event", "id=%ff%00", None),
        ("/events", f"id={ID}", None),
    ],
)
def test_only_the_page_of_an_event_names_one(path: str, query: str, found: str | None) -> None:
    assert event_in(asked(path, query)) == found


def test_a_query_of_many_fields_names_no_event() -> None:
    assert event_in(asked("/event", f"id={ID}&" * 100)) is None


async def test_a_page_is_sent_without_a_preview_while_there_is_no_database() -> None:
    tried: list[int] = []

    def failing() -> Backend:
        tried.append(1)
        raise ServiceUnavailableError

    previews = EventPreviews(failing)
    assert await previews(asked("/event", f"id={ID}")) is None
    assert await previews(asked("/event", f"id={ID}")) is None
    assert len(tried) == 2
    assert await previews(asked("/events", "")) is None
    assert len(tried) == 2


def test_a_long_description_is_shortened_between_two_words() -> None:
    preview = preview_of(event("Feast", user("Ann"), description="soup, bread, " * 40))
    assert re.search("(soup|bread)…$", preview.description)
    assert len(preview.description) < 260
