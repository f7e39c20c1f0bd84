"""The activity: every change as it happens, for admins only."""

from playwright.async_api import expect

from local_supabase.runtime import StackInfo
from tests.browser.conftest import OpenWindow
from tests.support import visitor
from tests.support.people import give_role, sign_up, unique


async def test_an_admin_sees_who_changed_what_from_what_to_what(
    open_window: OpenWindow, stack: StackInfo
) -> None:
    admin, person = sign_up(stack, "Admin"), sign_up(stack, "Doer")
    give_role(stack, admin.user_id, "admin")
    window = await open_window()
    await visitor.sign_in(window.page, admin.email, admin.password)
    await visitor.go(window.page, "Activity")
    runs = window.full_runs()

    before, after = unique("Plain"), unique("Colorful")
    for bio in (before, after):
        person.client.table("users").update({"bio": bio}).eq("id", person.user_id).execute()
    entry = visitor.entry(window.page, after)
    await expect(entry).to_contain_text(person.name)
    await expect(entry).to_contain_text("bio")
    await expect(entry).to_contain_text(before)
    assert window.full_runs() == runs


async def test_nobody_else_has_the_page(open_window: OpenWindow, stack: StackInfo) -> None:
    person = sign_up(stack, "Member")
    window = await open_window()
    await visitor.sign_in(window.page, person.email, person.password)
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
    window = await open_window()
    await visitor.sign_in(window.page, person.email, person.password)
    await visitor.is_live(window.page)
    give_role(stack, person.user_id, "admin")
    await expect(visitor.navigation(window.page, "Activity")).to_be_visible()
