"""The collector against the real stack: batches, outages, no duplicates, no exceptions, no threads left."""

import asyncio
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import cast

import pytest

from local_supabase.stack.runtime import StackInfo
from publish import AsyncMetricsCollector, PublishError, RoutingDecision, SyncMetricsCollector, metrics_rows
from tests.publish.conftest import Bench, Row
from tests.support.people import sign_up
from tests.support.stack import PROJECT
from tests.support.wait import wait_until

DECISION = RoutingDecision(
    "acme", "small-1", "code", input_tokens=10, output_tokens=2, cost="0.25", latency_ms=100
)
QUICK = timedelta(milliseconds=20)
MOMENT = timedelta(milliseconds=200)


def collector_of(bench: Bench, **options: object) -> AsyncMetricsCollector:
    given = {"user_id": bench.person.user_id, "interval": QUICK, **options}
    return AsyncMetricsCollector(bench.proxy.url, bench.key, bench.token, **given)  # type: ignore[arg-type]


def metrics(bench: Bench) -> list[Row]:
    rows = bench.person.client.table("routing_metrics").select("*").order("timestamp").limit(1000).execute()
    return [cast("Row", row) for row in rows.data]


def daily_sums(bench: Bench) -> tuple[int, Decimal, int]:
    """Return the requests of all days, their cost, and the dropped decisions."""
    rows = bench.person.client.table("routing_daily").select("requests, cost, dropped").execute().data
    days = [cast("dict[str, float]", row) for row in rows]
    cost = sum((Decimal(str(day["cost"])) for day in days), Decimal(0))
    return int(sum(day["requests"] for day in days)), cost, int(sum(day["dropped"] for day in days))


async def test_a_busy_router_costs_few_inserts_and_the_sums_are_exact(bench: Bench) -> None:
    async with collector_of(bench, interval=MOMENT) as collector:
        for number in range(1_000):
            await collector.track_decision(
                prompt="What is it?", decision=DECISION, auto_route=True, request_id=f"r-{number}"
            )
        assert await collector.flush()
        assert collector.requests <= 1_000 / 200 + 2
    assert daily_sums(bench) == (1_000, Decimal(250), 0)
    row = metrics(bench)[0]
    assert (row["provider"], row["model"], row["route"], row["auto_route"]) == (
        "acme",
        "small-1",
        "code",
        True,
    )
    assert (row["user_id"], row["prompt"], row["prompt_length"]) == (bench.person.user_id, None, 11)
    assert (collector.dropped, collector.refused, collector.unsent) == (0, 0, 0)


async def test_an_outage_neither_blocks_the_caller_nor_loses_a_decision(bench: Bench) -> None:
    async with collector_of(bench) as collector:
        bench.proxy.refuse()
        for number in range(50):
            await collector.track_decision(prompt=None, decision=DECISION, request_id=str(number))
        assert not await collector.flush(MOMENT)
        await wait_until(lambda: collector.problem, what="the collector to notice")
        bench.proxy.accept()
        assert await collector.flush()
    assert daily_sums(bench) == (50, Decimal("12.5"), 0)


async def test_lost_answers_duplicate_nothing(bench: Bench) -> None:
    lost = iter([True, True, False])
    async with collector_of(bench) as collector:
        bench.proxy.loses_answer = lambda: next(lost, False)
        for number in range(20):
            await collector.track_decision(prompt=None, decision=DECISION, request_id=str(number))
        assert await collector.flush()
        assert next(lost, None) is None
        await collector.track_decision(prompt=None, decision=DECISION, request_id="7")
    assert daily_sums(bench) == (20, Decimal(5), 0)


async def test_memory_is_bounded_and_drops_are_reported(bench: Bench) -> None:
    async with collector_of(bench, capacity=30) as collector:
        bench.proxy.refuse()
        for number in range(100):
            await collector.track_decision(prompt=None, decision=DECISION, request_id=str(number))
        assert collector.unsent <= 30
        bench.proxy.accept()
        assert await collector.flush()
        assert collector.dropped == 70
    assert daily_sums(bench) == (30, Decimal("7.5"), 70)
    assert {row["request_id"] for row in metrics(bench)} == {str(number) for number in range(70, 100)}


