"""Pictures of people, as browsers get them from the server."""

from __future__ import annotations

import uuid

import httpx
import pytest
from PIL import Image

from api.backend import Backend
from api.pictures import Pictures
from tests.api.test_calendars import new_event
from tests.support.app import AppUnderTest
from tests.support.people import Person
from tests.support.pictures import halves, written
from tests.support.wait import wait_for

CONTENT = written(halves(64, 64), "WEBP")


def put(person: Person, content: bytes, *, show: bool = True) -> str:
    """Store a picture with the person's own token, as nobody can keep them from doing."""
    picture = str(uuid.uuid4())
    files = person.client.storage.from_("avatars")
    files.upload(f"{person.user_id}/{picture}.webp", content, {"content-type": "image/webp"})
    if show:
        change = {"picture": picture}
        person.client.table("users").update(change).eq("id", person.user_id).execute()
    return picture


def test_the_picture_of_an_event_is_sent_while_it_shows_it(server: AppUnderTest, ann: Person) -> None:
    made, picture = new_event(ann), str(uuid.uuid4())
    path = f"{made['id']}/{picture}.webp"
    files = ann.client.storage.from_("event-pictures")
    files.upload(path, CONTENT, {"content-type": "image/webp"})
    address = f"{server.url}/event-pictures/{path}"
    assert httpx.get(address).status_code == 404

    events = ann.client.table("events")
    events.update({"picture": picture}).eq("id", made["id"]).execute()
    wait_for(lambda: httpx.get(address).is_success, what="the server to know of the picture")
    assert httpx.get(address).content == CONTENT
    page = httpx.get(f"{server.url}/event?id={made['id']}").text
    assert f'<meta property="og:image" content="{address}">' in page

    # The file goes with the last row that names it.
    events.update({"picture": None}).eq("id", made["id"]).execute()
    wait_for(lambda: httpx.get(address).status_code == 404, what="the picture to be gone")
    assert files.list(str(made["id"])) == []


def get(server: AppUnderTest, person: Person, picture: str) -> httpx.Response:
    return httpx.get(f"{server.url}/avatars/{person.user_id}/{picture}.webp")


def test_a_picture_that_is_shown_can_be_kept_by_browsers_for_good(server: AppUnderTest, ann: Person) -> None:
    picture = put(ann, CONTENT)
    wait_for(lambda: get(server, ann, picture).is_success, what="the server to know of the picture")
    answer = get(server, ann, picture)
    assert answer.content == CONTENT
    assert answer.headers["content-type"] == "image/webp"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "default-src 'none'"
    assert httpx.head(str(answer.url)).status_code == 200

    ann.client.table("users").update({"picture": None}).eq("id", ann.user_id).execute()
    wait_for(lambda: get(server, ann, picture).status_code == 404, what="the picture to be gone")


@pytest.mark.parametrize(
    "content",
    [
        b"<script>alert(1)</script>",
        written(Image.new("RGB", (4000, 4000)), "WEBP"),
        written(halves(64, 64), "WEBP", save_all=True, append_images=[halves(64, 64).rotate(90)]),
        written(halves(64, 64), "PNG"),
    ],
    ids=["script", "many pixels", "moving", "png"],
)
def test_what_people_store_themselves_is_sent_only_if_it_is_a_small_still(
    server: AppUnderTest, bob: Person, content: bytes
) -> None:
    proper = put(bob, CONTENT)
    wait_for(lambda: get(server, bob, proper).is_success, what="the server to know of the picture")
    other = put(bob, content)
    wait_for(lambda: get(server, bob, proper).status_code == 404, what="the server to know of the other")
    answer = get(server, bob, other)
    assert (answer.status_code, answer.headers["cache-control"]) == (404, "no-store")
    bob.client.table("users").update({"picture": None}).eq("id", bob.user_id).execute()
    keys = [f"{bob.user_id}/{picture}.webp" for picture in (proper, other)]
    bob.client.storage.from_("avatars").remove(keys)


def test_only_what_a_profile_shows_is_asked_of_storage(
    server: AppUnderTest, ann: Person, bob: Person
) -> None:
    hidden = put(ann, CONTENT, show=False)
    assert get(server, ann, hidden).status_code == 404
    assert get(server, bob, hidden).status_code == 404
    for path in ("x/y.webp", f"{ann.user_id}/x.webp", f"{ann.user_id}/..%2f..%2fx.webp", f"{hidden}.webp"):
        answer = httpx.get(f"{server.url}/avatars/{path}")
        assert answer.headers.get("content-type") != "image/webp", path


def test_below_a_base_path_they_are_there() -> None:
    def no_backend() -> Backend:
        raise AssertionError

    routes = Pictures(no_backend, "avatars").routes("/house/")
    assert [route.path for route in routes] == ["/house/avatars/{user}/{file}"]
