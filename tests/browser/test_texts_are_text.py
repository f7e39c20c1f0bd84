"""Text from people is shown as they wrote it on every page, and never becomes part of the page."""

import re
from collections.abc import Sequence

import pytest
from playwright.async_api import Locator, Page, expect

from local_supabase.stack.runtime import StackInfo
from tests.browser.conftest import OpenWindow
from tests.support import visitor
from tests.support.people import Person, give_role, sign_up, unique

HOSTILE = (
    "<script>window.hurt = 1</script>",
    "<img src=x onerror='window.hurt = 1'>",
    "<svg onload=window.hurt=1>",
    "[click](javascript:window.hurt=1)",
    "![x](https://leak.example/x.png)",
    "**bold** :red[red] $x^2$ `code` :smile: :material/home:",
    "</div></article><iframe srcdoc='<script>parent.hurt=1</script>'>",
    "\"'><b onmouseover=window.hurt=1>hover</b>&lt;&amp;",
)

# The app may put this invisible character into labels, so that Markdown leaves the text alone.
_JOINER = "\u2060"


async def _visible(place: Locator) -> str:
    return (await place.inner_text()).replace(_JOINER, "")


async def _shows_literally(place: Locator, texts: Sequence[str]) -> None:
    for text in texts:
        await expect(place).to_contain_text(re.compile(_pattern(text)))


def _pattern(text: str) -> str:
    return f"{_JOINER}?".join(re.escape(character) for character in text)


async def _injected(page: Page) -> list[str]:
    """Return what the texts have done to the page: elements that they became, and a script that ran."""
    selector = (
        "script:not([src]), iframe[srcdoc], img[src=x], svg[onload], a[href^='javascript:'], img[src*='leak']"
    )
    elements = await page.get_by_test_id("stMain").locator(selector).all()
    ran = await page.evaluate("window.hurt") is not None
    return [str(await each.evaluate("element => element.outerHTML")) for each in elements] + ["ran"] * ran


@pytest.fixture
def writer(stack: StackInfo) -> Person:
    return sign_up(stack, "Mallory")


async def test_in_the_common_room(open_window: OpenWindow, writer: Person) -> None:
    window = await open_window()
    texts = [f"{unique('say')} {text}" for text in HOSTILE]
    rows = [{"author_id": writer.user_id, "body": text} for text in texts]
    writer.client.table("tavern_messages").insert(rows).execute()
    await _shows_literally(window.page.get_by_role("log"), texts)
    assert await _injected(window.page) == []


async def test_in_names_and_bios(open_window: OpenWindow, stack: StackInfo) -> None:
    window = await open_window("/people")
    for number, text in enumerate(HOSTILE):
        person = sign_up(stack, f"Mallory {number}")
        name = f"{text[:48]} {person.user_id[:8]}"
        values = {"display_name": name, "bio": text}
        person.client.table("users").update(values).eq("id", person.user_id).execute()
        person.client.table("tavern_messages").insert({"author_id": person.user_id, "body": "hi"}).execute()
        await window.page.get_by_label("Search").fill(person.user_id[:8])
        await window.page.get_by_label("Search").press("Enter")
        await _shows_literally(window.page.get_by_test_id("stMain"), [name, text])
        assert await _injected(window.page) == []
    await visitor.go(window.page, "Tavern")
    await _shows_literally(window.page.get_by_role("log"), [name])
    assert await _injected(window.page) == []


async def test_in_events(open_window: OpenWindow, writer: Person) -> None:
    window = await open_window("/events")
    titles = [f"{text[:100]} {unique('title')}" for text in HOSTILE]
    rows = [
        {
            "title": title,
            "description": text,
            "location": text,
            "starts_at": "2031-01-01T18:00:00Z",
            "ends_at": "2031-01-01T20:00:00Z",
            "time_zone": "Europe/Berlin",
            "organizer_id": writer.user_id,
        }
        for title, text in zip(titles, HOSTILE, strict=True)
    ]
    writer.client.table("events").insert(rows).execute()
    await _shows_literally(window.page.get_by_test_id("stMain"), titles)
    assert await _injected(window.page) == []


async def test_in_private_messages(open_window: OpenWindow, stack: StackInfo, writer: Person) -> None:
    reader = sign_up(stack, "Reader")
    window = await open_window(person=reader)
    rows = [{"sender_id": writer.user_id, "recipient_id": reader.user_id, "body": text} for text in HOSTILE]
    writer.client.table("private_messages").insert(rows).execute()
    await visitor.go(window.page, "Inbox")
    await visitor.open_conversation(window.page, writer.name)
    await _shows_literally(visitor.conversation(window.page), HOSTILE)
    assert await _injected(window.page) == []


async def test_in_the_activity(open_window: OpenWindow, stack: StackInfo, writer: Person) -> None:
    admin = sign_up(stack, "Admin")
    give_role(stack, admin.user_id, "admin")
    window = await open_window(person=admin)
    await visitor.go(window.page, "Activity")
    for text in HOSTILE:
        writer.client.table("users").update({"bio": text}).eq("id", writer.user_id).execute()
    await _shows_literally(window.page.get_by_test_id("stMain"), HOSTILE)
    assert await _injected(window.page) == []
