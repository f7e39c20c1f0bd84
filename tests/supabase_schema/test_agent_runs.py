"""Agent runs: the transitions of their status, what cannot be changed, and who gets their changes."""

from itertools import product

import pytest

from db.agents.models import FLOW, RunStatus
from tests.supabase_schema.database import Session, World, message

RETRY = "insert into public.agent_runs (agent_name, agent_id, retry_of) values ('a', 'a', %s)"
PAIRS = [(before, after) for before, after in product(RunStatus, RunStatus) if before is not after]


def new_run(db: Session, owner: str, status: RunStatus = RunStatus.IN_PROGRESS) -> str:
    """Create a run in this status, as only the owner of the database can."""
    return str(
        db.value(
            "insert into public.agent_runs (user_id, agent_name, agent_id, status, completed_at)"
            " values (%s, 'Tester', 't-1', %s, case when %s then now() end) returning id",
            owner,
            status.value,
            status.finished,
        )
    )


def become(status: RunStatus) -> str:
    """Return the statement that changes the status of a run."""
    return f"update public.agent_runs set status = '{status.value}' where id = %s"


@pytest.mark.parametrize(("before", "after"), PAIRS, ids=str)
def test_only_the_transitions_of_the_flow_are_possible(
    db: Session, world: World, before: RunStatus, after: RunStatus
) -> None:
    run = new_run(db, world.people["owner"], before)
    db.act_as(world.people["owner"])
    if after in FLOW[before]:
        assert db.run(become(after), run) == 1
        assert db.value("select status from public.agent_runs where id = %s", run) == after.value
        return
    refusal = db.refusal(become(after), run)
    assert refusal.pgcode == "23514"
    assert message(refusal) == (
        "This run is finished: it cannot be changed any more."
        if before.finished
        else f"A run cannot go from {before.value} to {after.value}."
    )


@pytest.mark.parametrize("status", [status for status in RunStatus if status.finished])
@pytest.mark.parametrize("change", ["result = '{}'", "heartbeat_at = now()", "current_step = 'x'"])
def test_nobody_changes_a_finished_run(db: Session, world: World, status: RunStatus, change: str) -> None:
    run = new_run(db, world.people["owner"], status)
    for person in (world.people["owner"], world.people["admin"], None):
        if person is not None:
            db.act_as(person)
        refusal = db.refusal(f"update public.agent_runs set {change} where id = %s", run)
        assert message(refusal) == "This run is finished: it cannot be changed any more."
        db.act_as_owner()


def test_a_finished_run_gets_no_more_events(db: Session, world: World) -> None:
    db.act_as(world.people["owner"])
    db.run(become(RunStatus.CANCELLED), world.run)
    insert = "insert into public.agent_run_events (run_id, kind, message) values (%s, 'log', 'Still here')"
    assert message(db.refusal(insert, world.run)) == "This run is finished: nothing more can happen in it."


@pytest.mark.parametrize(
    "status", [status for status in RunStatus if status not in (RunStatus.PENDING, RunStatus.IN_PROGRESS)]
)
def test_a_new_run_is_pending_or_in_progress(db: Session, world: World, status: RunStatus) -> None:
    db.act_as(world.people["owner"])
    insert = "insert into public.agent_runs (agent_name, agent_id, status) values ('a', 'a', %s)"
    assert message(db.refusal(insert, status.value)) == "A run begins as pending or in_progress."


def test_every_status_change_is_an_event_with_its_actor(db: Session, world: World) -> None:
    db.act_as(world.people["admin"])
    db.run(become(RunStatus.CANCELLED), world.run)
    db.act_as(world.people["owner"])
    noted = db.rows(
        "select message, data ->> 'from', data ->> 'by' from public.agent_run_events"
        " where run_id = %s and kind = 'status' order by at, created_at",
        world.run,
    )
    assert noted == [("in_progress", None, None), ("cancelled", "in_progress", world.people["admin"])]


def test_nobody_writes_a_status_event(db: Session, world: World) -> None:
    db.act_as(world.people["owner"])
    insert = (
        "insert into public.agent_run_events (run_id, kind, message)"
        " values (%s, 'status', 'verification_passed')"
    )
    assert message(db.refusal(insert, world.run)) == "The status of a run is noted by the database."


@pytest.mark.parametrize(
    "change", ["status = 'failed'", "error = 'x'", "status = 'cancelled', result = '{}'", "tokens = 9"]
)
def test_an_admin_can_only_cancel(db: Session, world: World, change: str) -> None:
    db.act_as(world.people["admin"])
    refusal = db.refusal(f"update public.agent_runs set {change} where id = %s", world.run)
    assert message(refusal) == "An admin can cancel a run of somebody else, and nothing more."


