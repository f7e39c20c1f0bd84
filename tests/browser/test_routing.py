"""The routing board: decisions of programs appear live, with exact sums, server-side filters and budgets."""

import csv
import io
import re
from datetime import timedelta

from playwright.async_api import Locator, Page, expect

from local_supabase.stack.runtime import StackInfo
from publish import AsyncMetricsCollector, RoutingDecision
from tests.browser.conftest import OpenWindow
from tests.support import visitor
from tests.support.browser import PHONE, Window, settled
from tests.support.line import Line
from tests.support.people import Person, give_role, sign_up
from tests.verify.cast import owner

HOSTILE = "<img src=x onerror=alert(1)>"
MARKDOWN = "**bold** :smile: [x](http://x.example) $a$"
FORMULA = "=cmd|' /C calc'!A0"
QUICK = timedelta(milliseconds=20)
GEMINI = RoutingDecision("gemini", "flash", "chat", 100, 20, "0.01", 640)


def collector_of(stack: StackInfo, person: Person) -> AsyncMetricsCollector:
    """Return what a program of this person's publishes with."""
    session = person.client.auth.get_session()
    assert session is not None
    return AsyncMetricsCollector(
        stack.url, stack.anon_key, session.access_token, user_id=person.user_id, interval=QUICK
    )


async def route(collector: AsyncMetricsCollector, decision: RoutingDecision, *, count: int = 1) -> None:
    """Have a program route something."""
    for _ in range(count):
        await collector.track_decision(prompt="Top secret", decision=decision, auto_route=True)
    assert await collector.flush()


def decisions(page: Page) -> Locator:
    """The list of the newest decisions."""
    return page.get_by_role("table", name="Newest decisions")


def figures(page: Page) -> Locator:
    """What it costs and how it goes."""
    return page.locator(".tv-figures")


async def open_tab(page: Page, name: str) -> None:
    """Choose a part of the page."""
    await page.get_by_test_id("stButtonGroup").first.get_by_text(name, exact=True).click()


async def unfolded(page: Page) -> None:
    """Wait until the form has unfolded: lists close when what they are in moves."""
    moved = "form => Promise.all(form.getAnimations().map(one => one.finished.catch(() => null)))"
    await page.get_by_test_id("stExpander").locator("details").evaluate(moved)


async def add_filter(page: Page, column: str, condition: str, value: str) -> None:
    """Add a filter with the form."""
    await unfolded(page)
    for label, option in (("Filter by", column), ("Condition", condition)):
        box = page.get_by_test_id("stSelectbox").filter(has_text=label).get_by_role("combobox")
        if await box.input_value() != option:
            await box.click()
            await page.get_by_role("option", name=option, exact=True).click()
            await settled(page)
    await page.get_by_label("Value", exact=True).fill(value)
    await page.get_by_label("Value", exact=True).press("Enter")
    await page.get_by_role("button", name="Add filter").click()


async def board_of(open_window: OpenWindow, person: Person) -> Window:
    """Show somebody the board."""
    window = await open_window("/routing", person=person)
    await visitor.is_live(window.page)
    return window


