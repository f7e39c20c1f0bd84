"""No page has a fault that axe finds, in both color schemes, on a wide screen and on a phone."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.async_api import Page

from local_supabase.stack.runtime import StackInfo
from tests.browser.conftest import OpenWindow
from tests.support import visitor
from tests.support.browser import DESKTOP, PHONE, settled
from tests.support.people import Person, give_role, sign_up, unique

# Faults alone, without a description of all that is well.
_FAULTS = {"resultTypes": ["violations"]}
# Off by default, because it is new.
_RULES = {"rules": {"label-content-name-mismatch": {"enabled": True}}, **_FAULTS}
_CONTRAST = {"runOnly": ["color-contrast"], **_FAULTS}
_WAYS = (
    (DESKTOP, "light", _RULES),
    # Another scheme changes nothing but colors, and another width none of them.
    (DESKTOP, "dark", _CONTRAST),
    (PHONE, "dark", _RULES),
)
_STREAMLITS = ("presentation-role-conflict", 'data-testid="stFileUploaderDropzone"')
"""A fault of Streamlit's own: the field for files can be focused, and says that it is nothing."""
_SCHEME = "scheme => getComputedStyle(document.querySelector('[data-testid=stApp]')).colorScheme === scheme"


async def faults(page: Page) -> list[str]:
    """Return what axe finds on this page, whichever way it is looked at."""
    found: dict[str, None] = {}
    await page.evaluate(AXE_SCRIPT)
    for viewport, scheme, options in _WAYS:
        await page.set_viewport_size(viewport)
        await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        await page.wait_for_function(_SCHEME, arg=scheme)
        await settled(page)
        result: Mapping[str, Any] = await page.evaluate(f"axe.run({json.dumps(options)})")
        for violation in result["violations"]:
            for node in violation["nodes"]:
                if violation["id"] == _STREAMLITS[0] and _STREAMLITS[1] in node["html"]:
                    continue
                where = f"{viewport['width']} px, {scheme}"
                found[f"{violation['id']}: {node['html'][:200]} ({where}) {node['failureSummary']}"] = None
    await page.set_viewport_size(DESKTOP)
    return list(found)


async def test_no_page_for_visitors_has_a_fault(open_window: OpenWindow) -> None:
    window = await open_window()
    for name in ("Sign in", "Create account", "Inbox"):
        await visitor.go(window.page, name)
        assert await faults(window.page) == [], name


@pytest.mark.timeout(600)  # eleven pages, each looked at in three ways
async def test_no_page_for_members_has_a_fault(open_window: OpenWindow, stack: StackInfo) -> None:
    me, other = sign_up(stack, "Everywhere"), sign_up(stack, "Other")
    give_role(stack, me.user_id, "admin")
    run = _leave_something(me, other)
    window = await open_window(person=me)
    page = window.page
    for name in (
        "Home",
        "Tavern",
        "Events",
        "People",
        "Inbox",
        "Agents",
        "Routing",
        "Ratings",
        "Leaderboard",
    ):
        await visitor.go(page, name)
        await visitor.is_live(page)
        assert await faults(page) == [], name
    for name in ("Activity", "Diagnostics"):
        await visitor.go(page, name)
        assert await faults(page) == [], name
    opened = await window.open_tab(f"/agents?run={run}")
    await visitor.is_live(opened)
    assert await faults(opened) == [], "a run"


def _leave_something(me: Person, other: Person) -> str:
    """Leave a message, an event and a run of an agent; return the id of the run."""
    message = {"sender_id": other.user_id, "recipient_id": me.user_id, "body": unique("Hello")}
    other.client.table("private_messages").insert(message).execute()
    times = {"starts_at": "2031-01-01T18:00:00Z", "ends_at": "2031-01-01T20:00:00Z", "time_zone": "UTC"}
    event = {"title": unique("Party"), "organizer_id": me.user_id, **times}
    me.client.table("events").insert(event).execute()
    run = {"id": str(uuid4()), "user_id": me.user_id, "agent_name": "checker", "agent_id": "checker-1"}
    texts = {"status": "in_progress", "current_step": "Reading", "metadata": {"branch": "main"}}
    me.client.table("agent_runs").insert({**run, **texts}).execute()
    log = {
        "run_id": run["id"],
        "user_id": me.user_id,
        "seq": 1,
        "kind": "log",
        "level": "info",
        "message": "hm",
    }
    me.client.table("agent_run_events").insert(log).execute()
    return run["id"]
