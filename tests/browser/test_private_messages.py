"""Private messages: between two people, and nowhere else."""

import asyncio
import re

from playwright.async_api import expect

from local_supabase.stack.runtime import StackInfo
from tests.browser.conftest import OpenWindow
from tests.support import visitor
from tests.support.browser import settled
from tests.support.line import Line
from tests.support.people import Person, give_role, sign_up, unique


async def test_two_people_write_to_each_other_and_nobody_else_learns_of_it(
    open_window: OpenWindow, stack: StackInfo
) -> None:
    admin = sign_up(stack, "Admin")
    give_role(stack, admin.user_id, "admin")
    ann, bela = sign_up(stack, "Ann"), sign_up(stack, "Bela")
    a = await open_window(person=ann)
    b = await open_window(person=bela)
    third = await open_window(person=sign_up(stack, "Curious"))
    boss = await open_window(person=admin)
    passer_by = await open_window("/inbox")
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
    field, long = visitor.message_field(a.page), "and then" * 700
    await field.fill(long)
    await field.press("Enter")
    await expect(a.page.get_by_role("alert")).to_contain_text("Please shorten it.")
    await expect(field).to_have_value(long)

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


async def test_the_count_of_unread_messages_is_live(open_window: OpenWindow, stack: StackInfo) -> None:
    ann, bela = sign_up(stack, "Ann"), sign_up(stack, "Bela")
    a = await open_window(person=ann)
    b = await open_window(person=bela)
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


async def test_typed_text_survives_what_arrives_meanwhile(open_window: OpenWindow, stack: StackInfo) -> None:
    ann, bela = sign_up(stack, "Ann"), sign_up(stack, "Bela")
    a = await open_window(person=ann)
    b = await open_window(person=bela)
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


def _write(sender: Person, recipient: Person, body: str) -> str:
    row = {"sender_id": sender.user_id, "recipient_id": recipient.user_id, "body": body}
    sender.client.table("private_messages").insert(row).execute()
    return body


async def test_nothing_is_lost_between_two_conversations(open_window: OpenWindow, stack: StackInfo) -> None:
    me, bela, cora = (sign_up(stack, name) for name in ("Reader", "Bela", "Cora"))
    for sender in (bela, cora):
        _write(sender, me, f"By {sender.name}")
    window, line = await open_window(person=me), Line()
    page = await line.open_tab(window, f"/inbox?with={bela.user_id}")
    thread, field = visitor.conversation(page), visitor.message_field(page)
    await expect(thread).to_contain_text(f"By {bela.name}")

    # A click counts although the list is drawn anew while the button of the mouse is down.
    row = visitor.in_list(page, cora.name)
    await row.hover()
    await page.mouse.down()
    preview = _write(bela, me, unique("Meanwhile"))
    await expect(page.locator(".tv-conversations")).to_contain_text(preview)
    await page.mouse.up()
    await expect(thread).to_contain_text(f"By {cora.name}")

    # One step back is the conversation before.
    await expect(page).to_have_url(f"{window.url}/inbox?with={cora.user_id}")
    await settled(page)
    await page.go_back()
    await expect(thread).to_contain_text(f"By {bela.name}")
    await expect(page).to_have_url(f"{window.url}/inbox?with={bela.user_id}")
    await settled(page)

    # What is typed while the next conversation is on its way waits for its field.
    line.frozen = True
    await row.click()
    await expect(field).to_have_count(0)
    typing = asyncio.create_task(field.fill("Dear Cora"))
    await expect(row).to_have_attribute("aria-current", "true")
    line.thaw()
    await typing
    await expect(thread).to_contain_text(f"By {cora.name}")
    await settled(page)
    await expect(field).to_have_value("Dear Cora")
    await field.press("Enter")
    await expect(thread).to_contain_text("Dear Cora")
