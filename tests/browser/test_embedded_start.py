"""The app with nothing configured: it starts its own Supabase, and leaves nothing behind."""

import os
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from playwright.async_api import Browser

from tests.support import visitor
from tests.support.app import AppUnderTest
from tests.support.browser import open_window
from tests.support.people import unique
from tests.support.wait import wait_for

FIRST_START = 120  # seconds; a fresh machine needs far less than the 60 that are promised


@pytest.fixture
def embedded_app(tmp_path: Path) -> Iterator[AppUnderTest]:
    app = AppUnderTest({"LOCAL_SUPABASE_DATA_DIR": str(tmp_path / "data")}, tmp_path / "app.log")
    yield app
    app.stop()
    wait_for(lambda: not _using(tmp_path), within=60, what="the end of the embedded Supabase")


async def test_an_app_with_no_settings_starts_its_own_supabase_and_keeps_what_was_said(
    embedded_app: AppUnderTest, browser: Browser, tmp_path: Path
) -> None:
    text = unique("Still here tomorrow")
    embedded_app.start()
    window = await open_window(browser, embedded_app.url)
    await visitor.create_account(window.page, "Early")
    await visitor.say(window.page, text)
    await window.context.close()

    embedded_app.kill()
    wait_for(lambda: not _using(tmp_path), within=60, what="the embedded Supabase to end with its app")

    embedded_app.start()
    again = await open_window(browser, embedded_app.url)
    await visitor.hears(again.page, text)
    await again.context.close()
    assert embedded_app.tracebacks() == []


def _using(folder: Path) -> list[psutil.Process]:
    """Every process, whosesoever child, that names the folder in its command line or works in it."""
    found = []
    for process in psutil.process_iter():
        try:
            mentions = any(str(folder) in part for part in process.cmdline())
            if process.pid != os.getpid() and (mentions or process.cwd().startswith(str(folder))):
                found.append(process)
        except (psutil.AccessDenied, psutil.NoSuchProcess, psutil.ZombieProcess):
            continue
    return found
