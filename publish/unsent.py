"""The unsent part of one run, and the writes that send it. No I/O."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Self

from db.agents.models import EventKind, RunStatus
from db.columns import Model, Record

Values = dict[str, object]
"""Columns and their values, as JSON has them."""

MOST_EVENTS: Final = 500
"""Event rows that a run buffers while they cannot be sent; beyond them the oldest log lines are dropped."""


@dataclass(frozen=True, slots=True)
class RunInsert:
    """Inserts the row of a new run."""

    run_id: str
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class EventsInsert:
    """Inserts event rows of a run. The rows have ids, so sending them twice does no harm."""

    run_id: str
    rows: tuple[Mapping[str, object], ...]


@dataclass(frozen=True, slots=True)
class RunPatch:
    """Updates columns of a run."""

    run_id: str
    values: Mapping[str, object]

    @property
    def status(self) -> RunStatus | None:
        """The status that this patch sets, if any."""
        return RunStatus(str(self.values["status"])) if "status" in self.values else None

    @property
    def final(self) -> bool:
        """Whether this patch finishes the run."""
        return self.status is not None and self.status.finished


Write = RunInsert | EventsInsert | RunPatch
"""What one request to the database does."""


@dataclass(slots=True)
class UnsentRun:
    """What of one run is not in the database yet.

    - `in_flight` is the write that is being sent; it is unknown whether it arrives.
    - `last_sent_event` is the id of the newest event row that may have arrived. A log line that is added to
      this row now would be lost, because the database ignores a row it has.
    - `closed_by_others` is set when somebody else has finished the run: nothing more is sent of it.
    """

    id: str
    status: RunStatus
    owner: Values
    insert: RunInsert | None = None
    events: deque[Values] = field(default_factory=deque)
    patches: deque[Values] = field(default_factory=deque)
    evidence: list[object] = field(default_factory=list)
    step: str | None = None
    last_report_at: datetime | None = None
    seq: int = 0
    dropped_lines: int = 0
    in_flight: Write | None = None
    last_sent_event: str | None = None
    patch_next: bool = False
    closed_by_others: bool = False
    problem: str | None = None

    @property
    def waiting(self) -> bool:
        """Whether there is something to send."""
        return bool(self.insert or self.events or self.patches or self.dropped_lines)

    def put_back(self, write: Write) -> None:
        """Return a write, which may or may not have arrived, to the front of what is sent."""
        self.in_flight = None
        if isinstance(write, RunInsert):
            self.insert = write
        elif isinstance(write, EventsInsert):
            self.events.extendleft(dict(row) for row in reversed(write.rows))
            self.last_sent_event = str(write.rows[-1]["id"])
            self.drop_excess_events()
        elif self.patches and write.status is None:
            self.patches[0] = {**write.values, **self.patches[0]}
        else:
            self.patches.appendleft(dict(write.values))

    def drop_excess_events(self, most: int = MOST_EVENTS) -> None:
        """Drop the oldest log rows beyond `most`, and count their lines."""
        while len(self.events) > most:
            oldest = next((row for row in self.events if row["kind"] == EventKind.LOG.value), self.events[0])
            self.dropped_lines += _lines_of(oldest)
            self.events.remove(oldest)

    # For the spool.

    def to_json(self) -> Values | None:
        """Return the run as JSON, with the write in flight put back; None if nothing has to be kept."""
        run = deepcopy(self)
        if run.in_flight is not None:
            run.put_back(run.in_flight)
        if run.status.finished and not run.waiting:
            return None
        # These keys are the format of the file, and stay as they are.
        return {
            "id": run.id,
            "status": run.status.value,
            "owner": run.owner,
            "opening": None if run.insert is None else dict(run.insert.values),
            "events": list(run.events),
            "patches": list(run.patches),
            "evidence": run.evidence,
            "step": run.step,
            "seq": run.seq,
            "lost_lines": run.dropped_lines,
        }

    @classmethod
    def from_json(cls, record: Record) -> Self:
        """Read what `to_json` returned. Raises `KeyError`, `TypeError` or `ValueError` for anything else."""
        run = _StoredRun.from_record(record)
        events = deque(dict(row) for row in run.events)
        return cls(
            id=run.id,
            status=run.status,
            owner=dict(run.owner or {}),
            insert=None if run.opening is None else RunInsert(run.id, run.opening),
            events=events,
            last_sent_event=str(events[-1]["id"]) if events else None,
            patches=deque(dict(patch) for patch in run.patches),
            evidence=list(run.evidence),
            step=run.step,
            seq=run.seq,
            dropped_lines=run.lost_lines,
        )


def _lines_of(row: Values) -> int:
    """Return how many lines are lost with a row. One that reports lost lines stands for all of them."""
    match row.get("data"):
        case {"dropped": int(count)}:
            return count
    return str(row["message"]).count("\n") + 1


@dataclass(frozen=True, slots=True)
class _StoredRun(Model):
    """A run as a spool stores it."""

    id: str
    status: RunStatus
    events: tuple[Mapping[str, object], ...]
    patches: tuple[Mapping[str, object], ...]
    evidence: tuple[object, ...]
    seq: int
    lost_lines: int
    owner: Mapping[str, object] | None = None
    opening: Mapping[str, object] | None = None
    step: str | None = None
