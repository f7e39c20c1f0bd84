"""What a person types stays theirs, in its place, until it is sent or discarded."""

import uuid
from typing import cast

from playwright.async_api import Page, expect

from local_supabase.stack.runtime import StackInfo
from tests.browser.conftest import OpenWindow
from tests.support import visitor
from tests.support.browser import settled
from tests.support.people import give_role, sign_up, unique


async def keeps_drafts_of(page: Page, *places: str) -> None:
    """Wait until the browser keeps the drafts of these places for people, and no others."""
    places_kept = """places => {
        const keys = Object.keys(localStorage).filter((key) => key.startsWith("tavern-draft/"));
        return JSON.stringify(keys.map((key) => key.split("/")[2]).sort()) === JSON.stringify(places);
    }"""
    await page.wait_for_function(places_kept, arg=sorted(places))


async def test_each_conversation_has_its_own_draft(open_window: OpenWindow, stack: StackInfo) -> None:
    ann, bela, cora = (sign_up(stack, name) for name in ("Ann", "Bela", "Cora"))
    for sender in (bela, cora):
        message = {"sender_id": sender.user_id, "recipient_id": ann.user_id, "body": f"By {sender.name}"}
        sender.client.table("private_messages").insert(message).execute()
    window = await open_window("/inbox", person=ann)
    page = window.page
    field = visitor.message_field(page)
    secret, remark = unique("For Bela only"), unique("Dear Cora")
    await visitor.open_conversation(page, bela.name)
    await expect(visitor.conversation(page)).to_contain_text(f"By {bela.name}")
    await field.fill(secret)
    await visitor.open_conversation(page, cora.name)
    await expect(visitor.conversation(page)).to_contain_text(f"By {cora.name}")
    await expect(field).to_have_value("")
    await expect(page).to_have_url(f"{window.url}/inbox?with={cora.user_id}")
    await field.fill(remark)

    # The conversation and both drafts survive a reload, another page and a new tab.
    await page.reload()
    await expect(visitor.conversation(page)).to_contain_text(f"By {cora.name}")
    await expect(field).to_have_value(remark)
    await visitor.go(page, "People")
    await visitor.go(page, "Inbox")
    await expect(field).to_have_value(remark)
    tab = await window.open_tab(f"/inbox?with={bela.user_id}")
    await expect(visitor.message_field(tab)).to_have_value(secret)

    # Sent in one tab, it is gone from all of them. The other one is still there.
    await visitor.message_field(tab).press("Enter")
    await expect(visitor.conversation(tab)).to_contain_text(secret)
    await expect(visitor.message_field(tab)).to_have_value("")
    await expect(field).to_have_value(remark)
    await visitor.open_conversation(page, bela.name)
    await expect(visitor.conversation(page)).to_contain_text(secret)
    await expect(field).to_have_value("")
    await keeps_drafts_of(page, f"conversation:{cora.user_id}")
    received = cora.client.table("private_messages").select("body").eq("sender_id", ann.user_id).execute()
    assert received.data == []


