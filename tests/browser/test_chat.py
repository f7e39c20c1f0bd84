"""The common room: what one says, the others hear, and nobody is disturbed while writing."""

import re

from playwright.async_api import expect

from tests.browser.conftest import OpenWindow
from tests.support import visitor
from tests.support.people import unique


async def test_people_hear_each_other_without_a_full_run(open_window: OpenWindow) -> None:
    a, b = await open_window(), await open_window()
    await visitor.create_account(a.page, "Ann")
    await visitor.create_account(b.page, "Bela")
    await visitor.is_live(a.page)
    await visitor.is_live(b.page)
    runs = a.full_runs(), b.full_runs()

    hello, answer = unique("Good evening"), unique("And to you")
    await visitor.say(a.page, hello)
    await visitor.hears(b.page, hello)
    await visitor.say(b.page, answer)
    await visitor.hears(a.page, answer)

    assert (a.full_runs(), b.full_runs()) == runs


async def test_somebody_who_only_looks_hears_too(open_window: OpenWindow) -> None:
    speaker, visitor_window = await open_window(), await open_window()
    await visitor.create_account(speaker.page, "Speaker")
    text = unique("For everybody")
    await visitor.say(speaker.page, text)
    await visitor.hears(visitor_window.page, text)
    await expect(visitor.room_input(visitor_window.page)).to_have_count(0)


async def test_half_a_sentence_survives_what_others_say(open_window: OpenWindow) -> None:
    a, b = await open_window(), await open_window()
    await visitor.create_account(a.page, "Slow")
    await visitor.create_account(b.page, "Quick")
    await visitor.room_input(a.page).fill("I was just about to")
    for number in range(3):
        text = unique(f"Remark {number}")
        await visitor.say(b.page, text)
        await visitor.hears(a.page, text)
    await expect(visitor.room_input(a.page)).to_have_value("I was just about to")
    await expect(visitor.room_input(a.page)).to_be_focused()


async def test_one_edits_and_deletes_ones_own_message(open_window: OpenWindow) -> None:
    a, b = await open_window(), await open_window()
    await visitor.create_account(a.page, "Editor")
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


async def test_a_text_that_is_too_long_is_given_back_to_be_shortened(open_window: OpenWindow) -> None:
    window = await open_window()
    await visitor.create_account(window.page, "Talkative")
    text = unique("A long story")
    await visitor.room_input(window.page).fill(f"{text} " + "and then " * 300)
    await visitor.room_input(window.page).press("Enter")
    await expect(window.page.get_by_role("alert")).to_contain_text("Please shorten it.")
    kept = window.page.get_by_label("Your message")
    await expect(kept).to_have_value(re.compile(f"^{text} and then .*and then$"))
    await kept.fill(text)
    await window.page.get_by_role("button", name="Send", exact=True).click()
    await visitor.hears(window.page, text)
    await expect(kept).to_have_count(0)
