"""Signing in: who stays in, who is out, and in which tabs."""

from dataclasses import replace
from urllib.parse import unquote

from playwright.async_api import expect

from db.kept import Kept
from local_supabase.runtime import StackInfo
from tests.browser.conftest import OpenWindow
from tests.support import visitor
from tests.support.browser import Window
from tests.support.people import anonymous_client, sign_up
from tests.support.wait import wait_until
from ui.cookie import NAME


async def test_a_reload_and_a_new_tab_stay_signed_in(open_window: OpenWindow) -> None:
    window = await open_window()
    account = await visitor.create_account(window.page, "Stayer")
    await window.page.reload()
    await visitor.is_signed_in(window.page)
    second = await window.open_tab("/events")
    await visitor.is_signed_in(second)
    await expect(second.get_by_test_id("stSidebar")).to_contain_text(account.name)


async def test_what_another_process_of_the_app_has_renewed_is_taken_over(
    open_window: OpenWindow, stack: StackInfo
) -> None:
    """It serves the same browser, whose cookie is where each finds what the others did."""
    window = await open_window()
    await visitor.create_account(window.page, "Shared")
    await window.page.wait_for_function("name => document.cookie.includes(name)", arg=f"{NAME}=")
    ours = await kept_by(window)
    elsewhere = anonymous_client(stack).auth.refresh_session(ours.token).session
    assert elsewhere is not None
    theirs = replace(ours, token=elsewhere.refresh_token, turn=ours.turn + 1)
    await window.page.evaluate("text => document.cookie = text", f"{NAME}={theirs}; Path=/; SameSite=Strict")
    told = str(theirs).encode()
    await wait_until(lambda: any(told in frame for frame in window.sent), within=20, what="it to be told")
    assert await kept_by(window) == theirs

    second = await window.open_tab()
    await visitor.is_signed_in(second)
    for tab in (window.page, second):
        await tab.wait_for_function("part => document.cookie.includes(part)", arg=f"~{theirs.turn + 1}")
        await visitor.is_signed_in(tab)
    await visitor.sign_out(second)
    await second.wait_for_function("name => !document.cookie.includes(name)", arg=f"{NAME}=")


async def kept_by(window: Window) -> Kept:
    """Return what a window's cookie holds."""
    [value] = [cookie["value"] for cookie in await window.context.cookies() if cookie.get("name") == NAME]
    return Kept.parse(unquote(value))


async def test_signing_out_ends_it_in_every_tab_and_for_good(open_window: OpenWindow) -> None:
    window = await open_window()
    account = await visitor.create_account(window.page, "Leaver")
    second = await window.open_tab()
    await visitor.is_signed_in(second)
    elsewhere = await open_window()
    await visitor.sign_in(elsewhere.page, account.email, account.password)

    await visitor.sign_out(window.page)
    await visitor.is_signed_out(second)
    await visitor.is_signed_out(elsewhere.page)
    await window.page.reload()
    await visitor.is_signed_out(window.page)


async def test_who_is_asked_to_sign_in_gets_to_where_they_wanted(
    open_window: OpenWindow, stack: StackInfo
) -> None:
    person = sign_up(stack, "Regular")
    window = await open_window("/ratings")
    await window.page.get_by_test_id("stMain").get_by_role("link", name="Sign in").click()
    await expect(visitor.heading(window.page)).to_have_text("Welcome back")
    await window.page.get_by_label("Email").fill(person.email)
    await window.page.get_by_role("textbox", name="Password").fill(person.password)
    await visitor.form_button(window.page, "Sign in").click()
    await expect(visitor.heading(window.page)).to_have_text("Ratings")
    await expect(window.page.get_by_test_id("stSidebar")).to_contain_text(person.name)


async def test_a_wrong_password_is_refused_in_words(open_window: OpenWindow, stack: StackInfo) -> None:
    person = sign_up(stack, "Forgetful")
    window = await open_window("/sign_in")
    await window.page.get_by_label("Email").fill(person.email)
    await window.page.get_by_role("textbox", name="Password").fill("not the password")
    await visitor.form_button(window.page, "Sign in").click()
    await expect(window.page.get_by_role("alert")).to_contain_text("password")
    await visitor.is_signed_out(window.page)


async def test_a_visitor_may_look_around(open_window: OpenWindow) -> None:
    window = await open_window()
    for place in ("Events", "People", "Inbox", "Tavern"):
        await visitor.go(window.page, place)
        await expect(window.page.get_by_role("heading", level=1)).to_be_visible()
        await visitor.is_live(window.page)
    await visitor.go(window.page, "People")
    await expect(window.page.get_by_text("Mei Tanaka").first).to_be_visible()
    await expect(visitor.navigation(window.page, "Activity")).to_have_count(0)
