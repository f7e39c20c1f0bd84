"""Private messages: between two people, and nowhere else."""

import re

from playwright.async_api import expect

from local_supabase.stack.runtime import StackInfo
from tests.browser.conftest import OpenWindow
from tests.support import visitor
from tests.support.people import give_role, sign_up, unique


async def test_two_people_write_to_each_other_and_nobody_else_learns_of_it(
    open_window: OpenWindow, stack: StackInfo
) -> None:
    admin = sign_up(stack, "Admin")
    give_role(stack, admin.user_id, "admin")
    a, b = await open_window(), await open_window()
    third, boss, passer_by = await open_window(), await open_window(), await open_window("/inbox")
    ann = await visitor.create_account(a.page, "Ann")
    bela = await visitor.create_account(b.page, "Bela")
    await visitor.create_account(third.page, "Curious")
    await visitor.sign_in(boss.page, admin.email, admin.password)
    await visitor.go(third.page, "Inbox")
    await visitor.go(boss.page, "Activity")
    for window in (a, b):
        await visitor.go(window.page, "Inbox")
        await visitor.is_live(window.page)

    secret, answer = unique("Only for you"), unique("Nobody must know")
    await visitor.write_to(a.page, bela.name, secret)
    await visitor.open_conversation(b.page, ann.name)
    await expect(visitor.conversation(b.page)).to_contain_text(secret)
    await visitor.reply(b.page, answer)
    await expect(visitor.conversation(a.page)).to_contain_text(answer)

    # What is too long stays where it was written.
    field = visitor.message_field(a.page)
    await field.fill("and then " * 600)
    await visitor.form_button(a.page, "Send").click()
    await expect(a.page.get_by_role("alert")).to_contain_text("Please shorten it.")
    await expect(field).to_have_value("and then " * 600)

    # Something public afterwards: whoever has seen it has had the chance to see the others.
    public = unique("Last orders")
    await visitor.go(a.page, "Tavern")
    await visitor.say(a.page, public)
    for window in (third, boss, passer_by):
        await visitor.go(window.page, "Tavern")
        await visitor.hears(window.page, public)
        for text in (secret, answer):
            assert not window.was_sent(text)
            assert not await window.shows(text)
    assert b.was_sent(secret)


async def test_the_count_of_unread_messages_is_live(open_window: OpenWindow) -> None:
    a, b = await open_window(), await open_window()
    ann = await visitor.create_account(a.page, "Ann")
    bela = await visitor.create_account(b.page, "Bela")
    await visitor.is_live(b.page)
    await visitor.go(a.page, "Inbox")
    runs = b.full_runs()

    await visitor.write_to(a.page, bela.name, unique("One"))
    await expect(visitor.navigation(b.page, "Inbox")).to_have_text(re.compile(r"Inbox\s*1$"))
    await visitor.reply(a.page, unique("Two"))
    await expect(visitor.navigation(b.page, "Inbox")).to_have_text(re.compile(r"Inbox\s*2$"))
    assert b.full_runs() == runs

    await visitor.go(b.page, "Inbox")
    await visitor.open_conversation(b.page, ann.name)
    await expect(visitor.navigation(b.page, "Inbox")).to_have_text(re.compile(r"Inbox$"))


async def test_typed_text_survives_what_arrives_meanwhile(open_window: OpenWindow) -> None:
    a, b = await open_window(), await open_window()
    ann = await visitor.create_account(a.page, "Ann")
    bela = await visitor.create_account(b.page, "Bela")
    await visitor.go(a.page, "Inbox")
    await visitor.go(b.page, "Inbox")
    await visitor.write_to(a.page, bela.name, unique("Hello"))
    await visitor.open_conversation(b.page, ann.name)

    field = visitor.message_field(b.page)
    await field.fill("Dear Ann, I have been meaning to")
    another = unique("Are you there?")
    await visitor.reply(a.page, another)
    await expect(visitor.conversation(b.page)).to_contain_text(another)
    await expect(field).to_have_value("Dear Ann, I have been meaning to")
