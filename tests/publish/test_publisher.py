"""The publisher against the real stack: reports arrive, in few writes, and survive outages."""

import subprocess
import sys
import uuid
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest

from local_supabase.stack.runtime import StackInfo
from publish import (
    AgentEventPublisher,
    IllegalTransitionError,
    Level,
    PublishError,
    RunStatus,
    UndeliveredError,
    UnknownRunError,
)
from publish.spool import Spool
from publish.transport import Result, Transport
from publish.unsent import MOST_EVENTS, Write
from tests.publish.conftest import Bench, Row
from tests.support.people import sign_up
from tests.support.stack import PROJECT
from tests.support.wait import wait_until

QUICK = timedelta(milliseconds=20)
SOON = timedelta(seconds=30)


def publisher_of(
    bench: Bench, interval: timedelta = QUICK, *, spool: Path | None = None
) -> AgentEventPublisher:
    return AgentEventPublisher(bench.proxy.url, bench.key, bench.token, interval=interval, spool=spool)


async def test_a_run_from_its_start_to_its_end(bench: Bench) -> None:
    async with publisher_of(bench) as publisher:
        run = await publisher.start_run(
            agent_name="orchestrator", task_id="task_123", metadata={"context": "more"}
        )
        await publisher.update_progress(run, "Analyzing", 20, tokens=100, cost_usd=0.01)
        await publisher.update_progress(run, "Generating", 60, tokens=250, cost_usd=0.02)
        await publisher.log(run, "<b>half</b> done")
        await publisher.log(run, "careful", Level.WARNING)
        await publisher.update_status(run, "awaiting_verification", "Waiting")
        await publisher.update_status(run, RunStatus.VERIFICATION_IN_PROGRESS)
        await publisher.update_status(run, RunStatus.VERIFICATION_PASSED, evidence={"tests": 12})
        await publisher.complete_run(run, {"files_created": 3})
        assert await publisher.flush(SOON)
    row = bench.run(run)
    assert row["user_id"] == bench.person.user_id
    assert (row["agent_name"], row["agent_id"], row["task_id"]) == (
        "orchestrator",
        "orchestrator",
        "task_123",
    )
    assert (row["status"], row["progress_percent"], row["tokens"]) == ("completed", 100, 250)
    assert (row["result"], row["metadata"]) == ({"files_created": 3}, {"context": "more"})
    assert (row["verification_evidence"], row["verification_attempts"]) == ([{"tests": 12}], 1)
    assert bench.statuses(run) == [
        "in_progress",
        "awaiting_verification",
        "verification_in_progress",
        "verification_passed",
        "completed",
    ]
    assert [step["message"] for step in bench.events(run, "step")] == ["Analyzing", "Generating"]
    assert [(line["level"], line["message"]) for line in bench.events(run, "log")] == [
        ("info", "<b>half</b> done"),
        ("warning", "careful"),
    ]


async def test_a_chatty_agent_costs_few_writes(bench: Bench) -> None:
    async with publisher_of(bench, timedelta(milliseconds=200)) as publisher:
        run = await publisher.start_run(agent_name="chatty")
        for number in range(2_000):
            await publisher.update_progress(run, progress=number / 20)
            await publisher.log(run, f"line {number}")
            await publisher.heartbeat(run)
        await publisher.complete_run(run)
        assert await publisher.flush(SOON)
        assert publisher.requests < 20
    assert bench.log(run) == [f"line {number}" for number in range(2_000)]
    version = bench.run(run)["version"]
    assert isinstance(version, int)
    assert version < 10


