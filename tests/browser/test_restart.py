"""The server is killed and started again: every tab reconnects and looks as before."""

from collections.abc import Iterator

import pytest
from playwright.async_api import Browser, BrowserContext, Route, WebSocketRoute, expect
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from local_supabase.stack.runtime import StackInfo
from tests.support import visitor
from tests.support.app import AppUnderTest
from tests.support.browser import open_window
from tests.support.people import note_stack, sign_up, unique
from tests.support.wait import wait_until

_TRIES = 6
"""After so many tries to connect Streamlit shows a dialog."""


@pytest.fixture
def mortal_app(stack: StackInfo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppUnderTest]:
    """Serve an app that may be killed."""
    environment = {"SUPABASE_URL": stack.url, "SUPABASE_KEY": stack.anon_key}
    app = AppUnderTest(environment, tmp_path_factory.mktemp("mortal") / "app.log")
    app.start()
    note_stack(app.url, stack)
    yield app
    app.stop()
    assert app.tracebacks() == []


async def test_a_restart_brings_every_tab_back_as_it_was(
    mortal_app: AppUnderTest, browser: Browser, stack: StackInfo
) -> None:
    me, other, feast = sign_up(stack, "Persistent"), sign_up(stack, "Other"), unique("Feast")
    times = {"starts_at": "2031-05-01T18:00:00Z", "ends_at": "2031-05-01T20:00:00Z"}
    me.client.table("events").insert({"title": feast, "organizer_id": me.user_id, **times}).execute()
    mine = await open_window(browser, mortal_app.url)
    room = mine.page
    await visitor.sign_in(room, me.email, me.password)
    profile, events = await mine.open_tab("/profile"), await mine.open_tab("/events")
    looking_on = await open_window(browser, mortal_app.url, path="/people")
    tabs = (room, profile, events, looking_on.page)
    for tab in tabs:
        await visitor.is_live(tab)
    said = unique("Before")
    await visitor.say(room, said)
    await visitor.room_input(room).fill("I was just about to")
    await profile.get_by_label("About you").fill("Half a life")
    await visitor.use(events, feast, "Edit")
    await events.get_by_role("button", name="Close without saving").click()
    await expect(events.get_by_role("dialog")).to_have_count(0)
    await events.get_by_role("button", name="New event").click()
    await events.get_by_role("textbox", name="Title").fill("Half a plan")
    await looking_on.page.get_by_label("Search").fill(other.name)
    await looking_on.page.get_by_label("Search").press("Enter")
    await expect(looking_on.page.locator("article[data-row]")).to_have_count(1)

    mortal_app.kill()
    missed = unique("Nobody serves me")
    other.client.table("tavern_messages").insert({"author_id": other.user_id, "body": missed}).execute()
    mortal_app.start_again()

    for tab in tabs:
        await visitor.is_live(tab)
    for tab in tabs[:3]:
        await visitor.is_signed_in(tab)
    await visitor.hears(room, said)
    await visitor.hears(room, missed)
    await expect(visitor.room_input(room)).to_have_value("I was just about to")
    await expect(visitor.heading(profile)).to_have_text("Your profile")
    await expect(profile.get_by_label("About you")).to_have_value("Half a life")
    await expect(visitor.heading(events)).to_have_text("Events")
    await expect(events.get_by_role("dialog")).to_have_count(0)
    await expect(events.get_by_role("textbox", name="Title")).to_have_value("Half a plan")
    await expect(visitor.heading(looking_on.page)).to_have_text("People")
    await expect(looking_on.page.get_by_label("Search")).to_have_value(other.name)
    await expect(looking_on.page.locator("article[data-row]")).to_have_count(1)

    # And live it is: what is said now arrives everywhere.
    await visitor.room_input(room).press("Enter")
    await visitor.hears(room, "I was just about to")
    for window in (mine, looking_on):
        await window.context.close()


async def test_a_suspended_or_killed_server_is_told_by_the_page_until_it_is_back(
    mortal_app: AppUnderTest, browser: Browser
) -> None:
    window = await open_window(browser, mortal_app.url)
    page = window.page
    await visitor.is_live(page)
    badge = visitor.badge(page).get_by_role("button")
    told = page.get_by_text("Tavern's server does not answer")
    await expect(told).to_have_count(0)

    mortal_app.suspend()
    await expect(told).to_be_visible()
    await expect(badge).to_have_accessible_name("No server")
    mortal_app.resume()
    await visitor.is_live(page)
    await expect(told).to_have_count(0)

    tries: list[str] = []
    page.on("request", lambda request: tries.append(request.url) if request.url.endswith("/health") else None)
    mortal_app.kill()
    await expect(told).to_be_visible()
    await expect(page.get_by_role("button", name="Live")).to_have_count(0)
    await expect(badge).to_have_accessible_name("No server")
    # After some tries Streamlit would ask, in a dialog over the page, whether it is still running.
    await wait_until(lambda: len(tries) > _TRIES, within=90, what="Streamlit to try again so often")
    await expect(page.get_by_text("Is Streamlit still running")).to_have_count(0)
    await expect(told).to_be_visible()

    mortal_app.start_again()
    await visitor.is_live(page)
    await expect(told).to_have_count(0)
    await window.context.close()


async def test_a_page_whose_scripts_do_not_come_or_fail_is_loaded_again(
    app: AppUnderTest, browser: Browser
) -> None:
    refused: list[str] = []
    sockets: list[WebSocketRoute] = []

    async def refuse_once(route: Route) -> None:
        if refused:
            await route.continue_()
        else:
            refused.append(route.request.url)
            await route.fulfill(status=500)

    async def pass_on(socket: WebSocketRoute) -> None:
        socket.connect_to_server()
        sockets.append(socket)

    async def prepare(context: BrowserContext) -> None:
        await context.route_web_socket("**/_stcore/stream", pass_on)

    window = await open_window(browser, app.url, prepare=prepare)
    await visitor.room_input(window.page).fill("I was just about to")

    # The page will fail once more when it is loaded again.
    await window.page.route("**/static/js/index.*.js", refuse_once)
    # Streamlit sends such a message when it has no thread for a script, and its own page fails to show it.
    broken = ForwardMsg()
    broken.delta.new_element.exception.message = "can't start new thread"
    connected = len(sockets)
    sockets[-1].send(broken.SerializeToString())
    await wait_until(lambda: len(sockets) > connected, within=60, what="the page to connect again")
    assert refused
    await visitor.is_live(window.page)
    await expect(visitor.room_input(window.page)).to_have_value("I was just about to")
    await window.context.close()