def test_the_database_counts_verifications(db: Session, world: World) -> None:
    db.act_as(world.people["owner"])
    again = (
        RunStatus.AWAITING_VERIFICATION,
        RunStatus.VERIFICATION_IN_PROGRESS,
        RunStatus.VERIFICATION_FAILED,
        RunStatus.IN_PROGRESS,
    )
    for status in again * 2:
        db.run(become(status), world.run)
    db.run("update public.agent_runs set verification_attempts = 40 where id = %s", world.run)
    assert db.value("select verification_attempts from public.agent_runs where id = %s", world.run) == 2


def test_a_run_ends_when_its_agent_says_but_not_in_the_future(db: Session, world: World) -> None:
    db.act_as(world.people["owner"])
    finish = (
        "update public.agent_runs set status = 'completed', progress_percent = 30,"
        " completed_at = 'epoch', status_at = now() + %s::interval"
        " where id = %s returning completed_at = now(), progress_percent"
    )
    assert db.rows(finish, "1 day", world.run) == [(True, 100.0)]
    run = "insert into public.agent_runs (agent_name, agent_id, status, started_at)"
    old = db.value(f"{run} values ('a', 'a', 'in_progress', now() - interval '1 hour') returning id")
    assert db.rows(finish, "-10 min", old) == [(False, 100.0)]


def test_late_status_changes_keep_their_order(db: Session, world: World) -> None:
    db.act_as(world.people["owner"])
    insert = "insert into public.agent_runs (agent_name, agent_id, status, started_at)"
    run = db.value(f"{insert} values ('a', 'a', 'in_progress', now() - interval '1 hour') returning id")
    change = "update public.agent_runs set status = %s, status_at = now() - %s::interval where id = %s"
    for status, before in (
        ("awaiting_verification", "50 min"),
        ("verification_in_progress", "55 min"),
        ("verification_passed", "40 min"),
        ("completed", "30 min"),
    ):
        db.run(change, status, before, run)
    minutes = db.rows(
        "select extract(minute from now() - at)::int from public.agent_run_events"
        " where run_id = %s order by at, version",
        run,
    )
    assert minutes == [(0,), (50,), (50,), (40,), (30,)]


def test_a_heartbeat_has_the_time_of_the_database(db: Session, world: World) -> None:
    db.act_as(world.people["owner"])
    beat = (
        "update public.agent_runs set heartbeat_at = '2099-01-01' where id = %s"
        " returning heartbeat_at = now()"
    )
    assert db.value(beat, world.run) is True


def test_only_its_own_person_retries_a_run(db: Session, world: World) -> None:
    ended = new_run(db, world.people["owner"], RunStatus.FAILED)
    db.act_as(world.people["owner"])
    assert db.run(RETRY, ended) == 1
    db.act_as(world.people["other"])
    assert db.refusal(RETRY, ended).pgcode == "23503"


@pytest.mark.parametrize("status", [status for status in RunStatus if not status.finished])
def test_an_unfinished_run_cannot_be_retried(db: Session, world: World, status: RunStatus) -> None:
    run = new_run(db, world.people["owner"], status)
    db.act_as(world.people["owner"])
    refusal = db.refusal(RETRY, run)
    assert refusal.pgcode == "23514"
    assert message(refusal) == "This run is not finished: it cannot be tried again yet."
    db.act_as(world.people["other"])
    assert db.refusal(RETRY, run).pgcode == "23503"


def test_deleting_an_account_deletes_its_runs(db: Session, world: World) -> None:
    db.run("delete from auth.users where id = %s", world.people["owner"])
    assert db.value("select count(*) from public.agent_runs where id = %s", world.run) == 0
    assert db.value("select count(*) from public.agent_run_events where run_id = %s", world.run) == 0


@pytest.mark.parametrize(
    ("role", "visible"), [("owner", True), ("admin", True), ("other", False), ("visitor", False)]
)
def test_the_owner_and_admins_catch_up_on_runs(db: Session, world: World, role: str, visible: bool) -> None:
    cursor = str(db.changes_since(None)["cursor"])
    db.run("update public.agent_runs set current_step = 'Reading' where id = %s", world.run)
    db.act_as(world.people.get(role))
    changes = db.changes_since(cursor)["changes"]
    assert isinstance(changes, list)
    runs = {(change["table"], change["key"]["id"]) for change in changes if "run" in change["table"]}
    assert (("agent_runs", world.run) in runs) is visible
    assert any(table == "agent_run_events" for table, _ in runs) is visible


def test_the_log_keeps_no_content_of_runs(db: Session, world: World) -> None:
    db.run("update public.agent_runs set current_step = 'Top secret' where id = %s", world.run)
    assert "Top secret" not in str(db.rows("select entry::text from public.change_log as entry"))
