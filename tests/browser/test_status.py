"""The status badge shows every status, and no message is missed in any of them."""

import re
import time

from playwright.async_api import Browser, Locator, Page, expect

from local_supabase.stack.runtime import StackInfo
from tests.livetables.fault_proxy import FaultProxy
from tests.support import visitor
from tests.support.app import AppUnderTest
from tests.support.browser import Window, open_window
from tests.support.people import Person, sign_up, unique
from tests.support.wait import wait_until

OUTAGE = 40  # seconds
_REMEMBER = """() => {
  window.seenStatuses = [];
  const look = () => {
    const text = document.querySelector('[class*="st-key-status-"] button')?.innerText ?? "";
    const statuses = ["Live", "Connecting", "Catching up", "Polling", "Offline"];
    const status = statuses.find((each) => text.includes(each));
    if (status && status !== window.seenStatuses.at(-1)) window.seenStatuses.push(status);
  };
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
  look();
}"""


async def test_every_status_is_seen_and_nothing_is_missed(
    castaway: tuple[Window, Person],
    fragile_app: AppUnderTest,
    browser: Browser,
    stack: StackInfo,
    proxy: FaultProxy,
) -> None:
    page = castaway[0].page
    visitors = await open_window(browser, fragile_app.url)
    other = sign_up(stack, "Other")
    for tab in (page, visitors.page):
        await visitor.is_live(tab)
        await tab.evaluate(_REMEMBER)
    runs = castaway[0].full_runs()
    await _tells(page, "Live since", "as it happens", "Nothing had to be repaired")

    # A slow line that breaks off, as often as it takes for a person to see it come back step by step.
    proxy.delay = lambda: 0.4
    for _ in range(5):
        before = len(await _seen(page))
        proxy.close_websockets(1012)
        await page.wait_for_function("count => window.seenStatuses.length > count", arg=before)
        await visitor.is_live(page)
        if {"Connecting", "Catching up"} <= set(await _seen(page)):
            break
    assert {"Connecting", "Catching up"} <= set(await _seen(page))
    proxy.delay = None

    proxy.no_websockets = True
    proxy.close_websockets(1006)
    for tab in (page, visitors.page):
        await expect(visitor.badge(tab)).to_contain_text("Polling")
    await _tells(page, "Polling since", "polls for changes every second or two")
    asked = _say(other, "While polling")
    for tab in (page, visitors.page):
        await visitor.hears(tab, asked)
    proxy.no_websockets = False
    await visitor.is_live(page)

    doomed = _say(other, "Soon taken back")
    await visitor.hears(page, doomed)
    await visitor.room_input(page).fill("I was just about to")
    began = time.monotonic()
    proxy.refuse()
    for tab in (page, visitors.page):
        await expect(visitor.badge(tab)).to_contain_text("Offline")
    said = [_say(other, f"During the outage {number}") for number in range(3)]
    other.client.table("tavern_messages").delete().eq("body", doomed).execute()
    other.client.table("tavern_messages").update({"body": f"{asked}!"}).eq("body", asked).execute()
    await wait_until(lambda: time.monotonic() - began > OUTAGE - 2, within=120, what="a long outage")
    said.append(_say(other, "At the end of the outage"))
    await wait_until(lambda: time.monotonic() - began > OUTAGE, within=120, what="a longer outage")
    await _tells(page, "Offline since", "what you write is kept", re.compile(r"\((3|4|5)\d s ago\)|min"))
    proxy.heal()

    for tab in (page, visitors.page):
        await visitor.is_live(tab)
        room = tab.get_by_role("log", name="Messages")
        await visitor.hears(tab, said[-1])
        await expect(room).to_contain_text(f"{asked}!")
        await expect(room).not_to_contain_text(doomed)
        text = await room.inner_text()
        assert [text.count(each) for each in said] == [1] * len(said)
        assert [text.index(each) for each in said] == sorted(text.index(each) for each in said)
    await expect(visitor.room_input(page)).to_have_value("I was just about to")
    assert castaway[0].full_runs() == runs
    assert (await _seen(page))[-1] == "Live"
    await visitors.context.close()


def _say(person: Person, words: str) -> str:
    said = unique(words)
    person.client.table("tavern_messages").insert({"author_id": person.user_id, "body": said}).execute()
    return said


async def _seen(page: Page) -> list[str]:
    return list(await page.evaluate("window.seenStatuses"))


async def _tells(page: Page, *words: str | re.Pattern[str]) -> None:
    """Open the badge, read what it tells, and close it."""
    button: Locator = visitor.badge(page).get_by_role("button")
    await button.click()
    told = page.get_by_test_id("stPopoverBody")
    for each in words:
        await expect(told).to_contain_text(each)
    # Not with Escape: it needs the focus, which is lost if the status changes meanwhile.
    await visitor.heading(page).click()
    await expect(told).to_have_count(0)
