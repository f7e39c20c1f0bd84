"""The menu: grouped, out of the way on a phone, and the unread count is in sight with it closed."""

import re

from playwright.async_api import Locator, Page, expect

from local_supabase.stack.runtime import StackInfo
from tests.browser.conftest import OpenWindow
from tests.support import visitor
from tests.support.browser import PHONE, settled
from tests.support.people import give_role, sign_up, unique

_BADGE = "getComputedStyle(element, '::after').content"


def _menu(page: Page) -> Locator:
    return page.get_by_test_id("stSidebar")


async def _open_menu(page: Page) -> None:
    await page.get_by_role("button", name="Expand sidebar").click()
    await expect(_menu(page)).to_have_attribute("data-collapsed", "false")


async def _is_closed(page: Page) -> None:
    await expect(_menu(page)).to_have_attribute("data-collapsed", "true")


async def test_on_a_phone_the_menu_goes_when_it_has_served(open_window: OpenWindow, stack: StackInfo) -> None:
    me, sender = sign_up(stack, "Walker"), sign_up(stack, "Sender")
    window = await open_window("/sign_in", viewport=PHONE)
    page = window.page
    await visitor.fill_credentials(page, me.email, me.password)
    await visitor.form_button(page, "Sign in").click()
    await visitor.is_signed_in(page)
    await _is_closed(page)

    await _open_menu(page)
    await visitor.go(page, "Events")
    await _is_closed(page)
    await _open_menu(page)
    await page.reload()
    await settled(page)
    await _is_closed(page)
    await expect(page).to_have_title("Events · Tavern")

    tabs = page.locator(".st-key-tabs").get_by_role("link")
    await expect(tabs).to_have_text(
        [re.compile(f"{name}$") for name in ("Home", "Tavern", "Events", "People", "Inbox")]
    )
    rows = [{"sender_id": sender.user_id, "recipient_id": me.user_id, "body": unique("Hi")} for _ in "ab"]
    sender.client.table("private_messages").insert(rows).execute()
    await expect(page).to_have_title("(2) Events · Tavern")
    inbox, button = tabs.filter(has_text="Inbox"), page.get_by_role("button", name="Expand sidebar")
    await expect(inbox.locator(".stMarkdownBadge")).to_have_text("2")
    assert await button.evaluate(f"element => {_BADGE}") == '"2"'
    await expect(button).to_be_in_viewport()

    await inbox.click()
    await expect(visitor.heading(page)).to_have_text("Inbox")
    await expect(page).to_have_title("(2) Inbox · Tavern")
    await expect(inbox).to_have_attribute("aria-current", "page")
    # Nothing is read in the list, which makes room for a conversation and comes back.
    await expect(visitor.in_list(page, sender.name)).to_be_visible()
    await expect(visitor.message_field(page)).to_have_count(0)
    await expect(page).to_have_title("(2) Inbox · Tavern")
    await visitor.open_conversation(page, sender.name)
    await expect(visitor.message_field(page)).to_be_in_viewport()
    await expect(visitor.in_list(page, sender.name)).to_have_count(0)
    await expect(page).to_have_title("Inbox · Tavern")
    await page.get_by_role("button", name="All conversations").click()
    await expect(visitor.in_list(page, sender.name)).to_be_visible()
    await expect(visitor.message_field(page)).to_have_count(0)
    await expect(inbox.locator(".stMarkdownBadge")).to_have_count(0)
    assert await button.evaluate(f"element => {_BADGE}") == "none"


async def test_the_menu_is_grouped_and_ends_with_the_persons_own(
    open_window: OpenWindow, stack: StackInfo
) -> None:
    admin = sign_up(stack, "Admin")
    give_role(stack, admin.user_id, "admin")
    window = await open_window()
    groups = _menu(window.page).locator(".tv-group")
    await expect(groups).to_have_text(["House"])
    await visitor.sign_in(window.page, admin.email, admin.password)
    await expect(groups).to_have_text(["House", "Workshop", "Admin"])
    links = window.page.locator(".st-key-links").get_by_role("link")
    house = ["Home", "Tavern", "Events", "People", "Inbox"]
    workshop = ["Agents", "Routing", "Ratings", "Leaderboard"]
    await expect(links).to_have_text(
        [re.compile(f"{name}$") for name in (*house, *workshop, "Activity", "Diagnostics")]
    )
    await expect(window.page.locator(".st-key-tabs")).to_be_hidden()
    await visitor.own_menu(window.page).click()
    await window.page.get_by_role("link", name="Your profile").click()
    await expect(window.page).to_have_title("Your profile · Tavern")
    await expect(window.page.get_by_test_id("stPopoverBody")).to_have_count(0)
    await visitor.sign_out(window.page)
    await expect(groups).to_have_text(["House"])
