"""The board of agents: a run is followed live by its own person and by admins, and by nobody else."""

import re
from decimal import Decimal
from functools import partial

from playwright.async_api import Locator, Page, expect

from local_supabase.stack.runtime import StackInfo
from publish import AgentEventPublisher
from tests.browser.conftest import OpenWindow
from tests.support import visitor
from tests.support.browser import settled
from tests.support.people import Person, give_role, sign_up
from tests.support.wait import wait_until
from tests.verify.cast import owner


def run_of(page: Page, name: str) -> Locator:
    """Return the card of the run that this person started."""
    return page.get_by_test_id("stMain").locator(".tv-run").filter(has_text=name).first


def token_of(person: Person) -> str:
    """Return the token with which this person's agents publish."""
    session = person.client.auth.get_session()
    assert session is not None
    return session.access_token


async def start(page: Page, task: str = "") -> None:
    """Start the demo agent."""
    await page.get_by_label("Name of the task").fill(task)
    await page.get_by_role("button", name="Start the demo agent").click()


async def cancel(page: Page, card: Locator) -> None:
    """Cancel a run, and confirm it."""
    await card.get_by_role("button", name="Cancel").click()
    await page.get_by_role("button", name="Yes, cancel it").click()
    await expect(card).to_contain_text("Cancelled")


async def search(page: Page, text: str) -> None:
    """Look for runs."""
    await page.get_by_label("Search", exact=True).fill(text)
    await page.get_by_label("Search", exact=True).press("Enter")


def log_of(page: Page) -> Locator:
    """Return the tail of a run's log."""
    return page.get_by_role("log", name="Log")


async def from_its_end(page: Page) -> float:
    """Return how far the log is scrolled up from its end, in pixels."""
    script = "e => { while (e.scrollHeight <= e.clientHeight) e = e.parentElement; return"
    return float(await log_of(page).evaluate(f"{script} e.scrollHeight - e.clientHeight - e.scrollTop }}"))


async def scroll_up(page: Page) -> None:
    """Scroll the log to its beginning."""
    await log_of(page).evaluate(
        "e => { while (e.scrollHeight <= e.clientHeight) e = e.parentElement; e.scrollTop = 0 }"
    )


async def test_a_run_is_followed_from_its_start_to_its_end(open_window: OpenWindow, stack: StackInfo) -> None:
    admin = sign_up(stack, "Admin")
    give_role(stack, admin.user_id, "admin")
    ann = sign_up(stack, "Ann")
    a = await open_window(person=ann)
    b = await open_window(person=admin)
    third = await open_window(person=sign_up(stack, "Curious"))
    for window in (a, b, third):
        await visitor.go(window.page, "Agents")
        await visitor.is_live(window.page)
    runs = b.full_runs()

    await start(a.page, "Before the release")
    for window in (a, b):
        await expect(run_of(window.page, ann.name)).to_contain_text("docs-checker")
        await expect(run_of(window.page, ann.name)).to_contain_text("Before the release")
        await expect(run_of(window.page, ann.name)).to_contain_text("In progress")
        await expect(run_of(window.page, ann.name)).to_contain_text("Checking ")
    for window in (a, b):
        await expect(run_of(window.page, ann.name)).to_contain_text("Completed", timeout=90_000)
        await expect(run_of(window.page, ann.name)).to_contain_text("100 %")
    await expect(a.page.get_by_test_id("stToast")).to_contain_text("is done.")
    assert b.full_runs() == runs

    await run_of(b.page, ann.name).get_by_role("button", name="Open").click()
    await expect(b.page.get_by_role("list", name="Timeline")).to_contain_text("Being verified")
    await expect(b.page.get_by_test_id("stMain")).to_contain_text("a second reading")
    log = log_of(b.page)
    await expect(log).to_contain_text(re.compile(r"README\.md: \d+ links"))
    # Its own line: a document that links to it may say so too, if it finds it gone for a moment.
    await b.page.get_by_label("Search the log").fill("architecture.md links")
    await b.page.get_by_label("Search the log").press("Enter")
    await expect(b.page).to_have_url(re.compile("log=architecture"))
    await expect(log).not_to_contain_text("README.md")
    await expect(log).to_contain_text("architecture.md")

    # By its link it is seen by those who may, after a reload too.
    link = re.sub(r"^https?://[^/]+", "", b.page.url)
    assert "run=" in link
    seen = await a.open_tab(link)
    await expect(seen.get_by_role("list", name="Timeline")).to_contain_text("Completed")
    unseen = await third.open_tab(link)
    await expect(unseen.get_by_test_id("stMain")).to_contain_text("There is no such run")
    assert not third.was_sent("docs-checker")
    assert not third.was_sent("Checking ")