async def test_decisions_are_followed_by_their_person_and_admins_alone(
    open_window: OpenWindow, stack: StackInfo
) -> None:
    person, admin, curious = (sign_up(stack, name) for name in ("Router", "Admin", "Curious"))
    give_role(stack, admin.user_id, "admin")
    with owner(stack) as cursor:
        # More days than are loaded at once, all before this month.
        cursor.execute(
            "insert into public.routing_daily (user_id, day, provider, model, route, requests, errors,"
            " fallbacks, auto_routed, dropped, input_tokens, output_tokens, cost, latencies)"
            " select %s, date_trunc('month', now() at time zone 'UTC')::date - 1 - n %% 20,"
            " 'acme', 'm' || n, 'r', 1, 0, 0, 0, 0, 0, 0, 1, '{}' from generate_series(1, 1300) as n",
            (curious.user_id,),
        )
        # Charts begin with the second day.
        cursor.execute(
            "insert into public.routing_daily (user_id, day, provider, model, route, requests, errors,"
            " fallbacks, auto_routed, dropped, input_tokens, output_tokens, cost, latencies)"
            " values (%s, (now() at time zone 'UTC')::date - 1, 'acme', 'old', 'r', 1, 0, 0, 0, 0, 0, 0, 1,"
            " '{\"40\": 1}')",
            (person.user_id,),
        )
    mine, theirs, third = [await board_of(open_window, each) for each in (person, admin, curious)]
    a, b, c = mine.page, theirs.page, third.page
    await expect(a.get_by_test_id("stMain")).to_contain_text("Nothing was routed yet")
    await expect(a.get_by_test_id("stCode")).to_contain_text(f'user_id="{person.user_id}"')
    runs = mine.full_runs(), theirs.full_runs()

    async with collector_of(stack, person) as collector:
        # More than are shown: the sums count them all.
        await route(collector, GEMINI, count=150)
        await expect(figures(a)).to_contain_text("150 requests")
        await expect(figures(a)).to_contain_text("$1.50")
        await expect(decisions(a).locator("tbody tr")).to_have_count(100)
        await expect(decisions(b)).to_contain_text(person.name)

        # Names are shown as text.
        await route(collector, RoutingDecision(FORMULA, HOSTILE, MARKDOWN, 5, 0, "0.5", 30_000, HOSTILE))
        for page in (a, b):
            row = decisions(page).locator("tbody tr").filter(has_text=FORMULA)
            await expect(row).to_contain_text(MARKDOWN)
            await expect(row.get_by_text(HOSTILE)).to_have_count(2)
        await expect(figures(a)).to_contain_text("1 of 151")
    assert (mine.full_runs(), theirs.full_runs()) == runs
    await open_tab(a, "Totals")
    totals = a.get_by_role("table", name="Totals")
    await expect(totals.locator("tr").filter(has_text=FORMULA)).to_contain_text(HOSTILE)
    await expect(totals.locator("tr").last).to_contain_text("All together")
    await expect(totals.locator("tr").last).to_contain_text("152")
    await expect(a.get_by_test_id("stVegaLiteChart")).to_have_count(4)
    for window in (mine, theirs):
        await expect(window.page.locator("img[src=x]")).to_have_count(0)
        assert not window.was_sent("Top secret")
    await expect(c.get_by_test_id("stMain")).to_contain_text("Nothing was routed yet")
    await expect(figures(c)).to_contain_text("last month $1,300.00")
    assert not third.was_sent(FORMULA)


