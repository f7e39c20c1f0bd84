"""Unsent reports outlive their process, and are sent once."""

import os
import signal
import stat
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from local_supabase.stack.privileges import child_setup
from publish import AgentEventPublisher, PublishError, RunStatus, SpoolUnusableError, SyncAgentEventPublisher
from publish.spool import Spool
from publish.unsent import UnsentRun
from tests.publish.conftest import Bench

PROJECT = Path(__file__).resolve().parents[2]
QUICK = timedelta(milliseconds=20)
SOON = timedelta(seconds=30)

PROGRAM = """
import sys, threading
from publish import SyncAgentEventPublisher
url, key, token, spool = sys.argv[1:]
publisher = SyncAgentEventPublisher(url, key, lambda: token, spool=spool)
done, active = (publisher.start_run(agent_name=name) for name in ("done", "active"))
for run in (done, active):
    publisher.update_progress(run, "Working", 50)
    publisher.update_status(run, "awaiting_verification")
    publisher.update_status(run, "verification_in_progress", evidence={"tests": 12})
publisher.update_status(done, "verification_passed")
publisher.complete_run(done, {"files": 3})
print(done, active, flush=True)
threading.Event().wait()
"""


def publisher_on(bench: Bench, spool: Path) -> AgentEventPublisher:
    return AgentEventPublisher(bench.proxy.url, bench.key, bench.token, interval=QUICK, spool=spool)


def run_and_kill(bench: Bench, spool: Path) -> tuple[str, str]:
    """Run the program, kill it after its last report, and return the ids of its runs."""
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, bench.proxy.url, bench.key, bench.token(), str(spool)],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=child_setup(None, death_signal=signal.SIGKILL),
    )
    assert program.stdout is not None
    with program.stdout:
        done, active = program.stdout.readline().split()
        program.kill()
        program.wait()
    return done, active


@pytest.mark.parametrize("outage", [True, False], ids=["outage", "no outage"])
async def test_reports_of_a_killed_process_are_published_by_the_next(
    bench: Bench, tmp_path: Path, outage: bool
) -> None:
    spool = tmp_path / "spool.db"
    if outage:
        bench.proxy.refuse()
    done, active = run_and_kill(bench, spool)
    if outage:
        bench.proxy.accept()
    async with publisher_on(bench, spool) as publisher:
        assert publisher.left_behind == [active]
        assert publisher.status(active) is RunStatus.VERIFICATION_IN_PROGRESS
        await publisher.fail_run(active, "The agent's process ended.")
        assert publisher.left_behind == []
        assert await publisher.flush(SOON)
    flow = ["in_progress", "awaiting_verification", "verification_in_progress"]
    assert bench.statuses(done) == [*flow, "verification_passed", "completed"]
    assert bench.statuses(active) == [*flow, "failed"]
    row = bench.run(done)
    assert (row["result"], row["verification_evidence"]) == ({"files": 3}, [{"tests": 12}])
    async with publisher_on(bench, spool) as third:
        assert await third.flush(SOON)
        assert (third.requests, third.left_behind) == (0, [])


async def test_closing_in_an_outage_saves_everything(bench: Bench, tmp_path: Path) -> None:
    spool = tmp_path / "spool.db"
    bench.proxy.refuse()
    publisher = publisher_on(bench, spool)
    run = await publisher.start_run(agent_name="late")
    await publisher.log(run, "logged during the outage")
    await publisher.complete_run(run, "done")
    await publisher.aclose(timedelta(milliseconds=100))
    with pytest.raises(PublishError):
        await publisher.log(run, "too late")
    bench.proxy.accept()
    async with publisher_on(bench, spool) as other:
        assert await other.flush(SOON)
    assert (bench.run(run)["result"], bench.log(run)) == ("done", ["logged during the outage"])


async def test_a_run_cancelled_in_the_meantime_stays_cancelled(bench: Bench, tmp_path: Path) -> None:
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


async def test_a_spool_belongs_to_one_process_and_only_its_owner_reads_it(
    bench: Bench, tmp_path: Path
) -> None:
    path = tmp_path / "spool.db"
    async with publisher_on(bench, path):
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
        with pytest.raises(SpoolUnusableError, match="One process at a time"):
            SyncAgentEventPublisher(bench.proxy.url, bench.key, bench.token, spool=path)
    reopened = Spool(path)
    assert reopened.load() == []
    reopened.close()


def test_a_file_that_is_no_spool_is_not_changed(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear Ann, this is a letter and not a database. " * 100)
    before = path.read_bytes()
    with pytest.raises(SpoolUnusableError, match="not a database"):
        Spool(path)
    with pytest.raises(SpoolUnusableError):
        Spool(tmp_path / "no such folder" / "spool.db")
    assert path.read_bytes() == before


def test_an_unreadable_run_is_logged_and_stays_in_the_file(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spool = Spool(tmp_path / "spool.db")
    spool.save("unreadable", lambda: {"id": "unreadable", "status": "asleep"})
    spool.save("readable", lambda: UnsentRun("readable", RunStatus.PENDING, {}).to_json())
    assert [run.id for run in spool.load()] == ["readable"]
    assert "Run unreadable in the spool" in caplog.text
    spool.close()
