"""Home: what others do shows there at once, and each line leads to where it is dealt with."""

import re
import uuid
from datetime import UTC, datetime, timedelta

from playwright.async_api import expect

from local_supabase.stack.runtime import StackInfo
from tests.browser.conftest import OpenWindow
from tests.support import visitor
from tests.support.browser import PHONE
from tests.support.people import sign_up, unique


async def test_home_is_live_for_a_member_on_the_phone_and_for_a_visitor(
    open_window: OpenWindow, stack: StackInfo
) -> None:
    me, other = sign_up(stack, "Homer"), sign_up(stack, "Other")
    mine = await open_window("/home", person=me, viewport=PHONE)
    visiting = await open_window("/home")
    page = mine.page
    for_you = page.get_by_role("region", name="For you")
    await expect(for_you).to_contain_text("You are up to date")
    await expect(visiting.page.get_by_role("region", name="For you")).to_have_count(0)
    await expect(visiting.page.get_by_role("link", name="Join in")).to_be_visible()
    first, last = page.locator(".st-key-home_first"), page.locator(".st-key-home_second")
    sides = await first.bounding_box(), await last.bounding_box()
    assert sides[0]
    assert sides[1]
    assert sides[0]["y"] + sides[0]["height"] <= sides[1]["y"], "a phone has room for one column"
    runs = mine.full_runs()

    said, title, letter = unique("Good evening"), unique("Stargazing"), unique("Are you coming")
    other.client.table("tavern_messages").insert({"author_id": other.user_id, "body": said}).execute()
    for each in (page, visiting.page):
        await expect(each.get_by_role("region", name="In the common room")).to_contain_text(said)
    now = datetime.now(UTC)
    event = str(uuid.uuid4())
    plan = {
        "id": event,
        "title": title,
        "starts_at": (now - timedelta(days=60)).isoformat(),  # on now, and before what other tests plan
        "ends_at": (now + timedelta(minutes=30)).isoformat(),
        "time_zone": "Europe/Berlin",
        "organizer_id": other.user_id,
    }
    other.client.table("events").insert(plan).execute()
    soon = page.get_by_role("region", name="Today and next").get_by_role("link", name=re.compile(title))
    await expect(soon).to_contain_text("On now")
    answer = {"event_id": event, "user_id": me.user_id, "status": "going"}
    me.client.table("rsvps").insert(answer).execute()
    await expect(soon).to_contain_text("You are going")
    await expect(page.get_by_role("region", name="Your events")).to_contain_text(title)
    await expect(visiting.page.get_by_text("You are going")).to_have_count(0)
    row = {"sender_id": other.user_id, "recipient_id": me.user_id, "body": letter}
    other.client.table("private_messages").insert(row).execute()
    await expect(for_you).to_contain_text(letter)
    assert mine.full_runs() == runs
    assert not visiting.was_sent(letter)

    await for_you.get_by_role("link", name=re.compile(re.escape(other.name))).click()
    await expect(visitor.conversation(page)).to_contain_text(letter)
    await expect(page).to_have_title("Inbox · Tavern")  # it is read
    await page.locator(".st-key-tabs").get_by_role("link", name="Home").click()
    await expect(for_you).to_contain_text("You are up to date")
    other.client.table("events").delete().eq("id", event).execute()
    await expect(page.get_by_role("region", name="Your events")).to_contain_text("None yet")
