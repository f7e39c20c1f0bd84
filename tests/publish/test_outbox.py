"""The outbox: whatever is reported and whatever is lost on the way, the database ends up right."""

import json
from dataclasses import dataclass, field
from enum import Enum
from typing import cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.agents.models import FLOW, Level, RunStatus
from publish.errors import UnknownRunError
from publish.outbox import MOST_FINISHED, Outbox
from publish.unsent import MOST_EVENTS, EventsInsert, RunInsert, RunPatch, UnsentRun, Write


class Fate(Enum):
    """What happens to a write on its way."""

    ARRIVES = "arrives"
    LOST = "is lost"
    ANSWER_LOST = "arrives, but its answer is lost"


@dataclass
class Database:
    """A model of Postgres: events by id, and a run that checks its status flow."""

    status: RunStatus | None = None
    trail: list[RunStatus] = field(default_factory=list)
    run: dict[str, object] = field(default_factory=dict)
    events: dict[str, dict[str, object]] = field(default_factory=dict)

    def apply(self, write: Write) -> None:
        match write:
            case RunInsert():
                if self.status is None:
                    self.status = RunStatus(str(write.values["status"]))
            case EventsInsert():
                assert self.status is not None
                for row in write.rows:
                    # Only a row that arrived before the end may arrive again after it.
                    assert not self.status.finished or row["id"] in self.events
                    self.events.setdefault(str(row["id"]), dict(row))
            case RunPatch():
                self._change(write)

    def _change(self, patch: RunPatch) -> None:
        assert self.status is not None
        if self.status.finished:
            assert patch.status is self.status
            return
        if patch.status is not None and patch.status is not self.status:
            assert patch.status in FLOW[self.status]
            self.status = patch.status
            self.trail.append(patch.status)
        self.run.update(patch.values)

    @property
    def lines(self) -> list[str]:
        rows = sorted(self.events.values(), key=lambda row: int(str(row["seq"])))
        return [line for row in rows if row["kind"] == "log" for line in str(row["message"]).split("\n")]


def pump(outbox: Outbox, run: str, database: Database, data: st.DataObject, *, last: bool = False) -> None:
    """Send until nothing waits, or a write or its answer is lost."""
    while (write := outbox.take(run)) is not None:
        fate = Fate.ARRIVES if last else data.draw(st.sampled_from(Fate))
        if fate is not Fate.LOST:
            database.apply(write)
        if fate is Fate.ARRIVES:
            outbox.mark_sent(write)
            continue
        outbox.put_back(write)
        return


NO_DEADLINE = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@NO_DEADLINE
@given(data=st.data())
def test_everything_arrives_once_and_in_order(data: st.DataObject) -> None:
    outbox, database = Outbox(lambda: None), Database()
    run = outbox.open({"agent_name": "a", "agent_id": "a"}, RunStatus.PENDING)
    trail: list[RunStatus] = []
    lines: list[str] = []
    progress: object = None
    for number in range(data.draw(st.integers(1, 25))):
        status = outbox.status(run)
        match data.draw(st.sampled_from(["log", "progress", "move", "send"])):
            case "log":
                level = data.draw(st.sampled_from(Level))
                outbox.log(run, f"line {number}", level)
                lines.append(f"line {number}")
            case "progress":
                if status is RunStatus.PENDING:
                    trail.append(RunStatus.IN_PROGRESS)
                progress = number
                outbox.progress(
                    run, {"progress_percent": number}, data.draw(st.sampled_from([None, "a", "b"]))
                )
            case "move":
                after = data.draw(st.sampled_from(sorted(FLOW[status])))
                outbox.move(run, after, {})
                trail.append(after)
                if after.finished:
                    break
            case "send":
                pump(outbox, run, database, data)
    for _ in range(3):
        pump(outbox, run, database, data)
    pump(outbox, run, database, data, last=True)
    assert outbox.unsent() == []
    assert database.trail == trail
    assert database.lines == lines
    assert database.run.get("progress_percent") == progress
    assert database.status is outbox.status(run)


