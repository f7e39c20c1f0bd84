"""The app, the browser and the windows: one app and one Chromium a test run, new windows for every test."""

import logging
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path
from typing import Protocol

import pytest
import pytest_asyncio
from playwright.async_api import Browser, ViewportSize

from local_supabase.runtime import StackInfo
from tests.live.fault_proxy import FaultProxy, fault_proxy
from tests.support import browser as browsing
from tests.support import visitor
from tests.support.app import AppUnderTest
from tests.support.browser import DESKTOP, Scheme, Window, problems_of
from tests.support.people import Person, sign_up

HERE = Path(__file__).parent
_FAILED = pytest.StashKey[bool]()

log = logging.getLogger(__name__)


class OpenWindow(Protocol):
    """Opens the app as one more person."""

    async def __call__(
        self,
        path: str = "/",
        *,
        time_zone: str = "Europe/Berlin",
        scheme: Scheme = "light",
        viewport: ViewportSize = DESKTOP,
    ) -> Window: ...


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder, and run them in the one event loop that the browser lives in."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.timeout(240))
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember a failure, so that the windows can be pictured before they are closed."""
    report = yield
    if report.failed:
        item.stash[_FAILED] = True
    return report


@pytest.fixture(scope="session")
def app(stack: StackInfo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppUnderTest]:
    """Serve the app against the stack that all tests share."""
    environment = {"SUPABASE_URL": stack.url, "SUPABASE_KEY": stack.anon_key}
    app = AppUnderTest(environment, tmp_path_factory.mktemp("app") / "app.log")
    app.start()
    yield app
    app.stop()


@pytest.fixture(scope="session")
def proxy(stack: StackInfo) -> Iterator[FaultProxy]:
    """Stand between the fragile app and its database."""
    with fault_proxy(stack.url) as running:
        yield running


@pytest.fixture(scope="session")
def _app_behind_proxy(
    proxy: FaultProxy, stack: StackInfo, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AppUnderTest]:
    environment = {"SUPABASE_URL": proxy.url, "SUPABASE_KEY": stack.anon_key}
    app = AppUnderTest(environment, tmp_path_factory.mktemp("fragile") / "app.log")
    app.start()
    yield app
    app.stop()


@pytest.fixture
def fragile_app(_app_behind_proxy: AppUnderTest, proxy: FaultProxy) -> Iterator[AppUnderTest]:
    """Serve an app that reaches its database through the proxy, which works again afterwards."""
    seen = len(_app_behind_proxy.tracebacks())
    yield _app_behind_proxy
    proxy.heal()
    assert _app_behind_proxy.tracebacks()[seen:] == []


@pytest_asyncio.fixture(loop_scope="session")
async def castaway(
    fragile_app: AppUnderTest, browser: Browser, stack: StackInfo
) -> AsyncIterator[tuple[Window, Person]]:
    """Open a window of the fragile app, signed in as somebody."""
    person = sign_up(stack, "Castaway")
    window = await browsing.open_window(browser, fragile_app.url)
    await visitor.sign_in(window.page, person.email, person.password)
    await visitor.is_live(window.page)
    yield window, person
    await window.context.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Run one Chromium."""
    async for browser in browsing.running_browser():
        yield browser


@pytest_asyncio.fixture(loop_scope="session")
async def open_window(
    app: AppUnderTest, browser: Browser, request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[OpenWindow]:
    """Open any number of windows; afterwards none of them, nor the app, may have met an error."""
    windows: list[Window] = []
    seen = len(app.tracebacks())

    async def open_one(
        path: str = "/",
        *,
        time_zone: str = "Europe/Berlin",
        scheme: Scheme = "light",
        viewport: ViewportSize = DESKTOP,
    ) -> Window:
        window = await browsing.open_window(
            browser, app.url, path=path, time_zone=time_zone, scheme=scheme, viewport=viewport
        )
        windows.append(window)
        return window

    yield open_one
    if request.node.stash.get(_FAILED, False):
        await _describe_failure(windows, app, tmp_path)
    problems = problems_of(windows)
    for window in windows:
        await window.context.close()
    assert problems == []
    assert app.tracebacks()[seen:] == []


async def _describe_failure(windows: list[Window], app: AppUnderTest, folder: Path) -> None:
    for number, window in enumerate(windows):
        await window.picture(folder / f"window-{number}.png")
    log.error("Pictures of the windows are in %s. The app's log ends:\n%s", folder, app.log()[-4000:])
