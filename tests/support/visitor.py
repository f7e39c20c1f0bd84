"""What people do in the app, in terms of the labels that they see."""

import re
from dataclasses import dataclass
from urllib.parse import quote

from playwright.async_api import (
    BrowserContext,
    Locator,
    Page,
    TimeoutError,  # noqa: A004 - Playwright's own
    expect,
)

from tests.support.browser import settled
from tests.support.people import PASSWORD, email_of, sign_in_elsewhere, sign_up, stack_of, unique
from ui.shell.cookie import NAME


@dataclass(frozen=True, slots=True)
class Account:
    """An account that was made in a browser."""

    name: str
    email: str
    password: str


# ---------------------------------------------------------------- getting around


# The titles of pages that the navigation calls by another name.
_HEADINGS = {"Tavern": "The common room", "Sign in": "Welcome back", "Create account": "Join the Tavern"}


def navigation(page: Page, name: str) -> Locator:
    """Return the link to a page of the app. Its text may end in a count."""
    return page.get_by_test_id("stSidebar").get_by_role("link", name=re.compile(rf"\b{name}\b"))


def title_of(name: str) -> str:
    """Return the title of the page that has this name in the navigation."""
    return _HEADINGS.get(name, name)


def heading(page: Page) -> Locator:
    """Return the title of a page."""
    return page.get_by_role("heading", level=1)


async def go(page: Page, name: str) -> None:
    """Open a page of the app from the navigation, or from one's own menu."""
    if name == "Your profile":
        await own_menu(page).click()
        await page.get_by_test_id("stPopoverBody").get_by_role("link", name=name).click()
    else:
        await navigation(page, name).click()
    # For a moment the title of the page before may still be there.
    await expect(page.get_by_role("heading", level=1, name=title_of(name), exact=True)).to_be_visible()
    await settled(page)
    await expect(heading(page)).to_have_text(title_of(name))


def badge(page: Page) -> Locator:
    """Return the badge with the status of the connection."""
    return page.locator('[class*="st-key-status-"]')


async def is_live(page: Page) -> None:
    """Wait until the badge says `Live`."""
    await expect(page.get_by_role("button", name="Live", exact=False)).to_be_visible()


# ---------------------------------------------------------------- accounts


async def create_account(page: Page, name: str) -> Account:
    """Make an account with this name, made unique, and be signed in to it."""
    person = sign_up(stack_of(page.url), name)
    account = Account(person.name, person.email, person.password)
    await sign_in(page, account.email, account.password)
    return account


async def sign_in(page: Page, email: str, password: str) -> None:
    """Be signed in as a browser is that comes back: by its cookie. It takes a third of the form's time.

    It loads the page again. `open_window(person=...)` signs in before the page is loaded at all.
    """
    await remember(page.context, page.url, email, password)
    await page.reload()
    await is_signed_in(page)


async def remember(context: BrowserContext, url: str, email: str, password: str) -> None:
    """Give a browser the cookie of a person who is signed in to the app at `url`."""
    session = sign_in_elsewhere(stack_of(url), email, password)
    await context.add_cookies(
        [{"name": NAME, "value": quote(str(session)), "url": url, "sameSite": "Strict"}]
    )


async def create_account_by_form(page: Page, name: str) -> Account:
    """Sign up with this name, made unique, as people do."""
    name = unique(name)
    account = Account(name, email_of(name), PASSWORD)
    await go(page, "Create account")
    await page.get_by_label("Display name").fill(account.name)
    await fill_credentials(page, account.email, account.password)
    await form_button(page, "Create account").click()
    await is_signed_in(page)
    return account


async def sign_in_by_form(page: Page, email: str, password: str) -> None:
    """Sign in as people do."""
    await go(page, "Sign in")
    await fill_credentials(page, email, password)
    await form_button(page, "Sign in").click()
    await is_signed_in(page)


async def fill_credentials(page: Page, email: str, password: str) -> None:
    await page.get_by_label("Email").fill(email)
    await page.get_by_role("textbox", name="Password").fill(password)


def form_button(page: Page, name: str) -> Locator:
    """Return the button that submits a form."""
    return page.get_by_test_id("stFormSubmitButton").get_by_role("button", name=name)


async def sign_out(page: Page) -> None:
    """Sign out from the person's own menu."""
    await own_menu(page).click()
    await page.get_by_role("button", name="Sign out", exact=True).click()
    await is_signed_out(page)


