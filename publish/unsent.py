"""What of one run is not sent yet, and the parcels in which it is sent. No I/O."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Self, cast

from db import columns
from db.agent_models import EventKind, RunStatus
from db.columns import Record

Values = dict[str, object]

MOST_EVENTS: Final = 500
"""Rows of events kept for a run while they cannot be sent; then the oldest log lines make room."""


@dataclass(frozen=True, slots=True)
class Opening:
    """The row of a new run."""

    run_id: str
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Events:
    """Rows for the trail of a run; their ids make it harmless to send them twice."""

    run_id: str
    rows: tuple[Mapping[str, object], ...]


@dataclass(frozen=True, slots=True)
class Patch:
    """Columns of a run that change."""

    run_id: str
    values: Mapping[str, object]

    @property
    def status(self) -> RunStatus | None:
        """The status it moves the run to, if any."""
        return RunStatus(str(self.values["status"])) if "status" in self.values else None

    @property
    def last(self) -> bool:
        """Whether it ends the run."""
        return self.status is not None and self.status.finished


Parcel = Opening | Events | Patch


@dataclass(slots=True)
class Unsent:
    """One run. `sending` is on its way: nobody knows yet whether it arrives.

    `tried` is the newest row of events that may have arrived: what is added to it now would not arrive.
    """

    id: str
    status: RunStatus
    owner: Values
    opening: Opening | None = None
    events: deque[Values] = field(default_factory=deque)
    patches: deque[Values] = field(default_factory=deque)
    evidence: list[object] = field(default_factory=list)
    step: str | None = None
    spoke_at: datetime | None = None
    seq: int = 0
    lost_lines: int = 0
    sending: Parcel | None = None
    tried: str | None = None
    patch_next: bool = False
    closed_by_others: bool = False
    problem: str | None = None

    @property
    def waiting(self) -> bool:
        """Whether something is to be sent."""
        return bool(self.opening or self.events or self.patches or self.lost_lines)

    def take_back(self, parcel: Parcel) -> None:
        """Put what did not arrive, or perhaps not, where it was."""
        self.sending = None
        if isinstance(parcel, Opening):
            self.opening = parcel
        elif isinstance(parcel, Events):
            self.events.extendleft(dict(row) for row in reversed(parcel.rows))
            self.tried = str(parcel.rows[-1]["id"])
            self.make_room()
        elif self.patches and parcel.status is None:
            self.patches[0] = {**parcel.values, **self.patches[0]}
        else:
            self.patches.appendleft(dict(parcel.values))

    def make_room(self) -> None:
        """Let the oldest lines of the log go when there is too much, and count them."""
        while len(self.events) > MOST_EVENTS:
            oldest = next((row for row in self.events if row["kind"] == EventKind.LOG.value), self.events[0])
            self.lost_lines += str(oldest["message"]).count("\n") + 1
            self.events.remove(oldest)

    # For a spool.

    def kept(self) -> Values | None:
        """Return it as JSON, with what is on its way taken back; None when there is nothing to keep."""
        run = deepcopy(self)
        if run.sending is not None:
            run.take_back(run.sending)
        if run.status.finished and not run.waiting:
            return None
        return {
            "id": run.id,
            "status": run.status.value,
            "owner": run.owner,
            "opening": None if run.opening is None else dict(run.opening.values),
            "events": list(run.events),
            "patches": list(run.patches),
            "evidence": run.evidence,
            "step": run.step,
            "seq": run.seq,
            "lost_lines": run.lost_lines,
        }

    @classmethod
    def from_kept(cls, kept: Record) -> Self:
        """Read what `kept` returned. Raises `KeyError`, `TypeError` or `ValueError` for anything else."""
        run_id, opening = columns.text(kept, "id"), columns.optional_object(kept, "opening")
        events = deque(_objects(kept, "events"))
        return cls(
            id=run_id,
            status=RunStatus(columns.text(kept, "status")),
            owner=dict(columns.optional_object(kept, "owner") or {}),
            opening=None if opening is None else Opening(run_id, opening),
            events=events,
            tried=str(events[-1]["id"]) if events else None,
            patches=deque(_objects(kept, "patches")),
            evidence=list(columns.items(kept, "evidence")),
            step=columns.optional_text(kept, "step"),
            seq=columns.integer(kept, "seq"),
            lost_lines=columns.integer(kept, "lost_lines"),
        )


def _objects(kept: Record, name: str) -> list[Values]:
    return [dict(cast("Mapping[str, object]", one)) for one in columns.items(kept, name)]
