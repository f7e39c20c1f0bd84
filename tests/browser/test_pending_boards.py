"""The boards show writes before the database confirms them, and a database that hangs blocks no tab."""

import uuid

from playwright.async_api import FilePayload, Page, expect

from local_supabase.stack.runtime import StackInfo
from tests.browser.test_agents import run_of
from tests.browser.test_pending import once, saving
from tests.browser.test_ratings import add_tasks, found_tenant, has_been_read, verdicts
from tests.browser.test_routing import open_tab
from tests.livetables.fault_proxy import FaultProxy
from tests.support import visitor
from tests.support.browser import Window
from tests.support.people import Person


async def comes_back(page: Page, proxy: FaultProxy) -> None:
    """Restore the network, after the app has noticed that it is gone and refuses writes at once."""
    await expect(visitor.badge(page)).to_contain_text("Offline")
    proxy.heal()
    await visitor.is_live(page)


async def test_a_run_shows_before_it_is_written(castaway: tuple[Window, Person], proxy: FaultProxy) -> None:
    page, me = castaway[0].page, castaway[1]
    await visitor.go(page, "Agents")
    await page.get_by_label("Name of the task").fill("Slow line")
    proxy.writes_stalled = True
    await page.get_by_role("button", name="Start the demo agent").click()
    card = run_of(page, me.name)
    await expect(card).to_contain_text("Slow line")
    await expect(saving(card)).to_be_visible()
    await expect(page.get_by_role("button", name="Start the demo agent")).to_be_disabled()
    proxy.writes_stalled = False
    await expect(saving(card)).to_have_count(0)
    await expect(card).to_contain_text("In progress")
    await expect(page.get_by_label("Name of the task")).to_have_value("")

    await card.get_by_role("button", name="Cancel").click()
    confirm = page.get_by_role("button", name="Yes, cancel it")
    await expect(confirm).to_be_enabled()
    proxy.writes_stalled = True
    await confirm.click()
    await expect(card).to_contain_text("Cancelled")
    await expect(saving(card)).to_be_visible()
    proxy.writes_stalled = False
    await expect(saving(card)).to_have_count(0)
    await card.get_by_role("button", name="Try again").dblclick()
    await expect(run_of(page, me.name)).to_contain_text("Retry")
    await expect(page.locator(".tv-run")).to_have_count(2)
    await expect(saving(run_of(page, me.name))).to_have_count(0)
    runs = me.client.table("agent_runs").select("id").eq("user_id", me.user_id).execute().data
    assert len(runs) == 2


async def test_a_budget_shows_before_it_is_written(
    castaway: tuple[Window, Person], proxy: FaultProxy
) -> None:
    page, me = castaway[0].page, castaway[1]
    main = page.get_by_test_id("stMain")
    await visitor.go(page, "Routing")
    await open_tab(page, "Budgets")
    budget, save = page.locator(".tv-budget"), visitor.form_button(page, "Save budget")
    await page.get_by_label("Warn at ($)").fill("2")
    await page.get_by_label("Alarm at ($)").fill("3")
    proxy.writes_stalled = True
    await save.click()
    await expect(budget).to_contain_text("soft $2.00 · hard $3.00")
    await expect(saving(budget)).to_be_visible()
    await expect(save).to_be_disabled()
    proxy.refuse()
    proxy.writes_stalled = False
    await expect(main.get_by_role("alert")).to_contain_text("your text is kept")
    await expect(budget).to_have_count(0)
    await comes_back(page, proxy)
    proxy.loses_answer = once()
    await save.dblclick()
    await expect(budget).to_contain_text("soft $2.00 · hard $3.00")
    await expect(saving(budget)).to_have_count(0)
    await expect(main.get_by_role("alert")).to_have_count(0)
    budgets = me.client.table("routing_budgets").select("version").eq("user_id", me.user_id).execute().data
    assert budgets == [{"version": 1}]


