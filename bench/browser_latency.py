"""Measures a commit until another person sees it in a browser, and the reads and script runs on the way.

Changes are committed by SQL, so the moment of the commit is known exactly. A mutation observer in the page
finds the text, and the next frame has painted it.
"""

import asyncio
import time
import uuid
from collections import Counter

import psycopg2
import psycopg2.extensions
from playwright.async_api import Page

from bench.figures import Figure, percentiles
from bench.running import app_with, chromium, fresh_stack
from local_supabase.stack.runtime import StackInfo
from tests.support import visitor
from tests.support.browser import Window, open_window
from tests.support.people import Person, sign_up
from tests.support.recorder import Recorder, recording

CHANGES = 200
PAUSE = 0.05  # seconds between two changes
TABS = 5

# Resolves with the time, in seconds since the epoch, at which the text was on the screen.
SEEN = """text => new Promise(done => {
  const seen = () => document.body.textContent.includes(text);
  const now = () => (performance.timeOrigin + performance.now()) / 1000;
  const painted = () => requestAnimationFrame(() => done(now()));
  if (seen()) return painted();
  const observer = new MutationObserver(() => { if (seen()) { observer.disconnect(); painted(); } });
  observer.observe(document.body, { childList: true, subtree: true, characterData: true });
})"""


def main() -> list[Figure]:
    """Measure with a visitor and a signed-in person who have the app open."""
    with (
        fresh_stack() as stack,
        recording(stack.url) as proxy,
        app_with({"SUPABASE_URL": proxy.url, "SUPABASE_KEY": stack.anon_key}) as app,
    ):
        return asyncio.run(_measure(stack, proxy, app.url))


async def _measure(stack: StackInfo, proxy: Recorder, url: str) -> list[Figure]:
    async with chromium() as browser:
        windows = [await open_window(browser, url) for _ in range(TABS)]
        await visitor.is_live(windows[0].page)
        start_reads = Counter(str(request.table) for request in proxy.reads())
        for window in windows[2:]:
            await window.context.close()
        del windows[2:]
        writer = sign_up(stack, "Writer")
        reader = sign_up(stack, "Reader")
        reader_window = windows[0]
        await visitor.sign_in_by_form(reader_window.page, reader.email, reader.password)
        await visitor.is_live(reader_window.page)
        runs = sum(window.full_runs() for window in windows)
        latencies = await _changes(stack, writer, reader_window.page)
        more_runs = sum(window.full_runs() for window in windows) - runs
        clicks = await _reads_by_clicks(proxy, reader_window)
    return [
        Figure(
            "commit to visible in the other browser", percentiles(latencies), "p50 < 100 ms, p95 < 250 ms"
        ),
        Figure(f"reads at start, most for one table, {TABS} tabs open", str(max(start_reads.values())), "1"),
        Figure("reads of tables by a click, after start", str(clicks), "0"),
        Figure(f"full script runs caused by {CHANGES} changes", str(more_runs), "0"),
    ]


async def _changes(stack: StackInfo, writer: Person, page: Page) -> list[float]:
    latencies = []
    with psycopg2.connect(stack.database_url) as connection:
        for number in range(CHANGES):
            text = f"change {number} {uuid.uuid4().hex}"
            seen = asyncio.create_task(page.evaluate(SEEN, text))
            await asyncio.sleep(PAUSE)
            committed = await asyncio.to_thread(_commit, connection, writer, text)
            latencies.append(await seen - committed)
    connection.close()
    return latencies


def _commit(connection: psycopg2.extensions.connection, writer: Person, text: str) -> float:
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into public.tavern_messages (author_id, body) values (%s, %s)", (writer.user_id, text)
        )
    before = time.time()
    connection.commit()
    return before


async def _reads_by_clicks(proxy: Recorder, window: Window) -> int:
    before = len(proxy.reads())
    for place in ("Events", "People", "Tavern"):
        await visitor.go(window.page, place)
    return len(proxy.reads()) - before


if __name__ == "__main__":
    for figure in main():
        print(f"{figure.what}: {figure.value}")
