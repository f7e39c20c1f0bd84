"""The month and the week of events: live, filtered, by address, on a phone."""

import re
from datetime import UTC, datetime, timedelta

from playwright.async_api import expect

from local_supabase.stack.runtime import StackInfo
from tests.browser.conftest import OpenWindow
from tests.browser.test_accessibility import faults
from tests.support import visitor
from tests.support.browser import PHONE, settled
from tests.support.people import sign_up, unique


async def test_a_month_is_live_and_what_it_shows_is_in_the_address(
    open_window: OpenWindow, stack: StackInfo
) -> None:
    host, guest = sign_up(stack, "Host"), sign_up(stack, "Guest")
    title, place = unique("Ball"), unique("Hall")
    mine = await open_window("/events?show=Month&on=2031-03-01", person=guest)
    phone = await open_window("/events?show=Week&on=2031-03-05", viewport=PHONE)
    page = mine.page
    await expect(page.get_by_role("heading", name="March 2031")).to_be_visible()
    await expect(page.get_by_text("Nothing in March 2031.")).to_be_visible()
    await expect(phone.page.get_by_text("Nothing in this week.")).to_be_visible()

    # Somebody else's event appears on its day, on the viewer's clock.
    starts = datetime(2031, 3, 5, 22, 30, tzinfo=UTC)
    row = {
        "title": title,
        "location": place,
        "organizer_id": host.user_id,
        "starts_at": starts.isoformat(),
        "ends_at": (starts + timedelta(hours=2)).isoformat(),
    }
    host.client.table("events").insert(row).execute()
    entries = page.locator(".tv-cell:not(.outside)").filter(has_text=title)
    await expect(entries).to_have_count(2)  # it lasts beyond midnight
    await expect(entries.first.locator(".tv-date")).to_contain_text("5")
    await expect(entries.first).to_contain_text("11:30 PM")
    await expect(page.get_by_text("Nothing in March 2031.")).to_have_count(0)
    await expect(phone.page.get_by_role("link", name=title).first).to_be_in_viewport()
    assert await faults(page) == []
    assert await faults(phone.page) == []

    # A filter is in the address; whoever opens it sees the same.
    await page.get_by_label("Search").fill(place)
    await page.get_by_label("Search").press("Enter")
    await expect(page).to_have_url(re.compile(f"find={place.split()[0]}"))
    await page.get_by_role("radio", name="Going").click()
    await expect(page.get_by_text("Nothing in March 2031.")).to_be_visible()
    await expect(page).to_have_url(re.compile("mine=Going"))
    await page.reload()
    await visitor.is_signed_in(page)
    await expect(page.get_by_text("Nothing in March 2031.")).to_be_visible()
    await page.get_by_role("radio", name="Going").click()
    await expect(entries).to_have_count(2)

    # Its host copies it to the next week, and sends the copy once the title is another one.
    own = await open_window(person=host)
    found = host.client.table("events").select("id").eq("title", title).execute().data
    await own.page.goto(f"{own.url}/event?id={found[0]['id']}")  # type: ignore[index,call-overload]
    await own.page.get_by_role("link", name="Duplicate").click()
    field = own.page.get_by_role("textbox", name="Title")
    await expect(field).to_have_value(title)
    await expect(own.page.get_by_text(f"A copy of “{title}”")).to_be_visible()
    again = unique("Again")
    await field.fill(again)
    await own.page.reload()
    await expect(field).to_have_value(again)
    await visitor.form_button(own.page, "Create event").click()
    await expect(page.locator(".tv-cell:not(.outside)").filter(has_text=again)).to_have_count(2)
    copies = host.client.table("events").select("starts_at,location").eq("title", again).execute().data
    assert copies == [{"starts_at": "2031-03-12T22:30:00+00:00", "location": place}]
    await expect(own.page).not_to_have_url(re.compile("like|new="))

    # The answer given on the event's page shows in the month.
    await page.get_by_role("link", name=title).first.click()
    await settled(page)
    await expect(page.get_by_role("button", name="Copy link")).to_be_visible()
    await expect(page.get_by_role("link", name="Duplicate")).to_have_count(0)  # it is the host's
    await page.get_by_role("button", name="Going", exact=True).click()
    await expect(page.get_by_role("button", name="Going", exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )
    await page.go_back()
    await expect(page.locator(f'.tv-entry[data-marks~="going"]:has-text("{title}")').first).to_be_visible()
    await page.get_by_role("button", name="Next month").click()
    await expect(page.get_by_role("heading", name="April 2031")).to_be_visible()
    await expect(page).to_have_url(re.compile("on=2031-04-01"))