class CrashingPublisher:
    """Saves to a spool as `AgentEventPublisher` does, and can be killed at any moment."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.outbox = Outbox(lambda: None)
        self.run = self.outbox.open({"agent_name": "a", "agent_id": "a"}, RunStatus.PENDING)
        self.spool: str | None = None
        self.save()

    def save(self) -> None:
        saved = self.outbox.to_json(self.run)
        self.spool = None if saved is None else json.dumps(saved)

    def crash(self) -> None:
        self.outbox = Outbox(lambda: None)
        if self.spool is None:
            self.outbox.join(self.run, self.database.trail[-1])
        else:
            self.outbox.restore(UnsentRun.from_json(json.loads(self.spool)))

    def send_one(self, fate: Fate | None) -> bool:
        """Send a write. None means that the process crashes after the write has arrived."""
        if (write := self.outbox.take(self.run)) is None:
            return False
        if fate is not Fate.LOST:
            self.database.apply(write)
        if fate is None:
            self.crash()
            return True
        (self.outbox.mark_sent if fate is Fate.ARRIVES else self.outbox.put_back)(write)
        self.save()
        return True


@NO_DEADLINE
@given(data=st.data())
def test_with_a_spool_a_crash_at_any_moment_loses_or_repeats_no_status(
    data: st.DataObject,
) -> None:
    database = Database()
    publisher = CrashingPublisher(database)
    run = publisher.run
    trail: list[RunStatus] = []
    for number in range(data.draw(st.integers(1, 30))):
        status = publisher.outbox.status(run)
        match data.draw(st.sampled_from(["log", "progress", "move", "send", "send", "send", "crash"])):
            case "log" if not status.finished:
                publisher.outbox.log(run, f"line {number}", Level.INFO)
            case "progress" if not status.finished:
                publisher.outbox.progress(run, {"progress_percent": number}, None)
                if status is RunStatus.PENDING:
                    trail.append(RunStatus.IN_PROGRESS)
                    publisher.save()
            case "move" if not status.finished:
                after = data.draw(st.sampled_from(sorted(FLOW[status])))
                publisher.outbox.move(run, after, {})
                trail.append(after)
                publisher.save()
            case "send":
                publisher.send_one(data.draw(st.sampled_from([*Fate, None])))
            case "crash":
                publisher.crash()
    publisher.crash()
    while publisher.send_one(Fate.ARRIVES):
        pass
    assert database.trail == trail
    assert publisher.outbox.unsent() == []
    assert (publisher.spool is None) == (bool(trail) and trail[-1].finished)


def test_repeated_progress_costs_one_patch() -> None:
    outbox = Outbox(lambda: None)
    run = outbox.open({"agent_name": "a", "agent_id": "a"}, RunStatus.IN_PROGRESS)
    for number in range(100):
        outbox.progress(run, {"progress_percent": number}, None)
    insert = outbox.take(run)
    assert isinstance(insert, RunInsert)
    outbox.mark_sent(insert)
    patch = outbox.take(run)
    assert isinstance(patch, RunPatch)
    assert patch.values["progress_percent"] == 99
    outbox.mark_sent(patch)
    assert outbox.take(run) is None


def test_a_line_is_not_added_to_a_row_that_may_have_arrived() -> None:
    outbox, database = Outbox(lambda: None), Database(RunStatus.IN_PROGRESS)
    outbox.join("run", RunStatus.IN_PROGRESS)
    outbox.log("run", "first", Level.INFO)
    write = outbox.take("run")
    assert write is not None
    database.apply(write)
    outbox.put_back(write)  # its answer was lost
    outbox.log("run", "second", Level.INFO)
    again = outbox.take("run")
    assert again is not None
    database.apply(again)
    assert database.lines == ["first", "second"]


def test_a_run_has_one_write_in_flight() -> None:
    outbox = Outbox(lambda: None)
    run = outbox.open({"agent_name": "a", "agent_id": "a"}, RunStatus.IN_PROGRESS)
    outbox.log(run, "x", Level.INFO)
    assert outbox.take(run) is not None
    assert outbox.take(run) is None
    assert outbox.unsent() == [run]


def test_only_the_newest_finished_runs_stay_known() -> None:
    outbox = Outbox(lambda: None)
    active, *finished = [outbox.open({}, RunStatus.IN_PROGRESS) for _ in range(MOST_FINISHED + 3)]
    for run in finished:
        outbox.move(run, RunStatus.COMPLETED, {})
        while (write := outbox.take(run)) is not None:
            outbox.mark_sent(write)
    assert outbox.status(active) is RunStatus.IN_PROGRESS
    assert {outbox.status(run) for run in finished[2:]} == {RunStatus.COMPLETED}
    for run in finished[:2]:
        with pytest.raises(UnknownRunError):
            outbox.status(run)


def test_the_number_of_dropped_lines_is_exact() -> None:
    """Also when the row that reports them takes the place of one more line, or is dropped itself."""
    outbox, lines = Outbox(lambda: None), 0
    run = outbox.open({}, RunStatus.IN_PROGRESS)
    insert = outbox.take(run)
    assert insert is not None
    outbox.mark_sent(insert)

    def overflow() -> None:
        nonlocal lines
        for _ in range(MOST_EVENTS + 20):
            # Lines of different levels do not share a row.
            outbox.log(run, "two\nlines", (Level.INFO, Level.ERROR)[lines // 2 % 2])
            lines += 2

    overflow()
    for _ in range(2):
        first = outbox.take(run)
        assert first is not None
        outbox.put_back(first)
        overflow()
    arrived: list[dict[str, object]] = []
    while (write := outbox.take(run)) is not None:
        if isinstance(write, EventsInsert):
            arrived += [dict(row) for row in write.rows]
        outbox.mark_sent(write)
    dropped = sum(cast("dict[str, int]", row["data"])["dropped"] for row in arrived if row["data"])
    sent = sum(str(row["message"]).count("\n") + 1 for row in arrived if not row["data"])
    assert sent + dropped == lines