async def test_failures_never_raise(bench: Bench, stack: StackInfo) -> None:
    other = sign_up(stack, "Other")
    nonsense = cast("RoutingDecision", object())
    async with collector_of(bench) as mine, collector_of(bench, user_id=other.user_id) as forged:
        await forged.track_decision(prompt="Hi", decision=DECISION, request_id="forged")
        await mine.track_decision(prompt="Hi", decision=nonsense, request_id="nonsense")
        await mine.track_decision(prompt="Hi\x00\ud800", decision=DECISION, request_id="mine")
        assert await mine.flush()
        assert mine.refused == 2
        assert mine.problem == "You are not allowed to do that."
    await mine.track_decision(prompt=None, decision=DECISION, request_id="after it was closed")
    assert await mine.aclose()
    assert [row["request_id"] for row in metrics(bench)] == ["mine", "after it was closed"]


async def test_a_refused_row_does_not_affect_the_others(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As a program does that is older than the rule of the schema.
    monkeypatch.setattr(metrics_rows, "_EARLIEST", datetime(1900, 1, 1, tzinfo=UTC))
    async with collector_of(bench) as collector:
        early = RoutingDecision("acme", "old", at=datetime(1999, 1, 1, tzinfo=UTC))
        for number in range(9):
            decision = early if number == 4 else DECISION
            await collector.track_decision(prompt=None, decision=decision, request_id=str(number))
        assert await collector.flush()
        assert collector.problem == "A decision was made in 2020 or later."
    assert {row["request_id"] for row in metrics(bench)} == set("01235678")


async def test_collectors_made_for_each_request_share_a_pipeline_and_leave_no_thread(bench: Bench) -> None:
    before = threading.active_count()
    for number in range(40):
        collector = collector_of(bench, interval=MOMENT)
        await collector.track_decision(prompt=None, decision=DECISION, request_id=str(number))
    assert await collector.aclose()
    assert collector.requests <= 3
    assert daily_sums(bench)[0] == 40
    await wait_until(
        lambda: threading.active_count() <= before + 1, what="the thread to end"
    )  # one is to_thread's


async def test_it_never_waits_for_the_database(bench: Bench) -> None:
    bench.proxy.stalled = True
    collector = collector_of(bench)
    async with asyncio.timeout(30):  # the stalled proxy never answers
        for number in range(200):
            await collector.track_decision(prompt="Hi", decision=DECISION, request_id=str(number))
        assert not await collector.flush(MOMENT)
    bench.proxy.stalled = False
    bench.proxy.cut()
    assert await collector.aclose()
    assert daily_sums(bench)[0] == 200


def test_many_threads_track_through_one(bench: Bench) -> None:
    with SyncMetricsCollector(
        bench.proxy.url, bench.key, bench.token(), user_id=bench.person.user_id, interval=QUICK
    ) as collector:

        def work(thread: int) -> None:
            for number in range(50):
                collector.track_decision(prompt=None, decision=DECISION, request_id=f"{thread}-{number}")

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert daily_sums(bench)[0] == 200


FORGETFUL = """
import asyncio, sys
from publish import AsyncMetricsCollector, RoutingDecision, SyncMetricsCollector

user_id, token = sys.argv[1:]
decision = RoutingDecision("acme", "small-1")

async def main():
    collector = AsyncMetricsCollector(user_id=user_id, token=token)
    await collector.track_decision(prompt="Hi", decision=decision, request_id="async")

asyncio.run(main())
SyncMetricsCollector(user_id=user_id, token=token).track_decision(
    prompt="Hi", decision=decision, request_id="sync"
)
"""


def test_a_program_that_does_not_close_loses_nothing(bench: Bench) -> None:
    subprocess.run(
        [sys.executable, "-c", FORGETFUL, bench.person.user_id, bench.token()],
        cwd=PROJECT.parent,
        env={"SUPABASE_URL": bench.proxy.url, "SUPABASE_KEY": bench.key},
        check=True,
        timeout=60,
    )
    assert {row["request_id"] for row in metrics(bench)} == {"async", "sync"}


def test_without_a_project_it_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUPABASE_URL", raising=False)
    with pytest.raises(PublishError, match="SUPABASE_URL"):
        SyncMetricsCollector(user_id="somebody")
