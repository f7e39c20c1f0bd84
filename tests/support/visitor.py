"""What people do in the app, by the names they see."""

import re
from dataclasses import dataclass

from playwright.async_api import Locator, Page, expect

from tests.support.browser import Window, settled
from tests.support.people import PASSWORD, email_of, unique


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who signed up in a browser."""

    name: str
    email: str
    password: str


def navigation(page: Page, name: str) -> Locator:
    """The link to a page of the app; its text may go on with a count."""
    return page.get_by_test_id("stSidebarNav").get_by_role("link", name=re.compile(rf"^\W*{name}\b"))


async def go(page: Page, name: str) -> None:
    """Open a page of the app from the navigation."""
    link = navigation(page, name)
    await link.click()
    await settled(page)


async def create_account(page: Page, name: str) -> Account:
    """Sign up as somebody of this name (made unique)."""
    account = Account(unique(name), email_of(unique(name)), PASSWORD)
    await go(page, "Sign in")
    await page.get_by_role("tab", name="Create account").click()
    form = page.get_by_role("tabpanel", name="Create account")
    await form.get_by_label("Display name").fill(account.name)
    await form.get_by_label("Email").fill(account.email)
    await form.get_by_label("Password", exact=True).fill(account.password)
    await form.get_by_role("button", name="Create account").click()
    await is_signed_in(page)
    return account


async def sign_in(page: Page, email: str, password: str) -> None:
    """Sign in with the form."""
    await go(page, "Sign in")
    form = page.get_by_role("tabpanel", name="Sign in")
    await form.get_by_label("Email").fill(email)
    await form.get_by_label("Password", exact=True).fill(password)
    await form.get_by_role("button", name="Sign in").click()
    await is_signed_in(page)


async def sign_out(page: Page) -> None:
    """Sign out with the button."""
    await page.get_by_role("button", name="Sign out").click()
    await is_signed_out(page)


async def is_signed_in(page: Page) -> None:
    """Wait until the app offers to sign out."""
    await expect(page.get_by_role("button", name="Sign out")).to_be_visible()


async def is_signed_out(page: Page) -> None:
    """Wait until the app offers to sign in."""
    await expect(page.get_by_role("button", name="Sign out")).to_have_count(0)
    await expect(navigation(page, "Sign in")).to_be_visible()


async def is_live(window: Window) -> None:
    """Wait until the badge says that changes arrive."""
    await expect(window.page.get_by_text("Live", exact=True)).to_be_visible()
