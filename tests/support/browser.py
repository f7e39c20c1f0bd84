"""Drive real browsers: one Chromium per test run and one context per person, which records every frame."""

import json
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    ViewportSize,
    WebSocket,
    async_playwright,
    expect,
)
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.support.chromium import FLAGS, ensure_chromium

# Generous, so that a busy machine does not fail a test. What is waited for usually takes milliseconds.
PATIENCE = 30_000  # milliseconds
DESKTOP = ViewportSize(width=1280, height=900)
PHONE = ViewportSize(width=390, height=844)
Scheme = Literal["light", "dark"]
DRIVER_CHANGES = Path(__file__).with_name("playwright_driver.cjs")

Prepare = Callable[[BrowserContext], Awaitable[None]]
"""Gives a window what it has before it opens the app, such as the cookie of a sign-in."""

expect.set_options(timeout=PATIENCE)


@dataclass(frozen=True, slots=True)
class Screen:
    """How a window shows pages."""

    time_zone: str = "Europe/Berlin"
    scheme: Scheme = "light"
    viewport: ViewportSize = field(default_factory=lambda: DESKTOP)


@dataclass  # no slots, because Playwright stores its wrapper of a bound handler on the instance
class Window:
    """One person's browser, with its own cookies, time zone and color scheme, and any number of tabs.

    `sent` and `received` hold every websocket frame of all tabs. `problems` holds every error that a page
    threw or wrote to its console.
    """

    context: BrowserContext
    url: str
    sent: list[bytes] = field(default_factory=list)
    received: list[bytes] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    _handlers: list[tuple[Page, str, Callable[[Any], None]]] = field(default_factory=list)

    @property
    def page(self) -> Page:
        """Return the first tab."""
        return self.context.pages[0]

    async def open_tab(self, path: str = "/") -> Page:
        """Open the app in another tab and wait until its first run has finished."""
        page = await self.context.new_page()
        await page.goto(self.url + path)
        await settled(page)
        return page

    def full_runs(self) -> int:
        """Count the full script runs for this window's tabs. Fragment runs do not count."""
        return sum(1 for message in self.messages() if _starts_full_run(message))

    def messages(self) -> list[ForwardMsg]:
        """Return every message that Streamlit's server has sent."""
        return [ForwardMsg.FromString(frame) for frame in list(self.received)]

    def was_sent(self, text: str) -> bool:
        """Return whether the text was in any frame that this browser received, visible or not."""
        return any(text.encode() in frame for frame in self.received)

    async def shows(self, text: str) -> bool:
        """Return whether the text is anywhere in the document of any tab, visible or not."""
        contents = [await page.content() for page in self.context.pages]
        return any(text in content for content in contents)

    async def picture(self, path: Path) -> None:
        """Save a screenshot of each tab, to explain a failure."""
        for number, page in enumerate(self.context.pages):
            await page.screenshot(path=path.with_name(f"{path.stem}-{number}.png"), full_page=True)

    def watch(self, page: Page) -> None:
        """Record what happens in this tab."""
        self._handlers += [
            (page, "websocket", self._record),
            (page, "console", self._record_error),
            (page, "pageerror", lambda error: self.problems.append(f"page error: {error}")),
        ]
        for _, event, handler in self._handlers[-3:]:
            page.on(event, handler)  # type: ignore[call-overload]

    def stop_watching(self) -> None:
        """Record nothing more."""
        for page, event, handler in self._handlers:
            page.remove_listener(event, handler)
        self._handlers.clear()
        self.context.remove_listener("page", self.watch)

    def _record(self, socket: WebSocket) -> None:
        socket.on("framesent", lambda payload: self.sent.append(_as_bytes(payload)))
        socket.on("framereceived", lambda payload: self.received.append(_as_bytes(payload)))

    def _record_error(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not _is_known(message):
            self.problems.append(f"console: {message.text} ({message.location.get('url', '')})")


async def open_window(
    browser: Browser,
    url: str,
    path: str = "/",
    screen: Screen | None = None,
    prepare: Prepare | None = None,
) -> Window:
    """Open the app at `url` in a new browser context, with no cookies but those of `prepare`."""
    screen = screen or Screen()
    context = await browser.new_context(
        viewport=screen.viewport, timezone_id=screen.time_zone, color_scheme=screen.scheme, locale="en-US"
    )
    context.set_default_timeout(PATIENCE)
    if prepare is not None:
        await prepare(context)
    window = Window(context, url)
    context.on("page", window.watch)
    await window.open_tab(path)
    return window


class WindowPool:
    """Opens windows in the pages that earlier tests have left, emptied of all that they held.

    A browser keeps the compiled scripts of a page that stays open, so this takes less than half of the
    processor time of a new window. A test that changes more of its window than a person can closes
    `window.context` itself.
    """

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        # A context gives its time zone, scheme and size to each new tab.
        self._free: defaultdict[str, list[BrowserContext]] = defaultdict(list)
        self._kinds: dict[BrowserContext, str] = {}

    async def open(
        self, url: str, path: str, screen: Screen | None = None, prepare: Prepare | None = None
    ) -> Window:
        """Open the app at `url`. As `open_window`."""
        screen = screen or Screen()
        kind = str(screen)
        if not self._free[kind]:
            window = await open_window(self._browser, url, path, screen, prepare)
            self._kinds[window.context] = kind
            return window
        context = self._free[kind].pop()
        if prepare is not None:
            await prepare(context)
        window = Window(context, url)
        # What a test may have changed, as a person can.
        await window.page.set_viewport_size(screen.viewport)
        await window.page.emulate_media(color_scheme=screen.scheme)
        await window.page.mouse.move(0, 0)
        window.watch(window.page)
        context.on("page", window.watch)
        await window.page.goto(url + path)
        await settled(window.page)
        return window

    async def give_back(self, window: Window) -> None:
        """Close what was opened, and keep the first page for another test."""
        window.stop_watching()
        try:
            for tab in window.context.pages[1:]:
                await tab.close()
            # A page without scripts, at which the storage of this origin can be emptied for good.
            await window.page.goto(f"{window.url}/_stcore/health")
            await window.page.evaluate("localStorage.clear(); sessionStorage.clear()")
            await window.context.clear_cookies()
        except (Error, IndexError):
            # The test has closed it, or its server is gone.
            await window.context.close()
            return
        self._free[self._kinds[window.context]].append(window.context)


async def running_browser() -> AsyncIterator[Browser]:
    """Run one Chromium for the length of the iteration."""
    with _changed_driver():
        playwright = await async_playwright().start()
    try:
        browser = await playwright.chromium.launch(
            executable_path=ensure_chromium(),
            args=list(FLAGS),
            ignore_default_args=["--headless"],
            timeout=2 * PATIENCE,
        )
        yield browser
        await browser.close()
    finally:
        await playwright.stop()


@contextmanager
def _changed_driver() -> Iterator[None]:
    """Let Node load DRIVER_CHANGES into a driver of Playwright that starts meanwhile."""
    with pytest.MonkeyPatch.context() as patch:
        # Node reads a quoted path as JSON does.
        patch.setenv("NODE_OPTIONS", f"--require {json.dumps(str(DRIVER_CHANGES))}", prepend=" ")
        yield


async def settled(page: Page) -> None:
    """Wait until the app is connected and its script is not running."""
    await expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-connection-state", "CONNECTED")
    await expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")


def problems_of(windows: Sequence[Window]) -> list[str]:
    """Return every console and page error of these windows."""
    return [problem for window in windows for problem in window.problems]


def _starts_full_run(message: ForwardMsg) -> bool:
    return message.HasField("new_session") and not message.metadata.run.fragment_ids


def _as_bytes(payload: str | bytes) -> bytes:
    return payload.encode() if isinstance(payload, str) else payload


# At the address of a page, Streamlit's frontend first looks for its server below that address.
_KNOWN = re.compile(r"/[\w-]+/_stcore/(health|host-config)$")


def _is_known(message: ConsoleMessage) -> bool:
    return bool(_KNOWN.search(message.location.get("url", "")))
