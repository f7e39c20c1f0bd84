"""Takes the README's screenshots of the real app with the demo data: `make screenshots`."""

import asyncio
import tempfile
from pathlib import Path

from playwright.async_api import Browser, ViewportSize, expect

from bench.running import app_in, chromium
from tests.support import visitor
from tests.support.browser import PHONE, Scheme, Screen, Window, open_window, settled

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
WIDE = ViewportSize(width=1280, height=900)


def take() -> None:
    """Start the app with its own embedded Supabase and take the screenshots."""
    with tempfile.TemporaryDirectory(prefix="tavern-pictures-") as folder, app_in(Path(folder)) as app:
        asyncio.run(_take(app.url))


async def _take(url: str) -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    async with chromium() as browser:
        light = await _as(browser, url, "Bo, organizer", "light", WIDE)
        await _picture(light, "Tavern", "tavern")
        await _picture(light, "Inbox", "inbox")
        dark = await _as(browser, url, "Cy, member", "dark", WIDE)
        await _picture(dark, "Events", "events-dark")
        await visitor.go(dark.page, "Ratings")
        await dark.page.keyboard.press("n")
        await expect(dark.page.get_by_role("button", name="A is better")).to_be_visible()
        await _shoot(dark, "ratings-dark")
        admin = await _as(browser, url, "Ada, admin", "light", WIDE)
        await _picture(admin, "Activity", "activity")
        await visitor.go(admin.page, "Routing")
        await admin.page.get_by_role("radio", name="Totals").click()
        await expect(admin.page.get_by_text("All together")).to_be_visible()
        await expect(admin.page.locator("[data-testid=stVegaLiteChart] svg.marks").first).to_be_visible()
        await settled(admin.page)
        await _shoot(admin, "routing")
        phone = await _as(browser, url, "Cy, member", "light", PHONE)
        await expect(visitor.room_input(phone.page)).to_be_visible()
        await visitor.message(phone.page, "Already down the stairs.").scroll_into_view_if_needed()
        await phone.page.mouse.move(0, 0)
        await phone.page.screenshot(path=IMAGES / "phone.png")


async def _as(browser: Browser, url: str, person: str, scheme: Scheme, viewport: ViewportSize) -> Window:
    window = await open_window(browser, url, "/sign_in", Screen(scheme=scheme, viewport=viewport))
    await window.page.get_by_role("button", name=person).click()
    await visitor.is_signed_in(window.page)
    return window


async def _picture(window: Window, place: str, name: str) -> None:
    await visitor.go(window.page, place)
    await _shoot(window, name)


async def _shoot(window: Window, name: str) -> None:
    await visitor.is_live(window.page)
    await expect(window.page.get_by_test_id("stSkeleton")).to_have_count(0)
    await window.page.mouse.move(0, 0)
    await window.page.screenshot(path=IMAGES / f"{name}.png")


if __name__ == "__main__":
    take()
