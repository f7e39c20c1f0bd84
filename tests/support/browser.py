"""Real browsers: one Chromium a test run, one context for each person, everything they are sent kept."""

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    ViewportSize,
    WebSocket,
    async_playwright,
    expect,
)
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.support.chromium import FLAGS, ensure_chromium

# One slow machine must not make a failure: what happens usually happens in milliseconds.
PATIENCE = 30_000  # milliseconds
DESKTOP = ViewportSize(width=1280, height=900)
PHONE = ViewportSize(width=390, height=844)
Scheme = Literal["light", "dark"]

expect.set_options(timeout=PATIENCE)


@dataclass  # no slots: Playwright keeps its wrapper of a bound handler on the instance
class Window:
    """One person's browser: its own cookies, zone and color scheme, any number of tabs.

    `sent` and `received` hold every websocket frame of all its tabs, `problems` every error that a page
    threw or wrote to its console.
    """

    context: BrowserContext
    url: str
    sent: list[bytes] = field(default_factory=list)
    received: list[bytes] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def page(self) -> Page:
        """The first tab."""
        return self.context.pages[0]

    async def open_tab(self, path: str = "/") -> Page:
        """Open the app in another tab and wait until it has drawn itself once."""
        page = await self.context.new_page()
        await page.goto(self.url + path)
        await settled(page)
        return page

    def full_runs(self) -> int:
        """How often the app's whole script has run for this window's tabs; fragments do not count."""
        return sum(1 for message in self.messages() if _starts_full_run(message))

    def messages(self) -> list[ForwardMsg]:
        """Everything Streamlit's server has sent, decoded."""
        return [ForwardMsg.FromString(frame) for frame in list(self.received)]

    def was_sent(self, text: str) -> bool:
        """Tell whether the text was in any frame this browser was sent, shown or not."""
        return any(text.encode() in frame for frame in self.received)

    async def shows(self, text: str) -> bool:
        """Tell whether the text is anywhere in the document of any tab, visible or not."""
        contents = [await page.content() for page in self.context.pages]
        return any(text in content for content in contents)

    async def picture(self, path: Path) -> None:
        """Save what each tab shows, for whoever reads a failure."""
        for number, page in enumerate(self.context.pages):
            await page.screenshot(path=path.with_name(f"{path.stem}-{number}.png"), full_page=True)

    def _watch(self, page: Page) -> None:
        page.on("websocket", self._record)
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.problems.append(f"page error: {error}"))

    def _record(self, socket: WebSocket) -> None:
        socket.on("framesent", lambda payload: self.sent.append(_as_bytes(payload)))
        socket.on("framereceived", lambda payload: self.received.append(_as_bytes(payload)))

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not _is_known(message):
            self.problems.append(f"console: {message.text} ({message.location.get('url', '')})")


async def open_window(
    browser: Browser,
    url: str,
    *,
    path: str = "/",
    time_zone: str = "Europe/Berlin",
    scheme: Scheme = "light",
    viewport: ViewportSize = DESKTOP,
) -> Window:
    """Open the app at `url` as somebody whose browser was never here before."""
    context = await browser.new_context(
        viewport=viewport, timezone_id=time_zone, color_scheme=scheme, locale="en-US"
    )
    context.set_default_timeout(PATIENCE)
    window = Window(context, url)
    context.on("page", window._watch)
    await window.open_tab(path)
    return window


async def running_browser() -> AsyncIterator[Browser]:
    """Yield one Chromium and end it afterwards."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=ensure_chromium(), args=list(FLAGS), ignore_default_args=["--headless"]
        )
        yield browser
        await browser.close()


async def settled(page: Page) -> None:
    """Wait until the app has connected and its script is not running."""
    await expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-connection-state", "CONNECTED")
    await expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")


def problems_of(windows: Sequence[Window]) -> list[str]:
    """Every console and page error of these windows."""
    return [problem for window in windows for problem in window.problems]


def _starts_full_run(message: ForwardMsg) -> bool:
    return message.HasField("new_session") and not message.metadata.run.fragment_ids


def _as_bytes(payload: str | bytes) -> bytes:
    return payload.encode() if isinstance(payload, str) else payload


# Opened at a page's own address, Streamlit looks for its server under that address first.
_KNOWN = re.compile(r"/[\w-]+/_stcore/(health|host-config)$")


def _is_known(message: ConsoleMessage) -> bool:
    return bool(_KNOWN.search(message.location.get("url", "")))