async def test_an_outage_blocks_no_agent_and_loses_no_final_status(bench: Bench) -> None:
    async with publisher_of(bench) as publisher:
        before = await publisher.start_run(agent_name="before")
        assert await publisher.flush(SOON)
        bench.proxy.refuse()
        during = await publisher.start_run(agent_name="during")
        for run in (before, during):
            await publisher.update_progress(run, "Working on", 50)
            await publisher.log(run, "logged during the outage")
            for status in ("awaiting_verification", "verification_in_progress", "verification_passed"):
                await publisher.update_status(run, status)
            await publisher.complete_run(run, "done")
        assert not await publisher.flush(timedelta(milliseconds=300))
        bench.proxy.accept()
        assert await publisher.flush(SOON)
    for run in (before, during):
        assert bench.run(run)["status"] == "completed"
        assert bench.log(run) == ["logged during the outage"]
        assert len(bench.statuses(run)) == 5


async def test_lost_answers_do_no_harm(bench: Bench) -> None:
    async with publisher_of(bench) as publisher:
        run = await publisher.start_run(agent_name="unlucky")
        assert await publisher.flush(SOON)
        for number in range(30):
            await publisher.log(run, f"line {number}")
            await publisher.update_progress(run, f"Step {number}")
            if number % 3 == 0:
                bench.proxy.cut()
            await publisher.flush(timedelta(milliseconds=30))
        await publisher.complete_run(run)
        bench.proxy.cut()
        assert await publisher.flush(SOON)
    assert bench.run(run)["status"] == "completed"
    assert bench.log(run) == [f"line {number}" for number in range(30)]
    assert [step["message"] for step in bench.events(run, "step")] == [f"Step {n}" for n in range(30)]
    assert bench.statuses(run) == ["in_progress", "completed"]


async def test_log_lines_kept_during_an_outage_are_limited(bench: Bench) -> None:
    async with publisher_of(bench) as publisher:
        run = await publisher.start_run(agent_name="talker")
        assert await publisher.flush(SOON)
        bench.proxy.refuse()
        for number in range(MOST_EVENTS + 100):
            await publisher.log(run, f"line {number}", Level.INFO if number % 2 else Level.DEBUG)
        await publisher.fail_run(run, "gave up")
        bench.proxy.accept()
        assert await publisher.flush(SOON)
    lines = bench.log(run)
    assert lines[-2 if "dropped" in lines[-1] else -1] == f"line {MOST_EVENTS + 99}"
    assert any("older lines were dropped" in line for line in lines)
    assert len(lines) <= MOST_EVENTS + 1
    assert (bench.run(run)["status"], bench.run(run)["error"]) == ("failed", "gave up")


async def test_closing_in_an_outage_names_the_lost_runs(bench: Bench) -> None:
    publisher = publisher_of(bench)
    run = await publisher.start_run(agent_name="late")
    bench.proxy.refuse()
    await publisher.complete_run(run)
    with pytest.raises(UndeliveredError) as lost:
        await publisher.aclose(timedelta(0))
    assert lost.value.runs == (run,)
    with pytest.raises(PublishError):
        await publisher.log(run, "too late")


async def test_an_agent_learns_that_its_run_was_cancelled(bench: Bench) -> None:
    async with publisher_of(bench) as publisher:
        run = await publisher.start_run(agent_name="stopped")
        assert await publisher.flush(SOON)
        bench.person.client.table("agent_runs").update({"status": "cancelled"}).eq("id", run).execute()
        await publisher.log(run, "still at it")
        await wait_until(lambda: publisher.is_over(run), what="the publisher to notice")
        assert publisher.status(run) is RunStatus.CANCELLED
        await publisher.complete_run(run, "nobody wants it")
        assert await publisher.flush(SOON)
    assert bench.run(run)["status"] == "cancelled"


async def test_a_refused_result_does_not_prevent_the_final_status(bench: Bench) -> None:
    async with publisher_of(bench) as publisher:
        big, odd = [await publisher.start_run(agent_name=name) for name in ("big", "odd")]
        await publisher.complete_run(big, "x" * 300_000)
        await publisher.complete_run(odd, {"nan": float("nan"), "nul": "\x00", "object": object()})
        assert await publisher.flush(SOON)
        assert publisher.problem(big) == "A result has up to 200 kB of JSON."
    assert (bench.run(big)["status"], bench.run(big)["result"]) == ("completed", None)
    assert bench.run(odd)["status"] == "completed"


