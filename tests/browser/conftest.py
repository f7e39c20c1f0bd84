"""Run one app and one Chromium per test run, and open new windows for every test."""

import logging
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path
from typing import Protocol

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, ViewportSize

from local_supabase.stack.runtime import StackInfo
from tests.livetables.fault_proxy import FaultProxy, fault_proxy
from tests.support import browser as browsing
from tests.support import visitor
from tests.support.app import AppUnderTest
from tests.support.browser import DESKTOP, Prepare, Scheme, Screen, Window, WindowPool, problems_of
from tests.support.people import Person, note_stack, sign_up

HERE = Path(__file__).parent
_FAILED = pytest.StashKey[bool]()

_log = logging.getLogger(__name__)


class OpenWindow(Protocol):
    """Opens the app in a new browser window, as another person would."""

    async def __call__(
        self,
        path: str = "/",
        *,
        person: Person | None = None,
        time_zone: str = "Europe/Berlin",
        scheme: Scheme = "light",
        viewport: ViewportSize = DESKTOP,
    ) -> Window:
        """Open `path` as this person, or as a visitor; return the window when the first run has finished."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder, and run them in the event loop of the browser."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.timeout(240))
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Record a failure, so that screenshots can be taken before the windows are closed."""
    report = yield
    if report.failed:
        item.stash[_FAILED] = True
    return report


@pytest.fixture(scope="session")
def app(stack: StackInfo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppUnderTest]:
    """Serve the app on the stack that all tests share."""
    environment = {"SUPABASE_URL": stack.url, "SUPABASE_KEY": stack.anon_key}
    app = AppUnderTest(environment, tmp_path_factory.mktemp("app") / "app.log")
    app.start()
    note_stack(app.url, stack)
    yield app
    app.stop()


@pytest.fixture(scope="session")
def proxy(stack: StackInfo) -> Iterator[FaultProxy]:
    """Give the proxy between the fragile app and its database."""
    with fault_proxy(stack.url) as running:
        yield running


@pytest.fixture(scope="session")
def _app_behind_proxy(
    proxy: FaultProxy, stack: StackInfo, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AppUnderTest]:
    environment = {"SUPABASE_URL": proxy.url, "SUPABASE_KEY": stack.anon_key}
    app = AppUnderTest(environment, tmp_path_factory.mktemp("fragile") / "app.log")
    app.start()
    note_stack(app.url, stack)
    yield app
    app.stop()


@pytest.fixture
def fragile_app(_app_behind_proxy: AppUnderTest, proxy: FaultProxy) -> Iterator[AppUnderTest]:
    """Serve an app that reaches its database through the proxy. Heals the proxy afterwards."""
    seen = len(_app_behind_proxy.tracebacks())
    yield _app_behind_proxy
    proxy.heal()
    assert _app_behind_proxy.tracebacks()[seen:] == []


@pytest_asyncio.fixture(loop_scope="session")
async def castaway(
    fragile_app: AppUnderTest, pool: WindowPool, proxy: FaultProxy, stack: StackInfo
) -> AsyncIterator[tuple[Window, Person]]:
    """Open a window of the fragile app and sign in as a new person."""
    person = sign_up(stack, "Castaway")
    window = await pool.open(fragile_app.url, "/", prepare=_sign_in(fragile_app, person))
    await visitor.is_signed_in(window.page)
    await visitor.is_live(window.page)
    yield window, person
    proxy.heal()
    await pool.give_back(window)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Run one Chromium."""
    async for browser in browsing.running_browser():
        yield browser


@pytest.fixture(scope="session")
def pool(browser: Browser) -> WindowPool:
    """Give the windows that are used again."""
    return WindowPool(browser)


@pytest_asyncio.fixture(loop_scope="session")
async def open_window(
    app: AppUnderTest, pool: WindowPool, request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[OpenWindow]:
    """Open any number of windows. Fails if one of them, or the app, has had an error."""
    windows: list[Window] = []
    seen = len(app.tracebacks())

    async def open_one(
        path: str = "/",
        *,
        person: Person | None = None,
        time_zone: str = "Europe/Berlin",
        scheme: Scheme = "light",
        viewport: ViewportSize = DESKTOP,
    ) -> Window:
        prepare = _sign_in(app, person) if person else None
        window = await pool.open(app.url, path, Screen(time_zone, scheme, viewport), prepare)
        windows.append(window)
        if person:
            await visitor.is_signed_in(window.page)
        return window

    yield open_one
    failed = request.node.stash.get(_FAILED, False)
    if failed:
        await _describe_failure(windows, app, tmp_path)
    problems = problems_of(windows)
    for window in windows:
        await (window.context.close() if failed else pool.give_back(window))
    assert problems == []
    assert app.tracebacks()[seen:] == []


def _sign_in(app: AppUnderTest, person: Person) -> Prepare:
    async def prepare(context: BrowserContext) -> None:
        await visitor.remember(context, app.url, person.email, person.password)

    return prepare


async def _describe_failure(windows: list[Window], app: AppUnderTest, folder: Path) -> None:
    for number, window in enumerate(windows):
        await window.picture(folder / f"window-{number}.png")
    _log.error("Screenshots of the windows are in %s. The app's log ends:\n%s", folder, app.log()[-4000:])
