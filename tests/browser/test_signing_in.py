"""Signing in and out, in several tabs and browsers."""

import asyncio
import re
import uuid
from dataclasses import replace
from urllib.parse import parse_qs, quote, unquote, urlsplit

from playwright.async_api import Page, expect

from livetables.auth.cookie import SessionCookie
from local_supabase.stack.runtime import StackInfo
from tests.browser.conftest import OpenWindow
from tests.security.app.streamlit_client import open_session, texts, websocket
from tests.support import visitor
from tests.support.browser import Window, settled
from tests.support.people import PASSWORD, Person, anonymous_client, email_of, sign_up, unique
from tests.support.second_factor import code_of
from tests.support.wait import wait_until
from tests.verify.cast import owner
from ui.shell.cookie import NAME


async def test_a_reload_and_a_new_tab_stay_signed_in(open_window: OpenWindow) -> None:
    window = await open_window()
    account = await visitor.create_account_by_form(window.page, "Stayer")
    await window.page.reload()
    await visitor.is_signed_in(window.page)
    second = await window.open_tab("/events")
    await visitor.is_signed_in(second)
    await expect(second.get_by_test_id("stSidebar")).to_contain_text(account.name)


async def test_a_token_rotated_by_another_process_is_taken_over(
    open_window: OpenWindow, stack: StackInfo
) -> None:
    window = await open_window()
    await visitor.create_account_by_form(window.page, "Shared")
    await window.page.wait_for_function("name => document.cookie.includes(name)", arg=f"{NAME}=")
    ours = await cookie_of(window)
    elsewhere = anonymous_client(stack).auth.refresh_session(ours.token).session
    assert elsewhere is not None
    theirs = replace(ours, token=elsewhere.refresh_token, rotation=ours.rotation + 1)
    await window.page.evaluate("text => document.cookie = text", f"{NAME}={theirs}; Path=/; SameSite=Strict")
    reported = str(theirs).encode()
    await wait_until(
        lambda: any(reported in frame for frame in window.sent), within=20, what="the browser to report it"
    )
    assert await cookie_of(window) == theirs

    second = await window.open_tab()
    await visitor.is_signed_in(second)
    for tab in (window.page, second):
        await tab.wait_for_function("part => document.cookie.includes(part)", arg=f"~{theirs.rotation + 1}")
        await visitor.is_signed_in(tab)
    await visitor.sign_out(second)
    await second.wait_for_function("name => !document.cookie.includes(name)", arg=f"{NAME}=")


async def cookie_of(window: Window) -> SessionCookie:
    """Return the session cookie of a window."""
    [value] = [cookie["value"] for cookie in await window.context.cookies() if cookie.get("name") == NAME]
    return SessionCookie.parse(unquote(value))


async def test_signing_out_ends_every_tab_for_good(open_window: OpenWindow) -> None:
    window = await open_window()
    account = await visitor.create_account_by_form(window.page, "Leaver")
    second = await window.open_tab()
    await visitor.is_signed_in(second)
    elsewhere = await open_window()
    await visitor.sign_in_by_form(elsewhere.page, account.email, account.password)

    await visitor.sign_out(window.page)
    await visitor.is_signed_out(second)
    await visitor.is_signed_out(elsewhere.page)
    await window.page.reload()
    await visitor.is_signed_out(window.page)
    await expect(window.page.get_by_text(account.name)).to_have_count(0)


ASKED_FOR = {
    "agents": f"run={uuid.uuid4()}",
    "inbox": f"with={uuid.uuid4()}",
    "leaderboard": "campaign=autumn",
    "profile": "from=mail",
    "ratings": "code=a%20b%26c&code=2",
    "routing": "filter=status.eq.ok",
}
"""The pages for members, each with a query as a link might have it."""


