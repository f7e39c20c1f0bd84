"""The database is unreachable: people see that, and what they wrote is kept and sent once afterwards."""

from playwright.async_api import Browser, expect

from local_supabase.stack.runtime import StackInfo
from tests.livetables.fault_proxy import FaultProxy
from tests.support import visitor
from tests.support.app import AppUnderTest
from tests.support.browser import Window, open_window
from tests.support.people import Person, sign_up, unique


async def test_messages_written_offline_are_kept_and_sent_once(
    castaway: tuple[Window, Person], stack: StackInfo, proxy: FaultProxy
) -> None:
    window, me = castaway
    page, said, thought = window.page, unique("Message in a bottle"), unique("Second thoughts")
    friend = sign_up(stack, "Friend")
    await page.set_viewport_size({"width": 1280, "height": 800})
    await expect(visitor.room_input(page)).to_be_in_viewport(ratio=1)
    await visitor.go(page, "Inbox")
    proxy.refuse()
    await expect(visitor.badge(page)).to_contain_text("Offline")
    whispered = unique("Psst")
    await visitor.address(page, friend.name)
    await visitor.message_field(page).fill(whispered)
    await visitor.message_field(page).press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("your text is kept")
    await expect(page.get_by_text(f"To {friend.name}")).to_be_visible()
    await expect(visitor.message_field(page)).to_have_value("")

    await visitor.go(page, "Tavern")
    for text in (said, thought):
        await visitor.room_input(page).fill(text)
        await visitor.room_input(page).press("Enter")
        await expect(page.get_by_test_id("stMain").get_by_text(text)).to_be_visible()
    await expect(page.get_by_role("alert").first).to_contain_text("your text is kept")
    await expect(visitor.room_input(page)).to_be_in_viewport(ratio=1)
    # Not even a reload loses it, and what is thought better of is not sent.
    await page.reload()
    await visitor.is_signed_in(page)
    await expect(page.get_by_text(said)).to_be_visible()
    await page.get_by_role("button", name="Discard").last.click()
    await expect(page.get_by_text(thought)).to_have_count(0)

    proxy.heal()
    await visitor.hears(page, said)
    await expect(page.get_by_role("button", name="Discard")).to_have_count(0)
    await expect(page.get_by_text(said)).to_have_count(1)
    await visitor.go(page, "Inbox")
    await visitor.open_conversation(page, friend.name)
    await expect(visitor.conversation(page).get_by_text(whispered)).to_have_count(1)
    await expect(visitor.conversation(page)).to_contain_text("sent")
    assert _bodies(me, "tavern_messages") == [said]
    assert _bodies(me, "private_messages") == [whispered]


def _bodies(me: Person, table: str) -> list[str]:
    author = "author_id" if table == "tavern_messages" else "sender_id"
    rows = me.client.table(table).select("body").eq(author, me.user_id).execute().data
    return [str(row["body"]) for row in rows if isinstance(row, dict)]


async def test_signing_in_during_an_outage_shows_why_it_fails(
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
    castaway: tuple[Window, Person], proxy: FaultProxy
) -> None:
    page = castaway[0].page
    proxy.refuse()
    await page.reload()
    await visitor.is_signed_in(page)
    proxy.heal()
    await visitor.is_live(page)
    text = unique("Back again")
    await visitor.say(page, text)
    await expect(page.get_by_text(text)).to_be_visible()
