"""The boards show what one asks for before it is written, and a database that hangs holds no tab up."""

import uuid

from playwright.async_api import FilePayload, Page, expect

from local_supabase.runtime import StackInfo
from tests.browser.test_agents import run_of, start
from tests.browser.test_pending import once, saving
from tests.browser.test_ratings import add_tasks, found_tenant, has_been_read, verdicts
from tests.browser.test_routing import open_tab
from tests.live.fault_proxy import FaultProxy
from tests.support import visitor
from tests.support.browser import Window
from tests.support.people import Person


async def test_runs_budgets_and_votes_show_before_they_are_written(
    castaway: tuple[Window, Person], stack: StackInfo, proxy: FaultProxy
) -> None:
    page, me = castaway[0].page, castaway[1]
    await _runs(page, me, proxy)
    await _budgets(page, me, proxy)
    await _votes(page, stack, proxy)


async def comes_back(page: Page, proxy: FaultProxy) -> None:
    """Have the network back, once it is known to be gone: what is asked for in between is refused at once."""
    await expect(visitor.badge(page)).to_contain_text("Offline")
    proxy.heal()
    await visitor.is_live(page)


async def _runs(page: Page, me: Person, proxy: FaultProxy) -> None:
    await visitor.go(page, "Agents")
    proxy.stalled = True
    await start(page, "Slow line")
    card = run_of(page, me.name)
    await expect(card).to_contain_text("Slow line")
    await expect(saving(card)).to_be_visible()
    await expect(page.get_by_role("button", name="Start the demo agent")).to_be_disabled()
    proxy.stalled = False
    await expect(saving(card)).to_have_count(0)
    await expect(card).to_contain_text("In progress")
    await expect(page.get_by_label("What for?")).to_have_value("")

    proxy.stalled = True
    await card.get_by_role("button", name="Cancel").click()
    await page.get_by_role("button", name="Yes, cancel it").click()
    await expect(card).to_contain_text("Cancelled")
    await expect(saving(card)).to_be_visible()
    proxy.stalled = False
    await expect(saving(card)).to_have_count(0)
    await card.get_by_role("button", name="Try again").dblclick()
    await expect(run_of(page, me.name)).to_contain_text("another try")
    await expect(page.locator(".tv-run")).to_have_count(2)
    runs = me.client.table("agent_runs").select("id").eq("user_id", me.user_id).execute().data
    assert len(runs) == 2


async def _budgets(page: Page, me: Person, proxy: FaultProxy) -> None:
    main = page.get_by_test_id("stMain")
    await visitor.go(page, "Routing")
    await open_tab(page, "Budgets")
    budget, save = page.locator(".tv-budget"), visitor.form_button(page, "Save budget")
    await page.get_by_label("Warn at ($)").fill("2")
    await page.get_by_label("Alarm at ($)").fill("3")
    proxy.stalled = True
    await save.click()
    await expect(budget).to_contain_text("soft $2.00 · hard $3.00")
    await expect(saving(budget)).to_be_visible()
    await expect(save).to_be_disabled()
    proxy.refuse()
    proxy.stalled = False
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


async def _votes(page: Page, stack: StackInfo, proxy: FaultProxy) -> None:
    main, place = page.get_by_test_id("stMain"), found_tenant(stack)
    add_tasks(place, "First", "Second", "Third")
    await visitor.go(page, "Ratings")
    await visitor.choose(main.get_by_test_id("stSelectbox").filter(has_text="Tenant"), place.tenant)
    proxy.stalled = True
    await visitor.form_button(page, "Join as a rater").click()
    await expect(saving(main)).to_be_visible()
    proxy.stalled = False
    begin = page.get_by_role("button", name="Start rating")
    appeared = page.get_by_role("button", name="New campaign")
    await expect(begin.or_(appeared)).to_be_visible()
    if await appeared.is_visible():
        await appeared.click()
    await expect(begin).to_be_visible()

    # Which task comes cannot be foretold; meanwhile the desk can be left.
    proxy.stalled = True
    await begin.click()
    await expect(main).to_contain_text("Fetching the next task…")
    await page.get_by_role("button", name="Stop").click()
    await expect(begin).to_be_visible()
    proxy.stalled = False
    await expect(main).to_contain_text("3 places open")
    await begin.click()
    await expect(page.get_by_role("timer")).to_be_visible()

    await has_been_read(page)
    proxy.stalled = True
    await page.keyboard.press("t")
    await expect(main).to_contain_text("Equally good.")
    await expect(main).to_contain_text("Saving, and fetching the next task…")
    await expect(page.get_by_role("button", name="Undo")).to_be_disabled()
    proxy.stalled = False
    await expect(page.get_by_role("timer")).to_be_visible()
    await expect(saving(main)).to_have_count(0)
    await has_been_read(page)
    proxy.loses_answer = once()
    await page.keyboard.press("x")
    await expect(main).to_contain_text("Both bad.")
    await expect(page.get_by_role("timer")).to_be_visible()
    await expect(main.get_by_test_id("stAlert")).to_have_count(0)
    assert [verdict for verdict, _ in verdicts(place)] == ["tie", "both_bad"]


async def test_a_manager_goes_on_while_files_and_changes_are_under_way(
    castaway: tuple[Window, Person], proxy: FaultProxy
) -> None:
    page, me = castaway[0].page, castaway[1]
    main, tenant = page.get_by_test_id("stMain"), f"t_{uuid.uuid4().hex[:12]}"
    me.client.rpc("create_tenant", {"p_id": tenant, "p_name": tenant}).execute()
    values = {"tenant_id": tenant, "name": "Autumn", "status": "active", "created_by": me.user_id}
    me.client.table("campaigns").insert(values).execute()
    await visitor.go(page, "Ratings")
    await expect(main).to_contain_text("Open for rating")
    proxy.stalled = True
    await page.get_by_role("button", name="Pause").click()
    await expect(main).to_contain_text("Paused")
    await expect(saving(main)).to_be_visible()
    proxy.refuse()
    proxy.stalled = False
    await expect(page.get_by_test_id("stToast")).to_contain_text("could not be done now")
    await expect(page.get_by_role("button", name="Pause")).to_be_enabled()
    await comes_back(page, proxy)

    await page.get_by_text("Files", exact=True).click()
    await page.get_by_text("Upload a file").click()
    file = FilePayload(name="adapter.bin", mimeType="", buffer=bytes(300_000))
    await page.get_by_test_id("stFileUploader").locator("input[type=file]").set_input_files(file)
    send = page.get_by_role("button", name="Send the file")
    await expect(send).to_be_enabled()
    proxy.stalled = True
    await send.click()
    await expect(main.get_by_test_id("stProgress")).to_be_visible()
    await expect(send).to_be_disabled()
    await visitor.go(page, "Events")
    proxy.stalled = False
    await expect(page.get_by_test_id("stToast").filter(has_text="adapter.bin is there.")).to_be_visible()
    await visitor.go(page, "Ratings")
    await page.get_by_text("Files", exact=True).click()
    await visitor.choose(main.get_by_test_id("stSelectbox").filter(has_text="File"), "adapter.bin")
    proxy.stalled = True
    await page.get_by_role("button", name="Delete").click()
    await page.get_by_role("button", name="Yes, delete it").click()
    await expect(main).to_contain_text("Deleting adapter.bin")
    proxy.stalled = False
    await expect(main).to_contain_text("No files here yet")