async def test_a_visitor_is_at_the_wanted_address_after_signing_in(
    open_window: OpenWindow, stack: StackInfo
) -> None:
    person = sign_up(stack, "Regular")
    window = await open_window("/ratings?code=abc")
    page, main = window.page, window.page.get_by_test_id("stMain")
    for path, query in ASKED_FOR.items():
        await page.goto(f"{window.url}/{path}?{query}")
        for place in (main, page.get_by_test_id("stSidebar")):
            for name in ("Sign in", "Create account"):
                link = place.get_by_role("link", name=name)
                await expect(link).to_have_attribute("href", re.compile(r"[?]next="))
                assert leads_to(await link.get_attribute("href")) == (path, parse_qs(query))

    # By way of the other account page, which keeps it.
    await page.goto(f"{window.url}/agents?{ASKED_FOR['agents']}")
    await main.get_by_role("link", name="Create account").click()
    await expect(visitor.heading(page)).to_have_text("Join the Tavern")
    await main.get_by_role("link", name="Sign in").click()
    await expect(visitor.heading(page)).to_have_text("Welcome back")
    await page.get_by_label("Email").fill(person.email)
    await page.get_by_role("textbox", name="Password").fill(person.password)
    await visitor.form_button(page, "Sign in").click()
    await expect(main).to_contain_text("There is no such run")
    await expect(page).to_have_url(f"{window.url}/agents?{ASKED_FOR['agents']}")
    await expect(page.get_by_test_id("stSidebar")).to_contain_text(person.name)

    # Back leads to no form for somebody who is in already.
    for _ in ("Sign in", "Create account"):
        await page.go_back()
        await expect(visitor.heading(page)).to_have_text("You are signed in")
        await expect(main.get_by_text(f"As {person.name}.")).to_be_visible()
        await expect(main.get_by_role("textbox")).to_have_count(0)
    await main.get_by_role("link", name="Go to Agents").click()
    await expect(page).to_have_url(f"{window.url}/agents?{ASKED_FOR['agents']}")

    await visitor.sign_out(page)
    await page.goto(f"{window.url}/ratings?code=abc")
    await main.get_by_role("link", name="Create account").click()
    name = unique("Newcomer")
    await page.get_by_label("Display name").fill(name)
    await page.get_by_label("Email").fill(email_of(name))
    await page.get_by_role("textbox", name="Password").fill(PASSWORD)
    await visitor.form_button(page, "Create account").click()
    await expect(page.get_by_label("Invitation code")).to_have_value("abc")
    await expect(page).to_have_url(f"{window.url}/ratings?code=abc")


def leads_to(link: str | None) -> tuple[str, dict[str, list[str]]]:
    """Return the path and the query that a link to an account page leads back to."""
    [wanted] = parse_qs(urlsplit(link or "").query)["next"]
    path, _, query = wanted.partition("?")
    return path, parse_qs(query)


async def test_a_wrong_password_is_refused_with_a_message(open_window: OpenWindow, stack: StackInfo) -> None:
    person = sign_up(stack, "Forgetful")
    window = await open_window("/sign_in")
    await window.page.get_by_label("Email").fill(person.email)
    await window.page.get_by_role("textbox", name="Password").fill("not the password")
    await visitor.form_button(window.page, "Sign in").click()
    await expect(window.page.get_by_role("alert")).to_contain_text("password")
    await visitor.is_signed_out(window.page)


async def test_the_second_step_of_a_sign_in(open_window: OpenWindow, stack: StackInfo) -> None:
    person = sign_up(stack, "Guarded")
    owner_window = await open_window("/profile", person=person)
    secret = await set_up_two_steps(owner_window.page)
    window = await open_window("/sign_in")
    page = window.page
    field = page.get_by_label("Six-digit code")
    for answer in ("000000", "no code"):
        await visitor.fill_credentials(page, person.email, person.password)
        await visitor.form_button(page, "Sign in").click()
        await expect(visitor.heading(page)).to_have_text("One more step")
        await settled(page)
        await visitor.is_signed_out(page)
        await field.fill(answer)
        await visitor.form_button(page, "Sign in").click()
        await expect(page.get_by_role("alert")).to_contain_text("code")
        await settled(page)
        await page.get_by_role("button", name="Back").click()
        await expect(visitor.heading(page)).to_have_text("Welcome back")
        await settled(page)
    await visitor.fill_credentials(page, person.email, person.password)
    await visitor.form_button(page, "Sign in").click()
    await expect(visitor.heading(page)).to_have_text("One more step")
    await settled(page)
    await field.fill(code_of(secret, 1))
    await field.press("Enter")
    await visitor.is_signed_in(page)
    await page.reload()
    await visitor.is_signed_in(page)

    # Both go on, and either may switch it off.
    await page.goto(f"{window.url}/profile")
    await page.get_by_role("button", name="Switch it off").click()
    await page.get_by_role("dialog").get_by_role("button", name="Yes, switch it off").click()
    await expect(page.get_by_role("button", name="Set up two-step sign-in")).to_be_visible()
    await owner_window.page.reload()
    await expect(owner_window.page.get_by_role("button", name="Set up two-step sign-in")).to_be_visible()


