"""The outbox of a publisher: what is not sent yet, merged so that a chatty agent costs few writes.

No I/O; every method is thread-safe. The insert of a run is sent first; its events and patches follow in turn.
Progress merges into the last patch. Changes of status do not merge with each other, because the database
checks every transition. The final status is sent last, and nothing can be added after it.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from db.agents.models import EventKind, Level, RunStatus
from publish.errors import IllegalTransitionError, UnknownRunError
from publish.unsent import MOST_EVENTS, EventsInsert, RunInsert, RunPatch, UnsentRun, Values, Write

LONGEST_LOG: Final = 8_000
"""Characters up to which log lines share a row."""
EVENTS_PER_REQUEST: Final = 100
MOST_FINISHED: Final = 1_000
"""Finished and sent runs that stay known; beyond them the oldest are forgotten."""
HEARTBEAT_INTERVAL: Final = timedelta(seconds=10)
"""A heartbeat sooner than this after another report would be a needless write."""


class Outbox:
    """Everything that a publisher has not sent yet.

    `on_change` is called whenever there is more to send. Methods that name a run raise `UnknownRunError` for
    one that was neither opened nor joined; those that add to it raise `IllegalTransitionError` after its end.
    """

    def __init__(self, on_change: Callable[[], object], now: Callable[[], datetime] | None = None) -> None:
        self._on_change = on_change
        self._now = now or (lambda: datetime.now(UTC))
        self._lock = threading.RLock()
        self._runs: dict[str, UnsentRun] = {}
        self._finished: dict[str, None] = {}

    # Reports of agents.

    def open(self, values: Mapping[str, object], status: RunStatus) -> str:
        """Add a new run and return its id."""
        run_id = str(uuid.uuid4())
        now = self._now().isoformat()
        owner = {"user_id": values["user_id"]} if "user_id" in values else {}
        insert = RunInsert(run_id, {**values, "id": run_id, "status": status.value, "started_at": now})
        with self._lock:
            self._runs[run_id] = UnsentRun(run_id, status, owner, insert)
        self._on_change()
        return run_id

    def join(self, run_id: str, status: RunStatus) -> None:
        """Take over a run that is in the database with this status."""
        with self._lock:
            self._runs.setdefault(run_id, UnsentRun(run_id, status, {}))

    def progress(self, run_id: str, values: Values, step: str | None) -> None:
        """Add progress. A new step also becomes an event."""
        with self._lock:
            run = self._open_run(run_id)
            if run is None:
                return
            if run.status is RunStatus.PENDING:
                self._move(run, RunStatus.IN_PROGRESS, {})
            if step is not None and step != run.step:
                run.step = step
                self._add_event(run, EventKind.STEP, Level.INFO, step, {})
            if step is not None:
                values = {**values, "current_step": step}
            self._patch(run, values)
        self._on_change()

    def move(self, run_id: str, status: RunStatus, values: Values, evidence: object = None) -> None:
        """Add a change of status. Raises `IllegalTransitionError` where the flow does not allow it."""
        with self._lock:
            run = self._open_run(run_id)
            if run is None:
                return
            if evidence is not None:
                run.evidence.append(evidence)
                values = {**values, "verification_evidence": list(run.evidence)}
            if status is RunStatus.COMPLETED and run.status is RunStatus.PENDING:
                self._move(run, RunStatus.IN_PROGRESS, {})
            self._move(run, status, values)
        self._on_change()

    def log(self, run_id: str, text: str, level: Level) -> None:
        """Add a line to the log."""
        with self._lock:
            run = self._open_run(run_id)
            if run is None:
                return
            last = run.events[-1] if run.events else None
            if last is not None and last["id"] != run.last_sent_event and _can_append(last, level, text):
                last["message"] = f"{last['message']}\n{text}"
            else:
                self._add_event(run, EventKind.LOG, level, text, {})
        self._on_change()

    def heartbeat(self, run_id: str) -> None:
        """Add a heartbeat, unless something else was reported a moment ago."""
        with self._lock:
            run = self._open_run(run_id)
            if run is None:
                return
            if run.last_report_at is not None and self._now() - run.last_report_at < HEARTBEAT_INTERVAL:
                return
            self._patch(run, {})
        self._on_change()

    def status(self, run_id: str) -> RunStatus:
        """Return the status that the run has, or will have once everything is sent."""
        with self._lock:
            return self._run(run_id).status

    def is_active(self, run_id: str) -> bool:
        """Return whether the run is known and not finished."""
        with self._lock:
            return run_id in self._runs and not self._runs[run_id].status.finished

    def problem(self, run_id: str) -> str | None:
        """Return why the database refused a part of this run; None if it did not."""
        with self._lock:
            return self._run(run_id).problem

    # For the spool.

    def to_json(self, run_id: str) -> Values | None:
        """Return the part of a run that must survive the process, as JSON; None if there is none."""
        with self._lock:
            run = self._runs.get(run_id)
            return None if run is None else run.to_json()

    def restore(self, run: UnsentRun) -> None:
        """Take over a run that an earlier process left."""
        with self._lock:
            self._runs.setdefault(run.id, run)
        if run.waiting:
            self._on_change()

    # Sending.

    def unsent(self) -> list[str]:
        """Return the ids of the runs with something to send or in flight."""
        with self._lock:
            return [run.id for run in self._runs.values() if run.waiting or run.in_flight is not None]

    def take(self, run_id: str) -> Write | None:
        """Return the next write of a run; None if there is none, or one is in flight."""
        with self._lock:
            run = self._runs.get(run_id)
            if run is None or run.in_flight is not None:
                return None
            run.in_flight = self._next(run)
            return run.in_flight

    def mark_sent(self, write: Write) -> None:
        """Drop a write that arrived."""
        with self._lock:
            run = self._run(write.run_id)
            run.in_flight = None
            self._forget_finished(run)

    def put_back(self, write: Write) -> None:
        """Queue a write again that could not be sent now."""
        with self._lock:
            self._run(write.run_id).put_back(write)

    def mark_refused(self, write: Write, reason: str) -> None:
        """Drop a write that the database will never take. Of a change of status, keep the bare status."""
        with self._lock:
            run = self._run(write.run_id)
            run.in_flight = None
            run.problem = reason
            if isinstance(write, RunInsert):
                self._close(run, RunStatus.FAILED)
            elif isinstance(write, RunPatch) and write.status is not None:
                self._retry_bare_status(run, write, reason)
            self._forget_finished(run)

    def mark_closed(self, run_id: str, status: RunStatus) -> None:
        """Note that somebody else has finished the run."""
        with self._lock:
            run = self._run(run_id)
            run.in_flight = None
            self._close(run, status)
            self._forget_finished(run)

    # Within the lock.

    def _run(self, run_id: str) -> UnsentRun:
        if run_id not in self._runs:
            raise UnknownRunError(run_id)
        return self._runs[run_id]

    def _retry_bare_status(self, run: UnsentRun, patch: RunPatch, reason: str) -> None:
        if not patch.values.keys() - _STATUS_COLUMNS:
            return  # this was the bare status already
        bare = {name: value for name, value in patch.values.items() if name in _STATUS_COLUMNS}
        if patch.final and patch.status is not RunStatus.COMPLETED:
            bare.setdefault("error", reason)
        run.patches.appendleft(bare)

    def _forget_finished(self, run: UnsentRun) -> None:
        """Forget the oldest runs that are finished and sent, beyond `MOST_FINISHED`."""
        if run.status.finished and not run.waiting:
            self._finished[run.id] = None
        while len(self._finished) > MOST_FINISHED:
            oldest = next(iter(self._finished))
            del self._finished[oldest], self._runs[oldest]

    def _open_run(self, run_id: str) -> UnsentRun | None:
        """Return the run; None if somebody else has finished it, which is not the agent's mistake."""
        run = self._run(run_id)
        if run.closed_by_others:
            return None
        if run.status.finished:
            raise IllegalTransitionError(run.status, run.status)
        return run

    def _close(self, run: UnsentRun, status: RunStatus) -> None:
        run.status, run.closed_by_others = status, True
        run.insert, run.dropped_lines = None, 0
        run.events.clear()
        run.patches.clear()

    def _move(self, run: UnsentRun, status: RunStatus, values: Values) -> None:
        if status is not run.status and not run.status.may_become(status):
            raise IllegalTransitionError(run.status, status)
        moved = {}
        if status is not run.status:
            moved = {"status": status.value, "status_at": self._now().isoformat()}
        run.status = status
        self._patch(run, {**values, **moved})

    def _patch(self, run: UnsentRun, values: Values) -> None:
        run.last_report_at = self._now()
        values = {**values, "heartbeat_at": run.last_report_at.isoformat()}
        if run.patches and not ("status" in values and "status" in run.patches[-1]):
            run.patches[-1].update(values)
        else:
            run.patches.append(values)

    def _add_event(self, run: UnsentRun, kind: EventKind, level: Level, message: str, data: Values) -> None:
        run.seq += 1
        run.events.append(
            {
                **run.owner,
                "id": str(uuid.uuid4()),
                "run_id": run.id,
                "seq": run.seq,
                "kind": kind.value,
                "level": level.value,
                "message": message,
                "data": data or None,
                "at": self._now().isoformat(),
            }
        )
        run.drop_excess_events()

    def _next(self, run: UnsentRun) -> Write | None:
        if run.insert is not None:
            insert, run.insert = run.insert, None
            return insert
        if run.dropped_lines:
            self._report_dropped_lines(run)
        only_final_left = len(run.patches) == 1 and RunPatch(run.id, run.patches[0]).final
        # Events and patches take turns, except that the final status waits for all events.
        if run.patches and (not run.events or (run.patch_next and not only_final_left)):
            run.patch_next = False
            return RunPatch(run.id, run.patches.popleft())
        if run.events:
            run.patch_next = True
            count = min(EVENTS_PER_REQUEST, len(run.events))
            return EventsInsert(run.id, tuple(run.events.popleft() for _ in range(count)))
        return None

    def _report_dropped_lines(self, run: UnsentRun) -> None:
        # The report needs a place too. Make it first, so that the lines dropped for it are counted.
        run.drop_excess_events(MOST_EVENTS - 1)
        count, run.dropped_lines = run.dropped_lines, 0
        text = f"{count} older lines were dropped: the database could not be reached."
        self._add_event(run, EventKind.LOG, Level.WARNING, text, {"dropped": count})


_STATUS_COLUMNS: Final = frozenset({"status", "status_at", "heartbeat_at", "error"})
"""What is sent of a change of status when the database refuses the rest."""


def _can_append(last: Values, level: Level, text: str) -> bool:
    """Return whether a log line may share the row of the last event."""
    return (
        last["kind"] == EventKind.LOG.value
        and last["level"] == level.value
        and not last["data"]
        and len(str(last["message"])) + len(text) < LONGEST_LOG
    )
