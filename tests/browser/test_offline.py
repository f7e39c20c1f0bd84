"""The database goes away: people are told, what they wrote is kept, and afterwards it is there once."""

from collections.abc import Iterator

import pytest
from playwright.async_api import Browser, expect

from local_supabase.runtime import StackInfo
from tests.live.fault_proxy import FaultProxy, fault_proxy
from tests.support import visitor
from tests.support.app import AppUnderTest
from tests.support.browser import Window, open_window
from tests.support.people import sign_up, unique


@pytest.fixture(scope="module")
def proxy(stack: StackInfo) -> Iterator[FaultProxy]:
    with fault_proxy(stack.url) as running:
        yield running


@pytest.fixture(scope="module")
def fragile_app(
    proxy: FaultProxy, stack: StackInfo, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AppUnderTest]:
    """Serve an app that reaches its database through the proxy."""
    environment = {"SUPABASE_URL": proxy.url, "SUPABASE_KEY": stack.anon_key}
    app = AppUnderTest(environment, tmp_path_factory.mktemp("fragile") / "app.log")
    app.start()
    yield app
    app.stop()
    assert app.tracebacks() == []


@pytest.fixture(autouse=True)
def healed(proxy: FaultProxy) -> Iterator[None]:
    yield
    proxy.heal()


async def _somebody(app: AppUnderTest, browser: Browser, stack: StackInfo) -> Window:
    person = sign_up(stack, "Castaway")
    window = await open_window(browser, app.url)
    await visitor.sign_in(window.page, person.email, person.password)
    await visitor.is_live(window.page)
    return window


async def test_what_is_said_offline_is_kept_and_sent_once(
    fragile_app: AppUnderTest, browser: Browser, stack: StackInfo, proxy: FaultProxy
) -> None:
    window = await _somebody(fragile_app, browser, stack)
    page, said = window.page, unique("Message in a bottle")
    proxy.refuse()
    await expect(page.get_by_test_id("stPopover")).to_contain_text("Offline")
    await visitor.room_input(page).fill(said)
    await visitor.room_input(page).press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("your text is kept")
    await expect(page.get_by_text(said)).to_be_visible()

    proxy.heal()
    await visitor.is_live(page)
    await page.get_by_role("button", name="Try again").click()
    await visitor.hears(page, said)
    await expect(page.get_by_role("button", name="Try again")).to_have_count(0)
    await expect(page.get_by_text(said)).to_have_count(1)
    await window.context.close()


async def test_signing_in_while_nobody_answers_is_told_in_words(
    fragile_app: AppUnderTest, browser: Browser, proxy: FaultProxy
) -> None:
    window = await open_window(browser, fragile_app.url, path="/sign_in")
    await visitor.is_live(window.page)
    proxy.refuse()
    await window.page.get_by_label("Email").fill("somebody@people.example")
    await window.page.get_by_role("textbox", name="Password").fill("a-long-test-password")
    await visitor.form_button(window.page, "Sign in").click()
    await expect(window.page.get_by_role("alert")).to_contain_text("can't reach the database")
    await expect(window.page.get_by_label("Email")).to_have_value("somebody@people.example")
    await window.context.close()


async def test_a_reload_while_the_database_is_away_signs_in_again_afterwards(
    fragile_app: AppUnderTest, browser: Browser, stack: StackInfo, proxy: FaultProxy
) -> None:
    window = await _somebody(fragile_app, browser, stack)
    proxy.refuse()
    await window.page.reload()
    await visitor.is_signed_in(window.page)
    proxy.heal()
    await visitor.is_live(window.page)
    await visitor.say(window.page, unique("Back again"))
    await window.context.close()
