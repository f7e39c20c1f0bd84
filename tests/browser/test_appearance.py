"""Appearance: the viewer's time zone, a phone, the dark scheme."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import expect

from local_supabase.stack.runtime import StackInfo
from tests.browser.conftest import OpenWindow
from tests.support import visitor
from tests.support.browser import PHONE, Scheme
from tests.support.people import sign_up, unique


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
        clock = f"{starts.astimezone(ZoneInfo(zone)):%H:%M}"
        await expect(visitor.event(window.page, title)).to_contain_text(clock)


async def test_a_phone_shows_every_page_without_sideways_scrolling(open_window: OpenWindow) -> None:
    for path in ("/", "/events", "/people", "/inbox", "/sign_in", "/create_account"):
        window = await open_window(path, viewport=PHONE)
        await visitor.is_live(window.page)
        sideways = "document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth"
        assert await window.page.evaluate(sideways) == 0
        main = "(() => { const m = document.querySelector('[data-testid=stMain]');"
        assert await window.page.evaluate(f"{main} return m.scrollWidth - m.clientWidth }})()") == 0


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
    await page.goto(f"{window.url}/no-such-page?next=1")
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
