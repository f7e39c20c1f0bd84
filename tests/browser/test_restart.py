"""The server is killed and started again: every tab comes back by itself, as it was."""

from collections.abc import Iterator

import pytest
from playwright.async_api import Browser, expect

from local_supabase.runtime import StackInfo
from tests.support import visitor
from tests.support.app import AppUnderTest
from tests.support.browser import open_window
from tests.support.people import sign_up, unique


@pytest.fixture
def mortal_app(stack: StackInfo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppUnderTest]:
    """Serve an app that may be killed."""
    environment = {"SUPABASE_URL": stack.url, "SUPABASE_KEY": stack.anon_key}
    app = AppUnderTest(environment, tmp_path_factory.mktemp("mortal") / "app.log")
    app.start()
    yield app
    app.stop()
    assert app.tracebacks() == []


async def test_a_restart_brings_every_tab_back_as_it_was(
    mortal_app: AppUnderTest, browser: Browser, stack: StackInfo
) -> None:
    me, other = sign_up(stack, "Persistent"), sign_up(stack, "Other")
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
    await events.get_by_role("button", name="New event").click()
    await events.get_by_label("Title").fill("Half a plan")
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
    await expect(events.get_by_label("Title")).to_have_value("Half a plan")
    await expect(visitor.heading(looking_on.page)).to_have_text("People")
    await expect(looking_on.page.get_by_label("Search")).to_have_value(other.name)
    await expect(looking_on.page.locator("article[data-row]")).to_have_count(1)

    # And live it is: what is said now arrives everywhere.
    await visitor.room_input(room).press("Enter")
    await visitor.hears(room, "I was just about to")
    for window in (mine, looking_on):
        await window.context.close()
