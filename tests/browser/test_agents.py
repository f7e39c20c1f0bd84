"""The board of agents: a run is followed live by its own person and by admins, and by nobody else."""

import re

from playwright.async_api import Locator, Page, expect

from local_supabase.runtime import StackInfo
from publish import AgentEventPublisher
from tests.browser.conftest import OpenWindow
from tests.support import visitor
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


async def start(page: Page) -> None:
    """Start the demo agent."""
    await page.get_by_role("button", name="Start the demo agent").click()


async def test_a_run_is_followed_from_its_start_to_its_end(open_window: OpenWindow, stack: StackInfo) -> None:
    admin = sign_up(stack, "Admin")
    give_role(stack, admin.user_id, "admin")
    a, b, third = await open_window(), await open_window(), await open_window()
    ann = await visitor.create_account(a.page, "Ann")
    await visitor.sign_in(b.page, admin.email, admin.password)
    await visitor.create_account(third.page, "Curious")
    for window in (a, b, third):
        await visitor.go(window.page, "Agents")
        await visitor.is_live(window.page)
    runs = b.full_runs()

    await start(a.page)
    for window in (a, b):
        await expect(run_of(window.page, ann.name)).to_contain_text("docs-checker")
        await expect(run_of(window.page, ann.name)).to_contain_text("In progress")
        await expect(run_of(window.page, ann.name)).to_contain_text("Checking ")
    for window in (a, b):
        await expect(run_of(window.page, ann.name)).to_contain_text("Completed", timeout=90_000)
        await expect(run_of(window.page, ann.name)).to_contain_text("100 %")
    await expect(a.page.get_by_test_id("stToast")).to_contain_text("is done.")
    assert b.full_runs() == runs

    await run_of(b.page, ann.name).get_by_role("button", name="Open").click()
    await expect(b.page.get_by_role("list", name="Timeline")).to_contain_text("Being verified")
    log = b.page.get_by_role("log", name="Log")
    await expect(log).to_contain_text(re.compile(r"README\.md: \d+ links"))
    await b.page.get_by_label("Search the log").fill("architecture.md")
    await b.page.get_by_label("Search the log").press("Enter")
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


async def test_a_run_is_cancelled_and_tried_again(open_window: OpenWindow) -> None:
    window = await open_window()
    ann = await visitor.create_account(window.page, "Ann")
    await visitor.go(window.page, "Agents")
    await start(window.page)
    await run_of(window.page, ann.name).get_by_role("button", name="Cancel").click()
    await expect(run_of(window.page, ann.name)).to_contain_text("Cancelled")

    await run_of(window.page, ann.name).get_by_role("button", name="Try again").click()
    again = run_of(window.page, ann.name).filter(has_text="another try")
    await expect(again).to_contain_text("In progress")
    await again.get_by_role("button", name="Cancel").click()
    await expect(again).to_contain_text("Cancelled")


async def test_what_an_agent_outside_says_is_text_and_an_admin_stops_it(
    open_window: OpenWindow, stack: StackInfo
) -> None:
    admin, person = sign_up(stack, "Admin"), sign_up(stack, "Operator")
    give_role(stack, admin.user_id, "admin")
    window = await open_window()
    await visitor.sign_in(window.page, admin.email, admin.password)
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

        await card.get_by_role("button", name="Cancel").click()
        await expect(card).to_contain_text("Cancelled")
        await publisher.update_progress(run, "Going on", 60)
        await wait_until(lambda: publisher.is_over(run), what="the agent to learn that it was cancelled")
    timeline = window.page.get_by_role("list", name="Timeline")
    await expect(timeline).to_contain_text(f"Cancelled by {admin.name}")


async def test_a_run_without_a_sign_of_life_raises_an_alarm(
    open_window: OpenWindow, stack: StackInfo
) -> None:
    window = await open_window()
    ann = await visitor.create_account(window.page, "Ann")
    await visitor.go(window.page, "Agents")
    with owner(stack) as cursor:
        cursor.execute(
            "insert into public.agent_runs (user_id, agent_name, agent_id, status, heartbeat_at)"
            " select id, 'sleeper', 'sleeper', 'in_progress', now() - interval '2 minutes'"
            " from public.users where display_name = %s",
            (ann.name,),
        )
    alarm = window.page.get_by_test_id("stAlert")
    await expect(alarm).to_contain_text("1 run shows no sign of life for a minute or more: sleeper")


async def test_the_history_is_taken_away(open_window: OpenWindow) -> None:
    window = await open_window()
    ann = await visitor.create_account(window.page, "Ann")
    await visitor.go(window.page, "Agents")
    await start(window.page)
    await expect(run_of(window.page, ann.name)).to_be_visible()
    for kind in ("CSV", "JSON"):
        async with window.page.expect_download() as download:
            await window.page.get_by_role("button", name=f"Export {kind}").click()
        assert "docs-checker" in (await (await download.value).path()).read_text()


async def test_filters_are_in_the_address(open_window: OpenWindow) -> None:
    window = await open_window()
    ann = await visitor.create_account(window.page, "Ann")
    await visitor.go(window.page, "Agents")
    await start(window.page)
    await expect(run_of(window.page, ann.name)).to_be_visible()
    await window.page.get_by_label("Search").fill("nothing like this")
    await window.page.get_by_label("Search").press("Enter")
    await expect(window.page.get_by_test_id("stMain")).to_contain_text("No runs here")
    await expect(window.page).to_have_url(re.compile("q=nothing"))
    await window.page.reload()
    await expect(window.page.get_by_label("Search")).to_have_value("nothing like this")
    await expect(window.page.get_by_test_id("stMain")).to_contain_text("No runs here")
