"""Reads of the database: each table once when the app starts, and none by a click."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from local_supabase.stack.runtime import StackInfo
from tests.support import visitor
from tests.support.app import AppUnderTest
from tests.support.browser import Window, open_window
from tests.support.recorder import Recorder, recording

TABS = 4


@pytest.fixture
def passage(stack: StackInfo) -> Iterator[Recorder]:
    with recording(stack.url) as passage:
        yield passage


@pytest.fixture
def recorded_app(passage: Recorder, stack: StackInfo, tmp_path: Path) -> Iterator[AppUnderTest]:
    app = AppUnderTest({"SUPABASE_URL": passage.url, "SUPABASE_KEY": stack.anon_key}, tmp_path / "app.log")
    app.start()
    yield app
    app.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def tabs(recorded_app: AppUnderTest, browser: Browser) -> AsyncIterator[list[Window]]:
    windows = [await open_window(browser, recorded_app.url) for _ in range(TABS)]
    for window in windows:
        await visitor.is_live(window.page)
    yield windows
    for window in windows:
        await window.context.close()


async def test_each_table_is_read_once_however_many_tabs_are_open(
    tabs: list[Window], passage: Recorder
) -> None:
    reads = Counter(request.table for request in passage.reads())
    assert len(tabs) == TABS
    assert "tavern_messages" in reads
    # Twice if the stream took long to open: the app loads without it, and again when it is there.
    assert max(reads.values()) <= 2 < TABS


async def test_a_click_reads_nothing(tabs: list[Window], passage: Recorder) -> None:
    before = passage.reads()
    page = tabs[0].page
    for place in ("Events", "People", "Inbox", "Tavern"):
        await visitor.go(page, place)
    assert passage.reads() == before
