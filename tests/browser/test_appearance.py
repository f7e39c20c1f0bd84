"""Appearance: the viewer's time zone, a phone, the dark scheme."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Page, ViewportSize, expect

from local_supabase.stack.runtime import StackInfo
from tests.browser.conftest import OpenWindow
from tests.support import visitor
from tests.support.browser import PHONE, Scheme, settled
from tests.support.people import sign_up, unique

NOTEBOOK, WIDE = ViewportSize(width=1440, height=900), ViewportSize(width=1920, height=1080)


async def test_everybody_reads_times_in_their_own_zone(open_window: OpenWindow, stack: StackInfo) -> None:
    organizer = sign_up(stack, "Organizer")
    title = unique("Eclipse")
    starts = datetime.now(UTC).replace(hour=15, minute=7, second=0, microsecond=0) + timedelta(days=2)
    organizer.client.table("events").insert(
        {
            "title": title,
            "starts_at": starts.isoformat(),
            "ends_at": (starts + timedelta(hours=1)).isoformat(),
            "time_zone": "Europe/London",
            "organizer_id": organizer.user_id,
        }
    ).execute()
    for zone in ("America/New_York", "Asia/Kolkata", "Pacific/Auckland"):
        window = await open_window("/events", time_zone=zone)
        clock = f"{starts.astimezone(ZoneInfo(zone)):%I:%M %p}".removeprefix("0")
        await expect(visitor.event(window.page, title)).to_contain_text(clock)


AS_HIGH_AS_THE_WINDOW = ("", "sign_in", "create_account")
# How far each part of a page can be scrolled: its box, and its content.
_ROOMS = """() => {
  const main = document.querySelector('[data-testid=stMain]');
  const scrolls = (part) => /auto|scroll/.test(getComputedStyle(part).overflowY) && part.clientHeight > 0
    && part.scrollHeight > part.clientHeight + 1;
  return {
    sideways: Math.max(...[document.scrollingElement, main].map((e) => e.scrollWidth - e.clientWidth)),
    window: document.scrollingElement.scrollHeight - innerHeight,
    page: main.scrollHeight - innerHeight,
    inner: [...main.querySelectorAll('*')].filter(scrolls).map((part) => part.className),
    width: document.querySelector('.stMainBlockContainer').clientWidth / main.clientWidth,
    text: Math.max(0, ...[...document.querySelectorAll('.tv-text, .tv-body')].map((e) => e.clientWidth)),
  }
}"""


async def _misfits(page: Page, url: str, place: str) -> list[str]:
    """Return what does not fit in a window of one of the sizes at this page."""
    await page.goto(f"{url}/{place}")
    await visitor.is_live(page)
    await settled(page)
    found = []
    for viewport in (PHONE, NOTEBOOK, WIDE):
        await page.set_viewport_size(viewport)
        await page.wait_for_function("width => innerWidth === width", arg=viewport["width"])
        rooms = await page.evaluate(_ROOMS)
        fits = {
            "nothing scrolls sideways": rooms["sideways"] == 0,
            "one part scrolls": rooms["window"] == 0 and (rooms["page"] <= 0 or rooms["inner"] == []),
            "the page is as high as the window": rooms["page"] <= 0 or place not in AS_HIGH_AS_THE_WINDOW,
            "a wide screen is used": rooms["width"] > 0.8,
            "lines are short enough to read": rooms["text"] <= 960,
        }
        found += [f"/{place} at {viewport['width']} px: {rule}" for rule, holds in fits.items() if not holds]
    return found


async def test_only_one_part_of_a_page_scrolls(open_window: OpenWindow) -> None:
    window = await open_window()
    page = window.page
    await expect(page.get_by_role("link", name="Join in")).to_be_visible()
    for place in ("", "sign_in", "create_account"):
        assert await _misfits(page, window.url, place) == []
    await visitor.create_account(page, "Scroller")
    for place in ("", "home", "inbox", "events", "people", "agents", "ratings", "leaderboard"):
        assert await _misfits(page, window.url, place) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_scheme_of_the_device_is_followed(open_window: OpenWindow, scheme: Scheme) -> None:
    window = await open_window(scheme=scheme)
    await visitor.is_live(window.page)
    color = "getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor"
    background = await window.page.evaluate(color)
    brightness = sum(int(part) for part in background.strip("rgb()").split(",")[:3])
    assert (brightness > 3 * 128) == (scheme == "light")


async def test_every_address_leads_to_a_page_of_the_app(open_window: OpenWindow) -> None:
    # Before the first run of a process, Streamlit looks for the address among the files in `pages/`.
    window = await open_window()
    page = window.page
    for path in ("nowhere", "no-such-page?next=1"):
        await page.goto(f"{window.url}/{path}")
        await expect(visitor.heading(page)).to_have_text("Not found")
    await expect(page).to_have_title("Not found · Tavern")
    await visitor.is_live(page)
    await page.get_by_test_id("stMain").get_by_role("link", name="Go to the common room").click()
    await expect(visitor.heading(page)).to_have_text("The common room")
    await page.goto(f"{window.url}/tavern")
    await expect(visitor.heading(page)).to_have_text("The common room")
    await visitor.is_live(page)
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(page.get_by_text("Page not found")).to_have_count(0)
