"""The app without settings starts its own Supabase, and leaves no process behind."""

import os
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from playwright.async_api import Browser, expect

from tests.support import visitor
from tests.support.app import PAGES_ONLY, WHOLE, AppUnderTest
from tests.support.browser import open_window
from tests.support.people import unique
from tests.support.wait import wait_for


@pytest.fixture
def embedded_app(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[AppUnderTest]:
    environment = {"LOCAL_SUPABASE_DATA_DIR": str(tmp_path / "data"), "LOCAL_SUPABASE_LINGER": "1"}
    app = AppUnderTest(environment, tmp_path / "app.log", script=request.param)
    yield app
    app.stop()
    wait_for(lambda: not _using(tmp_path), within=60, what="the end of the embedded Supabase")


@pytest.mark.parametrize("embedded_app", [WHOLE], indirect=True, ids=lambda path: path.name)
async def test_an_app_with_no_settings_starts_its_own_supabase_and_keeps_its_messages(
    embedded_app: AppUnderTest, browser: Browser, tmp_path: Path
) -> None:
    text = unique("Still here tomorrow")
    embedded_app.start()
    window = await open_window(browser, embedded_app.url)
    await visitor.create_account_by_form(window.page, "Early")
    await visitor.say(window.page, text)
    await window.context.close()

    embedded_app.kill()
    wait_for(lambda: not _using(tmp_path), within=60, what="the embedded Supabase to end with its app")

    embedded_app.start()
    again = await open_window(browser, embedded_app.url)
    await visitor.hears(again.page, text)
    await again.context.close()
    assert embedded_app.tracebacks() == []


@pytest.mark.parametrize("embedded_app", [PAGES_ONLY], indirect=True, ids=lambda path: path.name)
async def test_demo_people_sign_in_with_one_click(embedded_app: AppUnderTest, browser: Browser) -> None:
    embedded_app.start()
    window = await open_window(browser, embedded_app.url)
    await visitor.go(window.page, "Sign in")
    await window.page.get_by_role("button", name="Ada, admin").click()
    await visitor.is_signed_in(window.page)
    await expect(visitor.navigation(window.page, "Activity")).to_be_visible()
    await expect(window.page.get_by_test_id("stSidebar")).to_contain_text("ada@tavern.example")
    assert window.problems == []
    await window.context.close()


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