async def set_up_two_steps(page: Page) -> str:
    """Add an authenticator app on one's profile; return its secret."""
    await page.get_by_role("button", name="Set up two-step sign-in").click()
    await expect(page.get_by_role("img", name="QR code")).to_be_visible()
    shown = page.get_by_test_id("stCode").filter(has_text=re.compile(r"^([A-Z2-7]{1,4} ?)+$"))
    secret = (await shown.inner_text()).replace(" ", "").strip()
    for code, answer in (("000000", "does not count"), (code_of(secret), "Keep these recovery codes")):
        field = page.get_by_label("Enter the six digits")
        await field.fill(code)
        await field.press("Enter")
        await expect(page.get_by_test_id("stMain")).to_contain_text(answer)
        await settled(page)
    await expect(page.get_by_test_id("stCode")).to_contain_text(re.compile(r"([0-9a-f]{4}-){4}[0-9a-f]{4}"))
    await page.get_by_role("button", name="I have kept them").click()
    await expect(page.get_by_test_id("stMain")).to_contain_text("10 recovery codes are left")
    return secret


async def test_a_visitor_may_look_around(open_window: OpenWindow) -> None:
    window = await open_window()
    for place in ("Events", "People", "Inbox", "Tavern"):
        await visitor.go(window.page, place)
        await expect(window.page.get_by_role("heading", level=1)).to_be_visible()
        await visitor.is_live(window.page)
    await visitor.go(window.page, "People")
    await expect(window.page.get_by_text("Mei Tanaka").first).to_be_visible()
    await expect(visitor.navigation(window.page, "Activity")).to_have_count(0)


def renew_in_app(stack: StackInfo, app: str, person: Person) -> bytes:
    """Let the app replace the token of a person's newest sign-in; return the end of their cookie then."""
    with owner(stack) as cursor:
        cursor.execute(
            "select token, session_id from auth.refresh_tokens where user_id = %s order by id desc",
            (person.user_id,),
        )
        token, session_id = next(iter(cursor))
    # The app is shown a token that it does not know yet, so it presents it and gets the next one.
    elsewhere = anonymous_client(stack).auth.refresh_session(token).session
    assert elsewhere is not None
    cookie = SessionCookie(elsewhere.refresh_token, session_id, 1)
    with websocket(urlsplit(app).netloc, app, {"Cookie": f"{NAME}={quote(str(cookie))}"}) as opened:
        open_session(opened)
        texts(opened, person.name)
    return f"~{session_id}~2".encode()


async def test_two_people_in_two_tabs_of_one_browser(open_window: OpenWindow, stack: StackInfo) -> None:
    ann, bo = sign_up(stack, "Ann"), sign_up(stack, "Bo")
    window = await open_window()
    first, second = window.page, await window.open_tab()
    await visitor.sign_in_by_form(first, ann.email, ann.password)
    await first.wait_for_function("name => document.cookie.includes(name)", arg=f"{NAME}=")
    hers = await cookie_of(window)

    # The first sign-in stays the browser's, and the second one says so.
    await visitor.sign_in_by_form(second, bo.email, bo.password)
    told = second.get_by_test_id("stSidebar").get_by_text(f"{ann.name} is signed in in this browser too")
    await expect(told).to_be_visible()
    assert (await cookie_of(window)).session_id == hers.session_id
    renewed = await asyncio.to_thread(renew_in_app, stack, window.url, bo)
    await wait_until(
        lambda: any(renewed in frame for frame in window.received), within=20, what="his new token"
    )
    await settled(second)
    assert (await cookie_of(window)).session_id == hers.session_id
    await visitor.sign_out(second)
    assert (await cookie_of(window)).session_id == hers.session_id
    await first.reload()
    await visitor.is_signed_in(first)

    # When she has left, the browser is his.
    await visitor.sign_in_by_form(second, bo.email, bo.password)
    await expect(told).to_be_visible()
    await visitor.sign_out(first)
    await expect(told).to_have_count(0)
    assert (await cookie_of(window)).session_id not in ("", hers.session_id)
    await second.reload()
    await expect(second.get_by_test_id("stSidebar")).to_contain_text(bo.name)

    # Also when she has closed her tab, and signs out everywhere from another device.
    await visitor.sign_out(second)
    first = await window.open_tab()
    await visitor.sign_in(first, ann.email, ann.password)
    await visitor.sign_in_by_form(second, bo.email, bo.password)
    await expect(told).to_be_visible()
    await first.close()
    hers = await cookie_of(window)
    # Her cookie stays fresh meanwhile, though no tab of hers writes it.
    renewed = await asyncio.to_thread(renew_in_app, stack, window.url, ann)
    await second.wait_for_function("part => document.cookie.includes(part)", arg=renewed.decode())
    device = await open_window(person=ann)
    await visitor.sign_out(device.page)
    await expect(told).to_have_count(0)
    await second.wait_for_function("part => !document.cookie.includes(part)", arg=hers.session_id)
    await second.reload()
    await expect(second.get_by_test_id("stSidebar")).to_contain_text(bo.name)
