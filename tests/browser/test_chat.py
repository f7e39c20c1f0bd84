"""The common room: messages reach everybody, and nobody is disturbed while writing."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.async_api import expect

from local_supabase.stack.runtime import StackInfo
from tests.browser.conftest import OpenWindow
from tests.support import visitor
from tests.support.people import sign_up, unique
from tests.verify.cast import owner


async def test_messages_reach_others_without_a_full_run(open_window: OpenWindow, stack: StackInfo) -> None:
    a = await open_window(person=sign_up(stack, "Ann"))
    b = await open_window(person=sign_up(stack, "Bela"))
    await visitor.is_live(a.page)
    await visitor.is_live(b.page)
    runs = a.full_runs(), b.full_runs()

    hello, answer = unique("Good evening"), unique("And to you")
    await visitor.say(a.page, hello)
    await visitor.hears(b.page, hello)
    await visitor.say(b.page, answer)
    await visitor.hears(a.page, answer)

    assert (a.full_runs(), b.full_runs()) == runs


async def test_messages_reach_visitors_too(open_window: OpenWindow, stack: StackInfo) -> None:
    speaker = await open_window(person=sign_up(stack, "Speaker"))
    visitor_window = await open_window()
    text = unique("For everybody")
    await visitor.say(speaker.page, text)
    await visitor.hears(visitor_window.page, text)
    await expect(visitor_window.page.get_by_role("link", name="Sign in to write")).to_be_visible()
    welcome = visitor_window.page.get_by_role("region", name="Welcome")
    await expect(welcome).to_contain_text("Tavern is a live meeting place")


async def test_typed_text_survives_messages_of_others(open_window: OpenWindow, stack: StackInfo) -> None:
    a = await open_window(person=sign_up(stack, "Slow"))
    b = await open_window(person=sign_up(stack, "Quick"))
    await visitor.room_input(a.page).fill("I was just about to")
    for number in range(3):
        text = unique(f"Remark {number}")
        await visitor.say(b.page, text)
        await visitor.hears(a.page, text)
    await expect(visitor.room_input(a.page)).to_have_value("I was just about to")
    await expect(visitor.room_input(a.page)).to_be_focused()


async def test_one_edits_and_deletes_ones_own_message(open_window: OpenWindow, stack: StackInfo) -> None:
    a = await open_window(person=sign_up(stack, "Editor"))
    b = await open_window()
    before, after = unique("Frist"), unique("First")
    await visitor.say(a.page, before)
    await visitor.hears(b.page, before)

    await visitor.use(a.page, before, "Edit")
    dialog = a.page.get_by_role("dialog")
    await dialog.get_by_label("Message").fill(after)
    await dialog.get_by_role("button", name="Save").click()
    await expect(b.page.get_by_role("log")).to_contain_text(f"{after} (edited)")

    await visitor.use(a.page, after, "Delete")
    await a.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await expect(b.page.get_by_role("log")).not_to_contain_text(after)


async def test_a_text_that_is_too_long_can_be_shortened(open_window: OpenWindow, stack: StackInfo) -> None:
    window = await open_window(person=sign_up(stack, "Talkative"))
    text = unique("A long story")
    await visitor.room_input(window.page).fill(f"{text} " + "and then " * 300)
    await visitor.room_input(window.page).press("Enter")
    await expect(window.page.get_by_role("alert")).to_contain_text("Please shorten it.")
    await expect(visitor.room_input(window.page)).to_have_value(re.compile(f"^{text} and then .*and then$"))
    await visitor.say(window.page, text)
    await expect(window.page.get_by_text("Please shorten it.")).to_have_count(0)


async def test_a_message_beyond_the_quota_waits_and_is_sent_by_itself(
    open_window: OpenWindow, stack: StackInfo
) -> None:
    speaker = sign_up(stack, "Speaker")
    window = await open_window(person=speaker)
    page, second = window.page, unique("Second")
    await visitor.go(page, "Tavern")
    with narrow_quota(stack):
        await visitor.say(page, unique("First"))
        await visitor.room_input(page).fill(second)
        await visitor.room_input(page).press("Enter")
        await expect(page.get_by_test_id("stMain")).to_contain_text("A little slower, please.")
        await expect(page.get_by_role("button", name="Try again")).to_have_count(0)
        await visitor.hears(page, second)
        await expect(page.get_by_text("A little slower, please.")).to_have_count(0)


@contextmanager
def narrow_quota(stack: StackInfo) -> Iterator[None]:
    """Let people say one thing every six seconds."""
    where = "where table_name = 'tavern_messages'"
    change = f"update private.quotas set rows_per_minute = %s, rows_at_once = %s {where}"
    with owner(stack) as cursor:
        cursor.execute(f"select rows_per_minute, rows_at_once from private.quotas {where}")
        before = cursor.fetchone()
        cursor.execute(change, (10, 1))
    try:
        yield
    finally:
        with owner(stack) as cursor:
            cursor.execute(change, before)
