"""Measures how long a first visit takes until the chat can be read, over a slow line and over none.

The same app runs twice beside the same database: `app.py`, for which Streamlit serves its own files, and
`asgi.py`, which serves the compressed copy. Visits alternate, each in a browser without a cache.
"""

import asyncio
import tempfile
import time
from pathlib import Path
from statistics import median

from playwright.async_api import Browser, expect

from bench.figures import Figure
from bench.running import chromium, fresh_stack
from frontend.files import prepare
from tests.support.app import PAGES_ONLY, WHOLE, AppUnderTest
from tests.support.browser import DESKTOP

ROUNDS = 5
SLOW = {"latency": 150, "downloadThroughput": 1.6e6 / 8, "uploadThroughput": 0.75e6 / 8}
"""A phone on a slow network: milliseconds, and bytes a second."""


def main() -> list[Figure]:
    """Measure visits to the common room."""
    prepare()
    with fresh_stack() as stack, tempfile.TemporaryDirectory(prefix="tavern-bench-") as folder:
        environment = {"SUPABASE_URL": stack.url, "SUPABASE_KEY": stack.anon_key}
        apps = {
            script.name: AppUnderTest(environment, Path(folder) / f"{script.stem}.log", script=script)
            for script in (PAGES_ONLY, WHOLE)
        }
        try:
            for app in apps.values():
                app.start()
            return asyncio.run(_measure({name: app.url for name, app in apps.items()}))
        finally:
            for app in apps.values():
                app.stop()


async def _measure(urls: dict[str, str]) -> list[Figure]:
    figures = []
    async with chromium() as browser:
        for url in urls.values():
            await _visit(browser, url, slow=False)  # the first visit of a process loads its modules
        for line, slow, goal in (("1.6 Mbit/s, 150 ms", True, "< 5 s"), ("this machine", False, "< 1 s")):
            seconds: dict[str, list[float]] = {name: [] for name in urls}
            for _ in range(ROUNDS):
                for name, url in urls.items():
                    seconds[name].append(await _visit(browser, url, slow=slow))
            before, after = (median(seconds[name]) for name in urls)
            summary = f"{after:.2f} s, of Streamlit's own {before:.2f} s ({after / before:.2f})"
            figures.append(Figure(f"first visit until the chat is shown, {line}", summary, goal))
    return figures


async def _visit(browser: Browser, url: str, *, slow: bool) -> float:
    context = await browser.new_context(viewport=DESKTOP)
    page = await context.new_page()
    if slow:
        devtools = await context.new_cdp_session(page)
        await devtools.send("Network.enable")
        await devtools.send("Network.emulateNetworkConditions", {"offline": False, **SLOW})
    began = time.monotonic()
    await page.goto(url, wait_until="commit")
    await expect(page.get_by_role("log", name="Messages")).to_be_visible()
    took = time.monotonic() - began
    await context.close()
    return took