async def test_a_visitors_text_waits_through_signing_in(open_window: OpenWindow, stack: StackInfo) -> None:
    ann, bela = sign_up(stack, "Ann"), sign_up(stack, "Bela")
    window = await open_window()
    page, text = window.page, unique("I would like to say")
    await visitor.room_input(page).fill(text)
    await page.reload()
    await expect(visitor.room_input(page)).to_have_value(text)
    await visitor.room_input(page).press("Enter")
    await expect(visitor.heading(page)).to_have_text("Welcome back")
    email, password = page.get_by_label("Email"), page.get_by_role("textbox", name="Password")
    await email.fill(ann.email)
    await password.fill(ann.password)
    await page.get_by_role("button", name="Show password").click()
    await password.press("End")
    await page.keyboard.type("x")
    await page.reload()
    await expect(email).to_have_value(ann.email)
    await expect(password).to_have_value("")
    assert ann.password not in await page.evaluate("JSON.stringify([sessionStorage, localStorage])")
    await password.fill(ann.password)
    await visitor.form_button(page, "Sign in").click()
    await expect(visitor.heading(page)).to_have_text("The common room")
    await expect(visitor.room_input(page)).to_have_value(text)

    # It is hers now: neither a visitor nor another person in this browser is shown it.
    await visitor.sign_out(page)
    await expect(visitor.room_input(page)).to_have_value("")
    await page.wait_for_function("sessionStorage.length === 0")
    await visitor.sign_in(page, bela.email, bela.password)
    await visitor.go(page, "Tavern")
    await expect(visitor.room_input(page)).to_have_value("")
    await visitor.sign_out(page)
    await visitor.sign_in(page, ann.email, ann.password)
    await visitor.go(page, "Tavern")
    await expect(visitor.room_input(page)).to_have_value(text)
    await visitor.room_input(page).press("Enter")
    await visitor.hears(page, text)
    await settled(page)
    await page.reload()
    await visitor.hears(page, text)
    await expect(visitor.room_input(page)).to_have_value("")
    await keeps_drafts_of(page)


async def test_a_new_event(open_window: OpenWindow, stack: StackInfo) -> None:
    ann = sign_up(stack, "Ann")
    window = await open_window("/events", person=ann)
    page, title = window.page, unique("Feast")
    await visitor.go(page, "Events")
    await page.get_by_role("button", name="New event").click()
    zone = page.get_by_test_id("stSelectbox").filter(has_text="Time zone")
    await page.get_by_role("textbox", name="Title").fill(title)
    await page.get_by_role("textbox", name="Description").fill("Half a thou")
    await page.get_by_label("Capacity").fill("12")
    await visitor.choose(zone, "Asia/Tokyo")
    await settled(page)
    await page.get_by_role("spinbutton", name="hour, Start time").press_sequentially("8")
    await expect(page.get_by_role("spinbutton", name="hour, Start time")).to_have_text("08")
    await page.get_by_role("spinbutton", name="year, Ends").press_sequentially("2031")
    await page.keyboard.press("Tab")

    async def is_all_there(tab: Page) -> None:
        await expect(tab.get_by_text("What you had not sent is here again.")).to_be_visible()
        await expect(tab.get_by_role("combobox", name="Time zone")).to_have_value("Asia/Tokyo")
        await expect(tab.get_by_role("textbox", name="Title")).to_have_value(title)
        await expect(tab.get_by_role("textbox", name="Description")).to_have_value("Half a thou")
        await expect(tab.get_by_label("Capacity")).to_have_value("12")
        await expect(tab.get_by_role("spinbutton", name="hour, Start time")).to_have_text("08")
        await expect(tab.get_by_role("spinbutton", name="AM/PM, Start time")).to_have_text("PM")
        await expect(tab.get_by_role("spinbutton", name="year, Ends")).to_have_text("2031")

    await visitor.go(page, "People")
    await visitor.go(page, "Events")
    await is_all_there(page)
    await page.reload()
    await is_all_there(page)
    tab = await window.open_tab("/events")
    await tab.get_by_role("button", name="New event").click()
    await is_all_there(tab)
    await visitor.form_button(page, "Create event").click()
    await expect(visitor.event(page, title)).to_contain_text("Half a thou")
    await expect(tab.get_by_role("textbox", name="Title")).to_have_value("")
    columns = "time_zone,capacity,starts_at,ends_at"
    [row] = ann.client.table("events").select(columns).eq("title", title).execute().data
    values = cast("dict[str, object]", row)
    assert (values["time_zone"], values["capacity"]) == ("Asia/Tokyo", 12)
    assert (str(values["ends_at"])[:4], str(values["starts_at"])[11:16]) == ("2031", "11:00")