def own_menu(page: Page) -> Locator:
    """Return the button that opens the signed-in person's own menu."""
    return page.get_by_test_id("stSidebar").get_by_role("button", name="Account")


async def is_signed_in(page: Page) -> None:
    """Wait until the person has a menu of their own and the run, which sets the cookie, has finished."""
    await expect(own_menu(page)).to_be_visible()
    await settled(page)


async def is_signed_out(page: Page) -> None:
    """Wait until the app offers to sign in and the run, which takes away what was shown, has finished."""
    await expect(own_menu(page)).to_have_count(0)
    await expect(navigation(page, "Sign in")).to_be_visible()
    await settled(page)


# ---------------------------------------------------------------- the common room


def room_input(page: Page) -> Locator:
    """Return the input of the common room."""
    return page.get_by_placeholder("Say something…")


async def say(page: Page, text: str) -> None:
    """Send a message to the common room and wait until it is shown."""
    await room_input(page).fill(text)
    await room_input(page).press("Enter")
    await hears(page, text)


async def hears(page: Page, text: str) -> None:
    """Wait until a message is shown in the common room."""
    await expect(page.get_by_role("log", name="Messages").get_by_text(text, exact=True)).to_be_visible()


def message(page: Page, text: str) -> Locator:
    """Return the message or event that contains this text."""
    return page.locator("article[data-row]").filter(has_text=text)


async def use(page: Page, text: str, action: str) -> None:
    """Press a button of the message or event that contains this text."""
    row = message(page, text)
    await row.hover()
    await row.get_by_role("button", name=action).click()


# ---------------------------------------------------------------- events


def event(page: Page, title: str) -> Locator:
    """Return the card of an event."""
    return page.locator("article[data-row]").filter(has_text=title)


async def create_event(
    page: Page, title: str, *, location: str = "The garden", capacity: int | None = None
) -> None:
    """Fill in and submit the form for a new event."""
    await page.get_by_role("button", name="New event").click()
    await page.get_by_role("textbox", name="Title").fill(title)
    await page.get_by_role("textbox", name="Location").fill(location)
    if capacity is not None:
        await page.get_by_label("Capacity").fill(str(capacity))
    await form_button(page, "Create event").click()
    await expect(event(page, title)).to_be_visible()


# ---------------------------------------------------------------- private messages


async def write_to(page: Page, name: str, text: str) -> None:
    """Choose a person in the inbox and send them a message."""
    await address(page, name)
    await reply(page, text)


async def address(page: Page, name: str) -> None:
    """Choose a person to write to."""
    await page.get_by_role("button", name="New message").click()
    await choose(page.get_by_role("dialog").get_by_test_id("stSelectbox"), name)
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(page.get_by_role("heading", level=2)).to_contain_text(name)


async def choose(select: Locator, option: str) -> None:
    """Choose an option of a select box by typing its text."""
    field, wanted = select.get_by_role("combobox"), select.page.get_by_role("option", name=option)
    for _ in range(5):
        # The list closes when the page scrolls or is drawn anew. Whoever sees that opens it again.
        await field.click()
        await field.fill(option)
        try:
            await wanted.click(timeout=5_000)
        except TimeoutError:
            await field.press("Escape")
        else:
            return
    await wanted.click()


def conversation(page: Page) -> Locator:
    """Return the open conversation."""
    return page.get_by_role("log", name="Messages")


async def open_conversation(page: Page, name: str) -> None:
    """Open the conversation with a person from the list."""
    await in_list(page, name).click()
    await expect(page.get_by_role("heading", level=2)).to_contain_text(name)


def in_list(page: Page, name: str) -> Locator:
    """Return the conversation with a person in the list."""
    return page.locator(".tv-conversations").get_by_role("button", name=name)


def message_field(page: Page) -> Locator:
    """Return the input for a private message."""
    return page.locator(".st-key-inbox_pane").get_by_role("textbox").filter(visible=True)


async def reply(page: Page, text: str) -> None:
    """Send a message in the open conversation."""
    await message_field(page).fill(text)
    await message_field(page).press("Enter")
    await expect(conversation(page)).to_contain_text(text)


# ---------------------------------------------------------------- the activity


def entry(page: Page, text: str) -> Locator:
    """Return the newest entry of the activity that contains this text."""
    return page.get_by_test_id("stMain").locator("article, tr, li").filter(has_text=text).first
