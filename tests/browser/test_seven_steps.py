"""The customer's acceptance test: what A does appears in B, and the other way round."""

from playwright.async_api import expect

from tests.browser.conftest import OpenWindow
from tests.support import visitor
from tests.support.people import unique


async def test_what_one_browser_does_appears_in_the_other(open_window: OpenWindow) -> None:
    # 1. Open the app in two different browsers.
    a = await open_window()
    b = await open_window()
    await visitor.create_account_by_form(b.page, "Bela")
    await visitor.go(b.page, "People")

    # 2. Register a user in browser A; 3. browser B sees the new user appear.
    ann = await visitor.create_account_by_form(a.page, "Ann")
    # The first, because for a moment a card that moves on is in two parts of the list.
    await expect(b.page.get_by_test_id("stMain").get_by_text(ann.name).first).to_be_visible()

    # 4. Create an event in browser A; 5. browser B sees the event appear.
    await visitor.go(b.page, "Events")
    await visitor.go(a.page, "Events")
    title = unique("Stew night")
    await visitor.create_event(a.page, title)
    card_a, card_b = visitor.event(a.page, title), visitor.event(b.page, title)
    await expect(card_b).to_be_visible()

    # 6. RSVP to the event in browser B; 7. browser A sees it.
    runs = a.full_runs()
    await card_b.get_by_role("button", name="Going").click()
    await expect(card_a).to_contain_text("1 going")
    assert a.full_runs() == runs
