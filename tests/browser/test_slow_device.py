"""A slow device in a busy room: somebody switches pages while changes arrive, and every page is complete."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.async_api import Page, expect

from local_supabase.stack.runtime import StackInfo
from tests.browser.conftest import OpenWindow
from tests.support import visitor
from tests.support.browser import PATIENCE
from tests.support.people import Person, sign_up, unique

SLOWER = 6  # times slower than this machine
PACE = 0.05  # seconds between two changes


@contextmanager
def busy_room(person: Person) -> Iterator[None]:
    """Change something that every page shows, over and over, for the block."""
    stop = threading.Event()

    def change() -> None:
        while not stop.wait(PACE):
            person.client.table("users").update({"bio": unique("Busy")}).eq("id", person.user_id).execute()

    writer = threading.Thread(target=change)
    writer.start()
    try:
        yield
    finally:
        stop.set()
        writer.join()


async def _slow_down(page: Page) -> None:
    devtools = await page.context.new_cdp_session(page)
    await devtools.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})


async def test_every_page_is_complete(open_window: OpenWindow, stack: StackInfo) -> None:
    person = sign_up(stack, "Busybody")
    window = await open_window()
    await _slow_down(window.page)
    with busy_room(person):
        for place in ("Events", "People", "Tavern"):
            await visitor.navigation(window.page, place).click()
            title = visitor.title_of(place)
            # More patience than for other devices, which a busy machine slows down as well.
            await expect(visitor.heading(window.page)).to_have_text(title, timeout=2 * PATIENCE)
    await visitor.is_live(window.page)
    assert window.problems == []
    # The page stays slow.
    await window.context.close()
