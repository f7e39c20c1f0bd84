"""What is not sent outlives its process: killed at any moment, and told once."""

import os
import signal
import stat
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from local_supabase.privileges import child_setup
from publish import AgentEventPublisher, PublishError, RunStatus, SpoolUnusable, SyncAgentEventPublisher
from publish.spool import Spool
from publish.unsent import Unsent
from tests.publish.conftest import Bench

PROJECT = Path(__file__).resolve().parents[2]
QUICK = timedelta(milliseconds=20)
SOON = timedelta(seconds=30)

PROGRAM = """
import sys, threading
from publish import SyncAgentEventPublisher
url, key, token, spool = sys.argv[1:]
publisher = SyncAgentEventPublisher(url, key, lambda: token, spool=spool)
done, going = (publisher.start_run(agent_name=name) for name in ("done", "going"))
for run in (done, going):
    publisher.update_progress(run, "Working", 50)
    publisher.update_status(run, "awaiting_verification")
    publisher.update_status(run, "verification_in_progress", evidence={"tests": 12})
publisher.update_status(done, "verification_passed")
publisher.complete_run(done, {"files": 3})
print(done, going, flush=True)
threading.Event().wait()
"""


def publisher_on(bench: Bench, spool: Path) -> AgentEventPublisher:
    return AgentEventPublisher(bench.proxy.url, bench.key, bench.token, interval=QUICK, spool=spool)


def killed(bench: Bench, spool: Path) -> tuple[str, str]:
    """Run the program, kill it as soon as it has said everything, and return its runs."""
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, bench.proxy.url, bench.key, bench.token(), str(spool)],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=child_setup(None, death_signal=signal.SIGKILL),
    )
    assert program.stdout is not None
    with program.stdout:
        done, going = program.stdout.readline().split()
        program.kill()
        program.wait()
    return done, going


@pytest.mark.parametrize("away", [True, False], ids=["database away", "database there"])
async def test_what_a_killed_process_had_said_is_published_by_the_next(
    bench: Bench, tmp_path: Path, away: bool
) -> None:
    spool = tmp_path / "spool.db"
    if away:
        bench.proxy.refuse()
    done, going = killed(bench, spool)
    if away:
        bench.proxy.accept()
    async with publisher_on(bench, spool) as publisher:
        assert publisher.left_behind == [going]
        assert publisher.status(going) is RunStatus.VERIFICATION_IN_PROGRESS
        await publisher.fail_run(going, "The agent's process ended.")
        assert publisher.left_behind == []
        assert await publisher.flush(SOON)
    flow = ["in_progress", "awaiting_verification", "verification_in_progress"]
    assert bench.statuses(done) == [*flow, "verification_passed", "completed"]
    assert bench.statuses(going) == [*flow, "failed"]
    row = bench.run(done)
    assert (row["result"], row["verification_evidence"]) == ({"files": 3}, [{"tests": 12}])
    async with publisher_on(bench, spool) as third:
        assert await third.flush(SOON)
        assert (third.requests, third.left_behind) == (0, [])


async def test_closing_in_an_outage_keeps_everything(bench: Bench, tmp_path: Path) -> None:
    spool = tmp_path / "spool.db"
    bench.proxy.refuse()
    publisher = publisher_on(bench, spool)
    run = await publisher.start_run(agent_name="late")
    await publisher.log(run, "said while nobody heard")
    await publisher.complete_run(run, "done")
    await publisher.aclose(timedelta(milliseconds=100))
    with pytest.raises(PublishError):
        await publisher.log(run, "too late")
    bench.proxy.accept()
    async with publisher_on(bench, spool) as other:
        assert await other.flush(SOON)
    assert (bench.run(run)["result"], bench.log(run)) == ("done", ["said while nobody heard"])


async def test_a_run_that_was_cancelled_meanwhile_stays_cancelled(bench: Bench, tmp_path: Path) -> None:
    spool = tmp_path / "spool.db"
    async with publisher_on(bench, spool) as publisher:
        run = await publisher.start_run(agent_name="stopped")
        assert await publisher.flush(SOON)
        bench.proxy.refuse()
        await publisher.complete_run(run)
        await publisher.aclose(timedelta(milliseconds=100))
    bench.person.client.table("agent_runs").update({"status": "cancelled"}).eq("id", run).execute()
    bench.proxy.accept()
    async with publisher_on(bench, spool) as other:
        assert await other.flush(SOON)
        assert other.status(run) is RunStatus.CANCELLED
    assert bench.statuses(run) == ["in_progress", "cancelled"]


async def test_one_process_at_a_time_has_a_spool_and_nobody_else_reads_it(
    bench: Bench, tmp_path: Path
) -> None:
    path = tmp_path / "spool.db"
    async with publisher_on(bench, path):
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
        with pytest.raises(SpoolUnusable, match="One process at a time"):
            SyncAgentEventPublisher(bench.proxy.url, bench.key, bench.token, spool=path)
    Spool(path).close()


def test_what_is_no_spool_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear Ann, this is a letter and not a database. " * 100)
    before = path.read_bytes()
    with pytest.raises(SpoolUnusable, match="not a database"):
        Spool(path)
    with pytest.raises(SpoolUnusable):
        Spool(tmp_path / "no such folder" / "spool.db")
    assert path.read_bytes() == before


def test_what_cannot_be_read_is_told_and_kept(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    spool = Spool(tmp_path / "spool.db")
    spool.keep("odd", lambda: {"id": "odd", "status": "asleep"})
    spool.keep("even", lambda: Unsent("even", RunStatus.PENDING, {}).kept())
    assert [run.id for run in spool.load()] == ["even"]
    assert "What" in caplog.text
    assert "odd" in caplog.text
    spool.close()