async def test_refused_values_do_not_lose_a_status(bench: Bench) -> None:
    async with publisher_of(bench) as publisher:
        run = await publisher.start_run(agent_name="thorough", status=RunStatus.PENDING)
        await publisher.update_progress(run, "Counting", tokens=2**70)
        await publisher.update_status(run, RunStatus.AWAITING_VERIFICATION)
        await publisher.update_status(run, RunStatus.VERIFICATION_IN_PROGRESS)
        await publisher.update_status(run, RunStatus.VERIFICATION_PASSED, evidence="x" * 150_000)
        await publisher.complete_run(run, "done")
        assert await publisher.flush(SOON)
        assert publisher.problem(run) == "Evidence is a JSON list of up to 100 kB."
    assert bench.statuses(run) == [
        "pending",
        "in_progress",
        "awaiting_verification",
        "verification_in_progress",
        "verification_passed",
        "completed",
    ]
    assert (bench.run(run)["result"], bench.run(run)["tokens"]) == ("done", 0)


async def test_odd_values_arrive_in_a_form_the_schema_takes(bench: Bench) -> None:
    task = uuid.uuid4()
    odd = {"number": 10**5000, "name": "\ud800", "deep": nested(200), ("a", "tuple"): 1}
    async with publisher_of(bench) as publisher:
        run = await publisher.start_run(
            agent_name="a" * 100,
            task_id=task,  # type: ignore[arg-type]  # on purpose
            metadata={"notes": "x" * 30_000},
        )
        await publisher.update_progress(
            run, "Reading \udcff", 10, tokens=cast("int", Decimal("1e400")), cost_usd=Decimal("nan")
        )
        await publisher.log(run, "A file name as the system has it: \udcff")
        await publisher.complete_run(run, odd)
        assert await publisher.flush(SOON)
        assert publisher.problem(run) is None
    row = bench.run(run)
    assert (row["agent_name"], row["task_id"], row["status"]) == ("a" * 80, str(task), "completed")
    assert (row["metadata"], row["tokens"], row["cost_usd"]) == ({"too_large": 30_013}, 0, 0)
    assert bench.log(run) == ["A file name as the system has it: ?"]


def nested(levels: int) -> object:
    return [nested(levels - 1)] if levels else None