async def test_a_run_is_cancelled_and_tried_again(open_window: OpenWindow, stack: StackInfo) -> None:
    ann = sign_up(stack, "Ann")
    window = await open_window(person=ann)
    await visitor.go(window.page, "Agents")
    await start(window.page)
    await cancel(window.page, run_of(window.page, ann.name))

    await run_of(window.page, ann.name).get_by_role("button", name="Try again").click()
    again = run_of(window.page, ann.name).filter(has_text="Retry")
    await expect(again).to_contain_text("In progress")
    await cancel(window.page, again)
    await again.get_by_role("button", name="Open").click()
    await window.page.get_by_role("button", name="Earlier run").click()
    await expect(run_of(window.page, ann.name)).not_to_contain_text("Retry")


async def test_text_of_an_agent_outside_stays_text_and_an_admin_stops_it(
    open_window: OpenWindow, stack: StackInfo
) -> None:
    admin, person = sign_up(stack, "Admin"), sign_up(stack, "Operator")
    give_role(stack, admin.user_id, "admin")
    window = await open_window(person=admin)
    await visitor.go(window.page, "Agents")
    await visitor.is_live(window.page)
    hostile = "<img src=x onerror=alert(1)>"
    async with AgentEventPublisher(stack.url, stack.anon_key, lambda: token_of(person)) as publisher:
        run = await publisher.start_run(agent_name=hostile, task_id=hostile)
        await publisher.update_progress(run, hostile, 50)
        await publisher.log(run, hostile)
        card = run_of(window.page, person.name)
        await expect(card).to_contain_text(hostile)
        await card.get_by_role("button", name="Open").click()
        await expect(window.page.get_by_role("list", name="Timeline")).to_contain_text(hostile)
        await expect(window.page.get_by_role("log", name="Log")).to_contain_text(hostile)
        await expect(window.page.locator("img[src=x]")).to_have_count(0)

        await cancel(window.page, card)
        await publisher.update_progress(run, "Going on", 60)
        await wait_until(lambda: publisher.is_over(run), what="the agent to learn that it was cancelled")
    timeline = window.page.get_by_role("list", name="Timeline")
    await expect(timeline).to_contain_text(f"Cancelled by {admin.name}")


async def test_a_log_is_followed_and_paused_and_its_end_is_announced_on_any_page(
    open_window: OpenWindow, stack: StackInfo
) -> None:
    person = sign_up(stack, "Operator")
    window = await open_window(person=person)
    await visitor.go(window.page, "Agents")
    await visitor.is_live(window.page)
    async with AgentEventPublisher(stack.url, stack.anon_key, lambda: token_of(person)) as publisher:

        async def log_lines(first: int, last: int) -> None:
            await publisher.log(run, "\n".join(f"line {number:03}" for number in range(first, last + 1)))

        run = await publisher.start_run(agent_name="talker", task_id="talk")
        await publisher.update_progress(run, "Talking", 10, tokens=1200, cost_usd=Decimal("0.05"))
        card = run_of(window.page, person.name)
        await expect(card).to_contain_text("1,200 tokens · $0.0500")
        await card.get_by_role("button", name="Open").click()
        await log_lines(1, 60)
        await expect(log_of(window.page)).to_contain_text("line 060")
        await log_lines(61, 90)
        await expect(log_of(window.page)).to_contain_text("line 090")
        at_its_end = partial(_at_its_end, window.page)
        await wait_until(at_its_end, what="the log's end")  # type: ignore[arg-type]  # mypy takes T for a coroutine

        await window.page.get_by_text("Follow", exact=True).click()
        await settled(window.page)
        await scroll_up(window.page)
        away = await from_its_end(window.page)
        await log_lines(91, 95)
        await expect(log_of(window.page)).to_contain_text("line 095")
        assert await from_its_end(window.page) > away > 100

        await window.page.get_by_text("Pause", exact=True).click()
        await expect(window.page.get_by_test_id("stMain")).to_contain_text("paused, 0 newer lines")
        await log_lines(96, 98)
        await expect(window.page.get_by_test_id("stMain")).to_contain_text("paused, 3 newer lines")
        await expect(log_of(window.page)).not_to_contain_text("line 098")
        await window.page.get_by_text("Pause", exact=True).click()
        await expect(log_of(window.page)).to_contain_text("line 098")

        await visitor.go(window.page, "Tavern")
        await publisher.fail_run(run, "No more to say")
        await expect(window.page.get_by_test_id("stToast")).to_contain_text("talker failed.")
        # A run that ends before any page has seen it running is announced too.
        run = await publisher.start_run(agent_name="sprinter")
        await publisher.complete_run(run, {"distance": 100})
        await expect(window.page.get_by_test_id("stToast").last).to_contain_text("sprinter is done.")


async def _at_its_end(page: Page) -> bool:
    return await from_its_end(page) < 5


