"""Starts a stack, the app and a browser for the measurements, and stops them afterwards."""

import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from playwright.async_api import Browser

from local_supabase.stack.runtime import StackInfo, stop_stack
from tests.support.app import AppUnderTest
from tests.support.browser import running_browser
from tests.support.stack import running_stack


@contextmanager
def fresh_stack() -> Iterator[StackInfo]:
    """Run an embedded Supabase with the demo data in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="tavern-bench-") as folder, running_stack(Path(folder)) as stack:
        yield stack


@contextmanager
def empty_stack() -> Iterator[StackInfo]:
    """Run an embedded Supabase of a project without migrations in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="tavern-bench-") as folder:
        project = Path(folder) / "project"
        (project / "migrations").mkdir(parents=True)
        with running_stack(Path(folder) / "data", project) as stack:
            yield stack


@contextmanager
def app_with(environment: Mapping[str, str]) -> Iterator[AppUnderTest]:
    """Run the app with these settings."""
    with tempfile.TemporaryDirectory(prefix="tavern-bench-") as folder:
        app = AppUnderTest(environment, Path(folder) / "app.log")
        app.start()
        try:
            yield app
        finally:
            app.stop()


@contextmanager
def app_in(folder: Path) -> Iterator[AppUnderTest]:
    """Run the app with an embedded Supabase of its own in this folder."""
    data = folder / "data"
    with app_with({"LOCAL_SUPABASE_DATA_DIR": str(data)}) as app:
        yield app
    stop_stack(data)


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Run one Chromium."""
    async for browser in running_browser():
        yield browser