async def test_a_vote_shows_before_it_is_written(
    castaway: tuple[Window, Person], stack: StackInfo, proxy: FaultProxy
) -> None:
    page = castaway[0].page
    main, place = page.get_by_test_id("stMain"), found_tenant(stack)
    add_tasks(place, "First", "Second", "Third")
    await visitor.go(page, "Ratings")
    await visitor.choose(main.get_by_test_id("stSelectbox").filter(has_text="Tenant"), place.tenant)
    proxy.writes_stalled = True
    await visitor.form_button(page, "Join as a rater").click()
    await expect(saving(main)).to_be_visible()
    proxy.writes_stalled = False
    begin = page.get_by_role("button", name="Start rating")
    appeared = page.get_by_role("button", name="New campaign")
    await expect(begin.or_(appeared)).to_be_visible()
    if await appeared.is_visible():
        await appeared.click()
    await expect(begin).to_be_visible()

    # Only the database knows the next task; meanwhile the rater can leave the desk.
    proxy.writes_stalled = True
    await begin.click()
    await expect(main).to_contain_text("Fetching the next task…")
    await page.get_by_role("button", name="Stop").click()
    await expect(begin).to_be_visible()
    proxy.writes_stalled = False
    await expect(main).to_contain_text("3 more judgments to give")
    await begin.click()
    await expect(page.get_by_role("timer")).to_be_visible()

    await has_been_read(page)
    proxy.writes_stalled = True
    await page.keyboard.press("t")
    await expect(main).to_contain_text("Equally good.")
    await expect(main).to_contain_text("Saving, and fetching the next task…")
    await expect(page.get_by_role("button", name="Undo")).to_be_disabled()
    proxy.writes_stalled = False
    await expect(page.get_by_role("timer")).to_be_visible()
    await expect(saving(main)).to_have_count(0)
    await has_been_read(page)
    proxy.loses_answer = once()
    await page.keyboard.press("x")
    await expect(main).to_contain_text("Both bad.")
    await expect(page.get_by_role("timer")).to_be_visible()
    await expect(main.get_by_test_id("stAlert")).to_have_count(0)
    assert [verdict for verdict, _ in verdicts(place)] == ["tie", "both_bad"]


async def test_a_manager_can_work_while_files_and_changes_are_pending(
    castaway: tuple[Window, Person], proxy: FaultProxy
) -> None:
    page, me = castaway[0].page, castaway[1]
    main, tenant = page.get_by_test_id("stMain"), f"t_{uuid.uuid4().hex[:12]}"
    me.client.rpc("create_tenant", {"p_id": tenant, "p_name": tenant}).execute()
    values = {"tenant_id": tenant, "name": "Autumn", "status": "active", "created_by": me.user_id}
    me.client.table("campaigns").insert(values).execute()
    await visitor.go(page, "Ratings")
    await expect(main).to_contain_text("Open for rating")
    proxy.writes_stalled = True
    await page.get_by_role("button", name="Pause").click()
    await expect(main).to_contain_text("Paused")
    await expect(saving(main)).to_be_visible()
    proxy.refuse()
    proxy.writes_stalled = False
    await expect(page.get_by_test_id("stToast")).to_contain_text("could not be done now")
    await expect(page.get_by_role("button", name="Pause")).to_be_enabled()
    await comes_back(page, proxy)

    await page.get_by_text("Files", exact=True).click()
    await page.get_by_text("Upload a file").click()
    file = FilePayload(name="adapter.bin", mimeType="", buffer=bytes(300_000))
    await page.get_by_test_id("stFileUploader").locator("input[type=file]").set_input_files(file)
    send = page.get_by_role("button", name="Send the file")
    await expect(send).to_be_enabled()
    proxy.writes_stalled = True
    await send.click()
    await expect(main.get_by_test_id("stProgress")).to_be_visible()
    await expect(send).to_be_disabled()
    await visitor.go(page, "Events")
    proxy.writes_stalled = False
    await expect(page.get_by_test_id("stToast").filter(has_text="adapter.bin is uploaded.")).to_be_visible()
    await visitor.go(page, "Ratings")
    await page.get_by_text("Files", exact=True).click()
    await visitor.choose(main.get_by_test_id("stSelectbox").filter(has_text="File"), "adapter.bin")
    await page.get_by_role("button", name="Delete").click()
    confirm = page.get_by_role("button", name="Yes, delete it")
    await expect(confirm).to_be_enabled()
    proxy.writes_stalled = True
    await confirm.click()
    await expect(main).to_contain_text("Deleting adapter.bin")
    proxy.writes_stalled = False
    await expect(main).to_contain_text("No files here yet")