async def test_a_run_without_a_heartbeat_raises_an_alarm(open_window: OpenWindow, stack: StackInfo) -> None:
    ann = sign_up(stack, "Ann")
    window = await open_window(person=ann)
    await visitor.go(window.page, "Agents")
    with owner(stack) as cursor:
        cursor.execute(
            "insert into public.agent_runs (user_id, agent_name, agent_id, status, heartbeat_at)"
            " select id, 'sleeper', 'sleeper', 'in_progress', now() - interval '2 minutes'"
            " from public.users where display_name = %s",
            (ann.name,),
        )
    alarm = window.page.get_by_test_id("stAlert")
    await expect(alarm).to_contain_text("1 run has not responded for a minute or more: sleeper")
    await expect(run_of(window.page, ann.name)).to_contain_text("Not responding")
    await window.page.get_by_role("button", name="Open sleeper").click()
    await expect(window.page.get_by_role("list", name="Timeline")).to_contain_text("In progress")


async def test_a_long_history_is_paged_charted_filtered_and_exported(
    open_window: OpenWindow, stack: StackInfo
) -> None:
    ann = sign_up(stack, "Ann")
    with owner(stack) as cursor:
        # Past the triggers, as a database that has run for months has them.
        cursor.execute("set local session_replication_role = replica")
        cursor.execute(
            "insert into public.agent_runs"
            " (user_id, agent_name, agent_id, task_id, status, created_at, started_at, completed_at)"
            " select %s, case when n = 619 then '=cmd' else 'writer' end, 'w', 'chapter ' || n,"
            " case when mod(n, 4) = 0 then 'failed' else 'completed' end, moment, moment, moment + '1 min'"
            " from generate_series(1, 620) as n,"
            " lateral (select now() - n * interval '2 hours' as moment) as at",
            (ann.user_id,),
        )
        cursor.execute(
            "insert into public.agent_runs (user_id, agent_name, agent_id, status, created_at, heartbeat_at)"
            " values (%s, 'marathon', 'm', 'in_progress', now() - interval '1 year', now()) returning id",
            (ann.user_id,),
        )
        (marathon,) = cursor.fetchone() or ("",)
    window = await open_window(person=ann)
    await visitor.go(window.page, "Agents")
    await visitor.is_live(window.page)
    main = window.page.get_by_test_id("stMain")
    await expect(main).to_contain_text("chapter 100")
    await expect(main).to_contain_text("These are from the newest 500 runs, since ")

    # A run that began before all these and is still running is followed by its link.
    page = await window.open_tab(f"/agents?run={marathon}")
    await expect(run_of(page, ann.name)).to_contain_text("In progress")
    with owner(stack) as cursor:
        cursor.execute("update public.agent_runs set status = 'failed' where id = %s", (marathon,))
    await expect(run_of(page, ann.name)).to_contain_text("Failed")
    await page.close()

    older = window.page.get_by_role("button", name="Show older runs")
    await older.click()
    await expect(main.locator(".tv-run")).to_have_count(200)
    await search(window.page, "chapter 61")
    await expect(main.locator(".tv-run")).to_have_count(5)
    await older.click()
    await expect(main.locator(".tv-run")).to_have_count(16)  # with 561, and 610 to 619
    await older.click()
    await expect(older).to_have_count(0)
    await search(window.page, "")

    await window.page.get_by_text("Success rate", exact=True).click()
    await expect(window.page.get_by_test_id("stVegaLiteChart")).to_be_visible()
    await expect(main.get_by_role("row", name="writer")).to_contain_text("75 %")
    await window.page.get_by_text("All runs", exact=True).click()

    await visitor.choose(main.get_by_test_id("stSelectbox").filter(has_text="Status"), "Completed")
    await expect(main.locator(".tv-run").nth(3)).to_contain_text("chapter 5")
    filtered = window.page.url
    assert "state=Completed" in filtered
    for kind in ("CSV", "JSON"):
        async with window.page.expect_download() as download:
            await window.page.get_by_role("button", name=f"Export {kind}").click()
        text = (await (await download.value).path()).read_text()
        assert text.count("chapter ") == 465
        assert "chapter 619" in text
        assert ("'=cmd" in text) is (kind == "CSV")

    # One step back from a run is the board as it was; so is the button, and a reload.
    await main.locator(".tv-run").first.get_by_role("button", name="Open").click()
    await expect(main.get_by_role("list", name="Timeline")).to_have_count(1)
    await window.page.go_back()
    await expect(main.locator(".tv-run").nth(3)).to_contain_text("chapter 5")
    await main.locator(".tv-run").first.get_by_role("button", name="Open").click()
    await window.page.get_by_role("button", name="All runs").click()
    await expect(main.locator(".tv-run").nth(3)).to_contain_text("chapter 5")
    assert window.page.url == filtered
    await search(window.page, "nothing like this")
    await expect(main).to_contain_text("No runs here")
    await expect(window.page).to_have_url(re.compile("q=nothing"))
    await window.page.reload()
    await expect(window.page.get_by_label("Search")).to_have_value("nothing like this")
    await expect(main).to_contain_text("No runs here")
