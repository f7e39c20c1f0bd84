"""The activity: every change as it happens, for admins only."""

from playwright.async_api import expect

from db.hub import pictures
from local_supabase.stack.runtime import StackInfo
from tests.browser.conftest import OpenWindow
from tests.support import visitor
from tests.support.people import give_role, show_picture, sign_up, unique


async def test_an_admin_sees_who_changed_what_from_what_to_what(
    open_window: OpenWindow, stack: StackInfo
) -> None:
    admin, person = sign_up(stack, "Admin"), sign_up(stack, "Doer")
    give_role(stack, admin.user_id, "admin")
    window = await open_window(person=admin)
    await visitor.go(window.page, "Activity")
    runs = window.full_runs()

    before, after = unique("Plain"), unique("Colorful")
    for bio in (before, after):
        person.client.table("users").update({"bio": bio}).eq("id", person.user_id).execute()
    entry = visitor.entry(window.page, after)
    await expect(entry).to_contain_text(person.name)
    await expect(entry).to_contain_text("bio")
    await expect(entry).to_contain_text(before)

    # What is unfolded stays so, on a page that stays where it is.
    main = window.page.get_by_test_id("stMain")
    entries, older = main.locator("li[data-row]"), main.get_by_role("button", name="Older")
    await entry.locator("summary").click()
    await expect(entry.get_by_text(before)).to_be_visible()
    said = [{"author_id": person.user_id, "body": unique("Chatter")} for _ in range(30)]
    person.client.table("tavern_messages").insert(said[:3]).execute()
    await expect(visitor.entry(window.page, said[2]["body"])).to_be_visible()
    await expect(entry.get_by_text(before)).to_be_visible()
    person.client.table("tavern_messages").insert(said[3:]).execute()
    await expect(visitor.entry(window.page, said[29]["body"])).to_be_visible()
    await expect(entries).to_have_count(25)
    await older.click()
    await expect(entry).to_contain_text(person.name)
    await expect(entries).to_have_count(25)
    person.client.table("tavern_messages").insert({"author_id": person.user_id, "body": "More"}).execute()
    await main.get_by_role("button", name="Newer").click()
    await expect(entries.first).to_contain_text("More")
    assert window.full_runs() == runs


async def test_nobody_else_has_the_page(open_window: OpenWindow, stack: StackInfo) -> None:
    person = sign_up(stack, "Member")
    window = await open_window(person=person)
    await expect(visitor.navigation(window.page, "People")).to_be_visible()
    await expect(visitor.navigation(window.page, "Activity")).to_have_count(0)

    change = unique("Unseen")
    by_address = await window.open_tab("/activity")
    person.client.table("users").update({"bio": change}).eq("id", person.user_id).execute()
    marker = unique("After it")
    person.client.table("tavern_messages").insert({"author_id": person.user_id, "body": marker}).execute()
    await visitor.hears(window.page, marker)
    assert change not in await by_address.content()


async def test_being_made_an_admin_takes_effect_at_once(open_window: OpenWindow, stack: StackInfo) -> None:
    person = sign_up(stack, "Promoted")
    window = await open_window(person=person)
    await visitor.is_live(window.page)
    give_role(stack, person.user_id, "admin")
    await expect(visitor.navigation(window.page, "Activity")).to_be_visible()


async def test_an_admin_takes_a_picture_down_with_its_file(open_window: OpenWindow, stack: StackInfo) -> None:
    admin, pictured = sign_up(stack, "Admin"), sign_up(stack, "Pictured")
    give_role(stack, admin.user_id, "admin")
    picture = show_picture(pictured)
    window = await open_window(f"/person?id={pictured.user_id}", person=admin)
    page = window.page
    shown = page.locator(".tv-profile .tv-avatar img")
    await expect(shown).to_have_js_property("naturalWidth", 64)
    await page.get_by_role("button", name="Take the picture down").click()
    await page.get_by_role("dialog").get_by_role("button", name="Yes, take it down").click()
    await expect(shown).to_have_count(0)
    await expect(page.get_by_role("button", name="Take the picture down")).to_have_count(0)
    await visitor.go(page, "Activity")
    told = f"{admin.name} took down the picture of {pictured.name}"
    await expect(page.locator("li[data-row]").filter(has_text=told)).to_be_visible()
    assert pictured.client.storage.from_(pictures.BUCKET).list(pictured.user_id) == [], picture


async def test_an_admin_deletes_what_one_person_flooded(open_window: OpenWindow, stack: StackInfo) -> None:
    admin, flooder = sign_up(stack, "Admin"), sign_up(stack, "Flooder")
    give_role(stack, admin.user_id, "admin")
    flood = [{"author_id": flooder.user_id, "body": f"Flood {number}"} for number in range(1200)]
    flooder.client.table("tavern_messages").insert(flood).execute()
    window = await open_window(person=admin)
    page = window.page
    await visitor.go(page, "Activity")
    await page.get_by_text("After a flood").click()
    await page.get_by_role("button", name="Count the last hour").click()
    line = page.get_by_role("table", name="Writes of the last hour").get_by_role("row", name=flooder.name)
    await expect(line.filter(has_text="tavern_messages")).to_contain_text("1,200")
    async with page.expect_download() as download:
        await page.get_by_role("button", name="Export CSV").click()
    exported = (await (await download.value).path()).read_text()
    assert f"{flooder.user_id},{flooder.name},tavern_messages,1200,0," in exported

    await visitor.choose(page.get_by_test_id("stSelectbox").filter(has_text="Whose rows"), flooder.name)
    await visitor.choose(
        page.get_by_test_id("stSelectbox").filter(has_text="Which"), "Messages in the common room"
    )
    await page.get_by_role("button", name="Count them").click()
    await page.get_by_role("button", name="Yes, delete 1,200").click()
    await expect(page.get_by_test_id("stToast")).to_contain_text(
        "1,200 messages in the common room are deleted."
    )
    found = admin.client.table("tavern_messages").select("id").eq("author_id", flooder.user_id).execute()
    assert found.data == []

    give_role(stack, admin.user_id, "member")
    await expect(page.get_by_text("For admins only")).to_be_visible()
    await expect(line).to_have_count(0)
    await expect(page.get_by_text("After a flood")).to_have_count(0)
    give_role(stack, admin.user_id, "admin")
    await visitor.go(page, "Activity")
    await page.get_by_text("After a flood").click()
    await expect(page.get_by_role("button", name="Count the last hour")).to_be_visible()
    await expect(line).to_have_count(0)