async def test_an_edit(open_window: OpenWindow, stack: StackInfo) -> None:
    ann, bela, title = sign_up(stack, "Ann"), sign_up(stack, "Bela"), unique("Feast")
    zone = "America/New_York"
    values = {"title": title, "description": "Half a thou", "organizer_id": ann.user_id, "time_zone": zone}
    times = {"starts_at": "2027-11-07T06:30:00Z", "ends_at": "2027-11-07T09:00:00Z"}
    ann.client.table("events").insert({**values, **times}).execute()
    window = await open_window("/events", person=ann)
    page = window.page
    await expect(visitor.heading(page)).to_have_text("Events")
    tab = await window.open_tab("/people")

    # Signing out in one tab closes the dialog in the other, which says what becomes of the text.
    await visitor.use(page, title, "Edit")
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Description").fill("Better words")
    hosts, hour = dialog.get_by_test_id("stMultiSelect").first, dialog.get_by_test_id("stRadio")
    await visitor.choose(hosts, bela.name)
    await page.keyboard.press("Tab")
    await hour.get_by_text("Before the clocks go back").click()
    await visitor.sign_out(tab)
    await expect(dialog).to_have_count(0)
    await expect(page.get_by_test_id("stToast")).to_contain_text("What you were writing is kept")
    await tab.close()
    await visitor.sign_in(page, ann.email, ann.password)
    await visitor.use(page, title, "Edit")
    await expect(hosts).to_contain_text(bela.name)
    await expect(dialog.get_by_label("Description")).to_have_value("Better words")
    await expect(hour.get_by_role("radio", name="Before the clocks go back")).to_be_checked()
    await dialog.get_by_role("button", name="Close without saving").click()
    await expect(dialog).to_have_count(0)
    await keeps_drafts_of(page)

    # A text never goes over what somebody has written since.
    await visitor.use(page, title, "Edit")
    await expect(dialog.get_by_label("Description")).to_have_value("Half a thou")
    await expect(hosts).not_to_contain_text(bela.name)
    await dialog.get_by_label("Description").fill("Words from before")
    await page.reload()
    ann.client.table("events").update({"description": "Changed since"}).eq("title", title).execute()
    await expect(visitor.event(page, title)).to_contain_text("Changed since")
    await visitor.use(page, title, "Edit")
    await expect(dialog.get_by_label("Description")).to_have_value("Changed since")
    await expect(dialog.get_by_text("You had written: Words from before")).to_be_visible()
    await dialog.get_by_role("button", name="Discard it").click()
    await expect(dialog.get_by_text("You had written")).to_have_count(0)
    await keeps_drafts_of(page)


async def test_the_forms_of_the_boards(open_window: OpenWindow, stack: StackInfo) -> None:
    admin = sign_up(stack, "Admin")
    give_role(stack, admin.user_id, "admin")
    window = await open_window("/routing?tab=Prices", person=admin)
    page = window.page

    async def show(path: str, section: str = "") -> None:
        await page.goto(f"{window.url}/{path}")
        await settled(page)
        if section:
            await page.get_by_text(section).click()

    price, soft = page.get_by_label("Provider", exact=True), page.get_by_label("Warn at ($)")
    tenant, brand = (
        page.get_by_label("Name", exact=True),
        page.get_by_role("textbox", name="Only for this brand"),
    )
    await price.fill("Ember AI")
    await show("routing?tab=Budgets")
    await soft.fill("12.5")
    await show("ratings", "found a tenant")
    await tenant.fill("The Long Table")

    await show("routing?tab=Prices")
    await expect(price).to_have_value("Ember AI")
    await show("routing?tab=Budgets")
    await expect(soft).to_have_value("12.50")
    await show("ratings", "found a tenant")
    await expect(tenant).to_have_value("The Long Table")

    made = {"p_id": f"t_{uuid.uuid4().hex[:12]}", "p_name": "Elsewhere"}
    admin.client.rpc("create_tenant", made).execute()

    async def invite() -> None:
        await show("ratings")
        await page.get_by_role("radio", name="People").click()
        await page.get_by_text("Invite somebody").click()

    await invite()
    await brand.fill("ember")
    await invite()
    await expect(brand).to_have_value("ember")
    invitation = f"invitation:new:{made['p_id']}"
    await keeps_drafts_of(page, "budget", invitation, "price", "tenant:new")
