"""What people do in the app, by the names they see."""

import re
from dataclasses import dataclass

from playwright.async_api import Locator, Page, expect

from tests.support.browser import settled
from tests.support.people import PASSWORD, email_of, unique


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who signed up in a browser."""

    name: str
    email: str
    password: str


# ---------------------------------------------------------------- getting around


# What a page calls itself, where that is not what the navigation calls it.
_HEADINGS = {"Tavern": "The common room", "Sign in": "Welcome back", "Create account": "Join the Tavern"}


def navigation(page: Page, name: str) -> Locator:
    """The link to a page of the app, which may end in a count."""
    return page.get_by_test_id("stSidebar").get_by_role("link", name=re.compile(rf"\b{name}\b"))


def title_of(name: str) -> str:
    """Return what the page with this name in the navigation calls itself."""
    return _HEADINGS.get(name, name)


def heading(page: Page) -> Locator:
    """Return where a page says what it is."""
    return page.get_by_role("heading", level=1)


async def go(page: Page, name: str) -> None:
    """Open a page of the app from the navigation."""
    await navigation(page, name).click()
    await expect(heading(page)).to_have_text(title_of(name))
    await settled(page)


def badge(page: Page) -> Locator:
    """The badge that says how the page is connected."""
    return page.locator('[class*="st-key-status-"]')


async def is_live(page: Page) -> None:
    """Wait until the badge says that changes arrive."""
    await expect(page.get_by_role("button", name="Live", exact=False)).to_be_visible()


# ---------------------------------------------------------------- accounts


async def create_account(page: Page, name: str) -> Account:
    """Sign up as somebody of this name (made unique)."""
    name = unique(name)
    account = Account(name, email_of(name), PASSWORD)
    await go(page, "Create account")
    await page.get_by_label("Display name").fill(account.name)
    await _fill_credentials(page, account.email, account.password)
    await form_button(page, "Create account").click()
    await is_signed_in(page)
    return account


async def sign_in(page: Page, email: str, password: str) -> None:
    """Sign in with the form."""
    await go(page, "Sign in")
    await _fill_credentials(page, email, password)
    await form_button(page, "Sign in").click()
    await is_signed_in(page)


async def _fill_credentials(page: Page, email: str, password: str) -> None:
    await page.get_by_label("Email").fill(email)
    await page.get_by_role("textbox", name="Password").fill(password)


def form_button(page: Page, name: str) -> Locator:
    """The button that sends a form."""
    return page.get_by_test_id("stFormSubmitButton").get_by_role("button", name=name)


async def sign_out(page: Page) -> None:
    """Sign out with the button."""
    await page.get_by_role("button", name="Sign out").click()
    await is_signed_out(page)


async def is_signed_in(page: Page) -> None:
    """Wait until the app offers to sign out, and has put its cookie."""
    await expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    await settled(page)


async def is_signed_out(page: Page) -> None:
    """Wait until the app offers to sign in."""
    await expect(page.get_by_role("button", name="Sign out")).to_have_count(0)
    await expect(navigation(page, "Sign in")).to_be_visible()


# ---------------------------------------------------------------- the common room


def room_input(page: Page) -> Locator:
    """Where one says something to everybody."""
    return page.get_by_placeholder("Say something…")


async def say(page: Page, text: str) -> None:
    """Say something in the common room, and see it there."""
    await room_input(page).fill(text)
    await room_input(page).press("Enter")
    await hears(page, text)


async def hears(page: Page, text: str) -> None:
    """Wait until something is heard in the common room."""
    await expect(page.get_by_role("log", name="Messages").get_by_text(text, exact=True)).to_be_visible()


def message(page: Page, text: str) -> Locator:
    """Return the message, or the event, that has this text."""
    return page.locator("[data-row]").filter(has_text=text)


async def use(page: Page, text: str, action: str) -> None:
    """Press a button of the message, or of the event, that has this text."""
    row = message(page, text)
    await row.hover()
    await row.get_by_role("button", name=action).click()


# ---------------------------------------------------------------- events


def event(page: Page, title: str) -> Locator:
    """The card of an event."""
    return page.locator("[data-row]").filter(has_text=title)


async def create_event(
    page: Page, title: str, *, location: str = "The garden", capacity: int | None = None
) -> None:
    """Fill in and send the form for a new event."""
    await page.get_by_role("button", name="New event").click()
    await page.get_by_label("Title").fill(title)
    await page.get_by_label("Location").fill(location)
    if capacity is not None:
        await page.get_by_label("Capacity").fill(str(capacity))
    await form_button(page, "Create event").click()
    await expect(event(page, title)).to_be_visible()


# ---------------------------------------------------------------- private messages


async def write_to(page: Page, name: str, text: str) -> None:
    """Choose somebody in the inbox and send them a message."""
    await choose(page.get_by_test_id("stSelectbox").filter(has_text="To"), name)
    await page.get_by_label("Message", exact=True).fill(text)
    await page.get_by_role("button", name="Send", exact=True).click()
    await expect(conversation(page)).to_contain_text(text)


async def choose(select: Locator, option: str) -> None:
    """Choose an option of a select box by typing it."""
    await select.get_by_role("combobox").fill(option)
    await select.page.get_by_role("option", name=option).click()


def conversation(page: Page) -> Locator:
    """The open conversation."""
    return page.get_by_role("log", name="Messages")


async def open_conversation(page: Page, name: str) -> None:
    """Open the conversation with somebody from the list."""
    await page.get_by_test_id("stMain").get_by_role("button", name=name).click()


def message_field(page: Page) -> Locator:
    """Where one writes a private message."""
    return page.get_by_label("Message", exact=True)


async def reply(page: Page, text: str) -> None:
    """Send a message in the open conversation."""
    await message_field(page).fill(text)
    await page.get_by_role("button", name="Send", exact=True).click()
    await expect(conversation(page)).to_contain_text(text)


# ---------------------------------------------------------------- the activity


def entry(page: Page, text: str) -> Locator:
    """The line of the activity that mentions something."""
    return page.get_by_test_id("stMain").locator("article, tr, li").filter(has_text=text).first