async def test_a_bug_in_one_run_does_not_block_the_others(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    send, faulty = Transport.send, "none yet"

    async def fail(transport: Transport, write: Write) -> Result:
        if write.run_id == faulty:
            raise TypeError("a bug")
        return await send(transport, write)

    monkeypatch.setattr(Transport, "send", fail)
    async with publisher_of(bench) as publisher:
        faulty, other = [await publisher.start_run(agent_name=name) for name in ("faulty", "other")]
        await publisher.complete_run(other)
        assert not await publisher.flush(timedelta(milliseconds=500))
        assert bench.run(other)["status"] == "completed"
        faulty = "none any more"
    assert bench.statuses(other) == ["in_progress", "completed"]


async def test_a_pending_run_is_taken_over(bench: Bench) -> None:
    async with publisher_of(bench) as publisher:
        run = await publisher.start_run(agent_name="waiting", status=RunStatus.PENDING)
        assert await publisher.flush(SOON)
    async with publisher_of(bench) as other:
        await other.join_run(run)
        await other.update_progress(run, "Begun", 1)
        await other.complete_run(run)
    assert bench.statuses(run) == ["pending", "in_progress", "completed"]


async def test_misuse_raises(bench: Bench) -> None:
    async with publisher_of(bench) as publisher:
        with pytest.raises(UnknownRunError):
            await publisher.log("nobody's", "x")
        run = await publisher.start_run(agent_name="wrong")
        with pytest.raises(IllegalTransitionError):
            await publisher.update_status(run, "verification_passed")
        await publisher.complete_run(run)
        with pytest.raises(IllegalTransitionError):
            await publisher.fail_run(run, "after all")
        with pytest.raises(ValueError, match="nonsense"):
            await publisher.update_status(run, "nonsense")


async def test_nobody_publishes_as_somebody_else(bench: Bench) -> None:
    async with publisher_of(bench) as publisher:
        run = await publisher.start_run(agent_name="forger", user_id="00000000-0000-4000-8000-000000000001")
        await publisher.complete_run(run)
        assert await publisher.flush(SOON)
        assert publisher.problem(run) == "You are not allowed to do that."


async def test_a_backend_publishes_for_many_people_with_settings_from_the_environment(
    bench: Bench, stack: StackInfo, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = sign_up(stack, "Other")
    monkeypatch.setenv("SUPABASE_URL", f"{stack.url}/")
    monkeypatch.setenv("SUPABASE_KEY", stack.service_key)
    async with AgentEventPublisher(interval=QUICK) as publisher:
        people = (bench.person, other)
        runs = [await publisher.start_run(agent_name="many", user_id=one.user_id) for one in people]
        for run in runs:
            await publisher.log(run, "for you")
            await publisher.complete_run(run)
        assert await publisher.flush(SOON)
        assert [publisher.problem(run) for run in runs] == [None, None]
    row = bench.run(runs[0])
    assert (row["user_id"], row["status"], bench.log(runs[0])) == (
        bench.person.user_id,
        "completed",
        ["for you"],
    )
    assert other.client.table("agent_runs").select("id").execute().data == [{"id": runs[1]}]


FORGETFUL = """
import asyncio, sys
from datetime import timedelta
from publish import AgentEventPublisher, SyncAgentEventPublisher

token = sys.argv[1]

async def main():
    publisher = AgentEventPublisher(token=token, interval=timedelta(minutes=5))
    await publisher.complete_run(await publisher.start_run(agent_name="async"))
    await asyncio.sleep(0)

asyncio.run(main())
publisher = SyncAgentEventPublisher(token=token, interval=timedelta(minutes=5))
publisher.complete_run(publisher.start_run(agent_name="sync"))
"""


def test_a_program_that_does_not_close_loses_no_final_status(bench: Bench) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", FORGETFUL, bench.token()],
        cwd=PROJECT.parent,
        env={"SUPABASE_URL": bench.proxy.url, "SUPABASE_KEY": bench.key},
        check=True,
        timeout=60,
        capture_output=True,
        text=True,
    )
    assert ended.stderr == ""
    runs = bench.person.client.table("agent_runs").select("agent_name, status").execute().data
    statuses = {cast("Row", run)["agent_name"]: cast("Row", run)["status"] for run in runs}
    assert statuses == {"async": "completed", "sync": "completed"}


async def test_without_a_project_it_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUPABASE_URL", raising=False)
    with pytest.raises(PublishError, match="SUPABASE_URL"):
        AgentEventPublisher()


async def test_it_waits_while_there_is_no_token(bench: Bench) -> None:
    failures = [1, 2]

    def token() -> str:
        if failures:
            failures.pop()
            raise RuntimeError("signed out")
        return bench.token()

    async with AgentEventPublisher(bench.proxy.url, bench.key, token, interval=QUICK) as publisher:
        run = await publisher.start_run(agent_name="patient")
        assert await publisher.flush(SOON)
    assert bench.run(run)["status"] == "in_progress"


async def test_a_spool_that_cannot_be_written_for_a_moment_stops_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    save, broken = Spool.save, [True, True]

    def full_disk(spool: Spool, *arguments: Any) -> None:
        if broken:
            broken.pop()
            raise OSError("No space left on device")
        save(spool, *arguments)

    async with publisher_of(bench, spool=tmp_path / "spool") as publisher:
        run = await publisher.start_run(agent_name="spooled")
        monkeypatch.setattr(Spool, "save", full_disk)
        await publisher.log(run, "a line")
        assert await publisher.flush(SOON)
        await publisher.complete_run(run)
    assert not broken
    assert bench.run(run)["status"] == "completed"
