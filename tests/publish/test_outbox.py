"""The outbox: whatever is said and whatever gets lost on the way, what arrives is right and in order."""

import json
from dataclasses import dataclass, field
from enum import Enum

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.agent_models import FLOW, Level, RunStatus
from publish.errors import UnknownRun
from publish.outbox import KEPT_AFTER_THE_END, Outbox
from publish.unsent import Events, Opening, Parcel, Patch, Unsent


class Luck(Enum):
    """What happens to a parcel on its way."""

    ARRIVES = "arrives"
    LOST = "is lost"
    ANSWER_LOST = "arrives, but nobody learns of it"


@dataclass
class Database:
    """What Postgres would hold: events by id, and a run that keeps its flow."""

    status: RunStatus | None = None
    trail: list[RunStatus] = field(default_factory=list)
    run: dict[str, object] = field(default_factory=dict)
    events: dict[str, dict[str, object]] = field(default_factory=dict)

    def take(self, parcel: Parcel) -> None:
        match parcel:
            case Opening():
                if self.status is None:
                    self.status = RunStatus(str(parcel.values["status"]))
            case Events():
                assert self.status is not None
                for row in parcel.rows:
                    # What arrives twice was there before the run was finished.
                    assert not self.status.finished or row["id"] in self.events
                    self.events.setdefault(str(row["id"]), dict(row))
            case Patch():
                self._change(parcel)

    def _change(self, patch: Patch) -> None:
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


def pump(outbox: Outbox, run: str, database: Database, luck: st.DataObject, *, last: bool = False) -> None:
    """Send until nothing waits, or until something is lost."""
    while (parcel := outbox.take(run)) is not None:
        what = Luck.ARRIVES if last else luck.draw(st.sampled_from(Luck))
        if what is not Luck.LOST:
            database.take(parcel)
        if what is Luck.ARRIVES:
            outbox.sent(parcel)
            continue
        outbox.back(parcel)
        return


UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@UNHURRIED
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


class Crashing:
    """Keeps what it has to, as `AgentEventPublisher` does, and can be killed at any moment."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.outbox = Outbox(lambda: None)
        self.run = self.outbox.open({"agent_name": "a", "agent_id": "a"}, RunStatus.PENDING)
        self.spool: str | None = None
        self.keep()

    def keep(self) -> None:
        kept = self.outbox.kept(self.run)
        self.spool = None if kept is None else json.dumps(kept)

    def crash(self) -> None:
        self.outbox = Outbox(lambda: None)
        if self.spool is None:
            self.outbox.join(self.run, self.database.trail[-1])
        else:
            self.outbox.restore(Unsent.from_kept(json.loads(self.spool)))

    def send_one(self, luck: Luck | None) -> bool:
        """Send a parcel; None is a crash while it is on its way, after it has arrived."""
        if (parcel := self.outbox.take(self.run)) is None:
            return False
        if luck is not Luck.LOST:
            self.database.take(parcel)
        if luck is None:
            self.crash()
            return True
        (self.outbox.sent if luck is Luck.ARRIVES else self.outbox.back)(parcel)
        self.keep()
        return True


@UNHURRIED
@given(data=st.data())
def test_with_a_spool_no_status_is_lost_or_told_twice_whenever_the_process_is_killed(
    data: st.DataObject,
) -> None:
    database = Database()
    publisher = Crashing(database)
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
                    publisher.keep()
            case "move" if not status.finished:
                after = data.draw(st.sampled_from(sorted(FLOW[status])))
                publisher.outbox.move(run, after, {})
                trail.append(after)
                publisher.keep()
            case "send":
                publisher.send_one(data.draw(st.sampled_from([*Luck, None])))
            case "crash":
                publisher.crash()
    publisher.crash()
    while publisher.send_one(Luck.ARRIVES):
        pass
    assert database.trail == trail
    assert publisher.outbox.unsent() == []
    assert (publisher.spool is None) == (bool(trail) and trail[-1].finished)


def test_progress_costs_one_patch_however_often_it_is_told() -> None:
    outbox = Outbox(lambda: None)
    run = outbox.open({"agent_name": "a", "agent_id": "a"}, RunStatus.IN_PROGRESS)
    for number in range(100):
        outbox.progress(run, {"progress_percent": number}, None)
    opening, patch = outbox.take(run), None
    assert isinstance(opening, Opening)
    outbox.sent(opening)
    patch = outbox.take(run)
    assert isinstance(patch, Patch)
    assert patch.values["progress_percent"] == 99
    outbox.sent(patch)
    assert outbox.take(run) is None


def test_a_line_is_not_added_to_a_row_that_may_have_arrived() -> None:
    outbox, database = Outbox(lambda: None), Database(RunStatus.IN_PROGRESS)
    outbox.join("run", RunStatus.IN_PROGRESS)
    outbox.log("run", "first", Level.INFO)
    parcel = outbox.take("run")
    assert parcel is not None
    database.take(parcel)
    outbox.back(parcel)  # its answer got lost
    outbox.log("run", "second", Level.INFO)
    again = outbox.take("run")
    assert again is not None
    database.take(again)
    assert database.lines == ["first", "second"]


def test_while_one_parcel_is_on_its_way_no_other_is() -> None:
    outbox = Outbox(lambda: None)
    run = outbox.open({"agent_name": "a", "agent_id": "a"}, RunStatus.IN_PROGRESS)
    outbox.log(run, "x", Level.INFO)
    assert outbox.take(run) is not None
    assert outbox.take(run) is None
    assert outbox.unsent() == [run]


def test_of_runs_that_have_ended_only_the_newest_are_remembered() -> None:
    outbox = Outbox(lambda: None)
    going_on, *ended = [outbox.open({}, RunStatus.IN_PROGRESS) for _ in range(KEPT_AFTER_THE_END + 3)]
    for run in ended:
        outbox.move(run, RunStatus.COMPLETED, {})
        while (parcel := outbox.take(run)) is not None:
            outbox.sent(parcel)
    for run in (going_on, *ended[2:]):
        outbox.status(run)
    for run in ended[:2]:
        with pytest.raises(UnknownRun):
            outbox.status(run)