async def test_filters_are_chosen_kept_in_the_address_and_applied_by_the_server(
    open_window: OpenWindow, stack: StackInfo
) -> None:
    person = sign_up(stack, "Router")
    window = await open_window(person=person, scheme="dark")
    async with collector_of(stack, person) as collector:
        await route(collector, GEMINI, count=3)
        await route(collector, RoutingDecision(FORMULA, "small", "code", cost="0.02"))
        # By an address, as from a colleague.
        line = Line()
        page = await line.open_tab(window, "/routing?filter=cost%3Dgt.0.015")
        await page.set_viewport_size(PHONE)
        await expect(decisions(page)).to_contain_text(FORMULA)
        await expect(decisions(page)).not_to_contain_text("flash")
        chip = page.get_by_role("button", name="Cost ($) > 0.015")
        await expect(chip).to_be_visible()

        await page.get_by_text("Filter", exact=True).click()
        await expect(page.get_by_role("button", name="Add filter")).to_be_visible()
        await add_filter(page, "Provider", "is one of", 'openai, "a, b"')
        await expect(page.get_by_test_id("stMain")).to_contain_text("Nothing passes these filters")
        await expect(page).to_have_url(re.compile(r"filter=cost%3Dgt\.0\.015%2Cprovider%3Din"))
        await route(collector, RoutingDecision("openai", "left-out", cost="0.01"))
        await route(collector, RoutingDecision("openai", "mini", cost="0.03"))
        await expect(decisions(page)).to_contain_text("mini")
        await expect(decisions(page)).not_to_contain_text("left-out")

        await add_filter(page, "Cost ($)", "is less than", "much")
        await expect(page.get_by_role("alert")).to_contain_text("'much' is not a number")
        await page.reload()
        await expect(decisions(page)).to_contain_text("mini")
        for kind in ("CSV", "JSON"):
            async with page.expect_download() as download:
                await page.get_by_role("button", name=f"Export {kind}").click()
            text = (await (await download.value).path()).read_text()
            assert "mini" in text
            assert "left-out" not in text

        assert not window.was_sent("left-out")
        # What the browser sends before it has the new address does not bring the filters back.
        line.deaf = True
        await page.get_by_role("button", name="Clear all").click()
        await line.holds_an_address()
        await open_tab(page, "Totals")
        line.thaw()
        await expect(page.get_by_role("table", name="Totals")).to_contain_text(FORMULA)
        await open_tab(page, "Newest")
        await expect(decisions(page)).to_contain_text("left-out")
        await expect(page).not_to_have_url(re.compile("filter="))
        async with page.expect_download() as download:
            await page.get_by_role("button", name="Export CSV").click()
        rows = list(csv.DictReader(io.StringIO((await (await download.value).path()).read_text())))
        assert len(rows) == 6
        assert f"'{FORMULA}" in {row["provider"] for row in rows}
        # An invalid filter in the address is named, and harms nothing.
        await page.goto(f"{window.url}/routing?filter=cost%3Dgt.%3Cimg%3E&tab=Prices")
        await expect(page.get_by_test_id("stMain").get_by_role("alert")).to_contain_text(
            "The filter in the address is ignored. cost: '<img>' is not a number."
        )
        await expect(decisions(page)).to_contain_text("left-out")


async def test_a_limit_raises_an_alert_the_moment_it_is_crossed(
    open_window: OpenWindow, stack: StackInfo
) -> None:
    person, admin = sign_up(stack, "Router"), sign_up(stack, "Admin")
    give_role(stack, admin.user_id, "admin")
    model = f"priced {person.user_id[:8]}"
    admin.client.table("model_prices").insert(
        {"provider": "acme", "model": model, "input_price": 100_000, "output_price": 0}
    ).execute()
    window = await board_of(open_window, person)
    page = window.page
    alerts = page.get_by_test_id("stMain").get_by_test_id("stAlert")
    await open_tab(page, "Budgets")
    await page.get_by_label("Warn at ($)").fill("2")
    await page.get_by_label("Alarm at ($)").fill("1")
    await visitor.form_button(page, "Save budget").click()
    await expect(alerts).to_contain_text("The soft limit must not be above the hard limit.")
    await page.get_by_label("Warn at ($)").fill("0.5")
    await visitor.form_button(page, "Save budget").click()
    budget = page.locator(".tv-budget")
    await expect(budget).to_contain_text("soft $0.50 · hard $1.00")
    await expect(alerts).to_have_count(0)

    async with collector_of(stack, person) as collector:
        await route(collector, RoutingDecision("acme", "small", input_tokens=10, cost="0.6"))
        await expect(alerts).to_contain_text("$0.60 spent, the soft limit is $0.50.")
        await expect(page.get_by_test_id("stToast").first).to_contain_text("soft limit")
        # On another page too.
        await visitor.go(page, "People")
        await route(collector, RoutingDecision("acme", "small", input_tokens=10, cost="0.6"))
        await expect(page.get_by_test_id("stToast").last).to_contain_text("the hard limit is $1.00.")
    await visitor.go(page, "Routing")
    await expect(alerts).to_contain_text("$1.20 spent, the hard limit is $1.00.")

    await open_tab(page, "What if")
    row = page.get_by_role("table", name="What if").locator("tr").filter(has_text=model)
    await expect(row).to_contain_text("$2.00")
    await expect(row).to_contain_text("+$0.80 (+67 %)")
    await open_tab(page, "Budgets")
    await page.get_by_role("button", name="Remove", exact=True).click()
    await page.get_by_role("button", name="Remove this budget").click()
    await expect(page.get_by_test_id("stMain")).to_contain_text("No budgets yet")
    await expect(alerts).to_have_count(0)
