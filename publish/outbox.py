"""What waits to be sent, merged so that a chatty agent costs few writes. No I/O; every method is thread-safe.

Of each run there is at most one opening, then rows of events, and then patches of the run itself. Progress
merges into the last patch. Changes of status do not merge with each other, since the database checks each
step of the flow. The end of a run is sent last of all, and nothing can be added after it.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from db.agent_models import EventKind, Level, RunStatus
from publish.errors import IllegalTransition, UnknownRun
from publish.unsent import Events, Opening, Parcel, Patch, Unsent, Values

LONGEST_LOG: Final = 8_000
"""Characters up to which log lines share a row."""
EVENTS_A_REQUEST: Final = 100
KEPT_AFTER_THE_END: Final = 1_000
"""Runs whose end was sent and that are still known; beyond them the oldest are forgotten."""
BEAT_EVERY: Final = timedelta(seconds=10)
"""A sign of life so soon after something else was said of the run would be a write for nothing."""


class Outbox:
    """Everything that a publisher has not sent yet. `on_news` is called whenever there is more."""

    def __init__(self, on_news: Callable[[], object], now: Callable[[], datetime] | None = None) -> None:
        self._on_news = on_news
        self._now = now or (lambda: datetime.now(UTC))
        self._lock = threading.RLock()
        self._runs: dict[str, Unsent] = {}
        self._ended: dict[str, None] = {}

    # What agents say.

    def open(self, values: Mapping[str, object], status: RunStatus) -> str:
        """Note a new run and return its id."""
        run_id = str(uuid.uuid4())
        now = self._now().isoformat()
        owner = {"user_id": values["user_id"]} if "user_id" in values else {}
        opening = Opening(run_id, {**values, "id": run_id, "status": status.value, "started_at": now})
        with self._lock:
            self._runs[run_id] = Unsent(run_id, status, owner, opening)
        self._on_news()
        return run_id

    def join(self, run_id: str, status: RunStatus) -> None:
        """Take over a run that is in the database, in this status."""
        with self._lock:
            self._runs.setdefault(run_id, Unsent(run_id, status, {}))

    def progress(self, run_id: str, values: Values, step: str | None) -> None:
        """Note how far a run is; a new step also becomes an event."""
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
        self._on_news()

    def move(self, run_id: str, status: RunStatus, values: Values, evidence: object = None) -> None:
        """Note a change of status. Raises `IllegalTransition`."""
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
        self._on_news()

    def log(self, run_id: str, text: str, level: Level) -> None:
        """Note a line of the log."""
        with self._lock:
            run = self._open_run(run_id)
            if run is None:
                return
            last = run.events[-1] if run.events else None
            if last is not None and last["id"] != run.tried and _goes_on(last, level, text):
                last["message"] = f"{last['message']}\n{text}"
            else:
                self._add_event(run, EventKind.LOG, level, text, {})
        self._on_news()

    def beat(self, run_id: str) -> None:
        """Note a sign of life."""
        with self._lock:
            run = self._open_run(run_id)
            if run is None or (run.spoke_at is not None and self._now() - run.spoke_at < BEAT_EVERY):
                return
            self._patch(run, {})
        self._on_news()

    def status(self, run_id: str) -> RunStatus:
        """Return the status that a run has, or will have once everything is sent."""
        with self._lock:
            return self._run(run_id).status

    def goes_on(self, run_id: str) -> bool:
        """Whether the run is known and has not ended."""
        with self._lock:
            return run_id in self._runs and not self._runs[run_id].status.finished

    def problem(self, run_id: str) -> str | None:
        """Return why the database refused something of this run, None when it did not."""
        with self._lock:
            return self._run(run_id).problem

    # What a spool keeps.

    def kept(self, run_id: str) -> Values | None:
        """Return as JSON what must not be forgotten of a run; None when there is nothing."""
        with self._lock:
            run = self._runs.get(run_id)
            return None if run is None else run.kept()

    def restore(self, run: Unsent) -> None:
        """Take over what a process before this one has left."""
        with self._lock:
            self._runs.setdefault(run.id, run)
        if run.waiting:
            self._on_news()

    # What is sent.

    def unsent(self) -> list[str]:
        """Return the runs of which something waits or is on its way."""
        with self._lock:
            return [run.id for run in self._runs.values() if run.waiting or run.sending is not None]

    def take(self, run_id: str) -> Parcel | None:
        """Return what is to be sent next of a run, None when nothing is or something is on its way."""
        with self._lock:
            run = self._runs.get(run_id)
            if run is None or run.sending is not None:
                return None
            run.sending = self._next(run)
            return run.sending

    def sent(self, parcel: Parcel) -> None:
        """Forget what arrived."""
        with self._lock:
            run = self._run(parcel.run_id)
            run.sending = None
            self._forget_ended(run)

    def back(self, parcel: Parcel) -> None:
        """Take back what could not be sent now."""
        with self._lock:
            self._run(parcel.run_id).take_back(parcel)

    def refused(self, parcel: Parcel, reason: str) -> None:
        """Drop what the database will never take; of a change of status, try the bare fact once more."""
        with self._lock:
            run = self._run(parcel.run_id)
            run.sending = None
            run.problem = reason
            if isinstance(parcel, Opening):
                self._close(run, RunStatus.FAILED)
            elif isinstance(parcel, Patch) and parcel.status is not None and parcel.values.keys() - _BARE:
                bare = {name: value for name, value in parcel.values.items() if name in _BARE}
                if parcel.last and parcel.status is not RunStatus.COMPLETED:
                    bare.setdefault("error", reason)
                run.patches.appendleft(bare)
            self._forget_ended(run)

    def closed(self, run_id: str, status: RunStatus) -> None:
        """Learn that somebody else has finished the run."""
        with self._lock:
            run = self._run(run_id)
            run.sending = None
            self._close(run, status)
            self._forget_ended(run)

    # Within the lock.

    def _run(self, run_id: str) -> Unsent:
        if run_id not in self._runs:
            raise UnknownRun(run_id)
        return self._runs[run_id]

    def _forget_ended(self, run: Unsent) -> None:
        """Let the oldest go of the runs of which nothing more is to be sent."""
        if run.status.finished and not run.waiting:
            self._ended[run.id] = None
        while len(self._ended) > KEPT_AFTER_THE_END:
            oldest = next(iter(self._ended))
            del self._ended[oldest], self._runs[oldest]

    def _open_run(self, run_id: str) -> Unsent | None:
        """Return the run; None when somebody else has finished it, which is nothing to stumble over."""
        run = self._run(run_id)
        if run.closed_by_others:
            return None
        if run.status.finished:
            raise IllegalTransition(run.status, run.status)
        return run

    def _close(self, run: Unsent, status: RunStatus) -> None:
        run.status, run.closed_by_others = status, True
        run.opening, run.lost_lines = None, 0
        run.events.clear()
        run.patches.clear()

    def _move(self, run: Unsent, status: RunStatus, values: Values) -> None:
        if status is not run.status and not run.status.may_become(status):
            raise IllegalTransition(run.status, status)
        moved = {}
        if status is not run.status:
            moved = {"status": status.value, "status_at": self._now().isoformat()}
        run.status = status
        self._patch(run, {**values, **moved})

    def _patch(self, run: Unsent, values: Values) -> None:
        run.spoke_at = self._now()
        values = {**values, "heartbeat_at": run.spoke_at.isoformat()}
        if run.patches and not ("status" in values and "status" in run.patches[-1]):
            run.patches[-1].update(values)
        else:
            run.patches.append(values)

    def _add_event(self, run: Unsent, kind: EventKind, level: Level, message: str, data: Values) -> None:
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
        run.make_room()

    def _next(self, run: Unsent) -> Parcel | None:
        if run.opening is not None:
            opening, run.opening = run.opening, None
            return opening
        if run.lost_lines:
            self._tell_of_lost_lines(run)
        ends = len(run.patches) == 1 and Patch(run.id, run.patches[0]).last
        if run.patches and (not run.events or (run.patch_next and not ends)):
            run.patch_next = False
            return Patch(run.id, run.patches.popleft())
        if run.events:
            run.patch_next = True
            count = min(EVENTS_A_REQUEST, len(run.events))
            return Events(run.id, tuple(run.events.popleft() for _ in range(count)))
        return None

    def _tell_of_lost_lines(self, run: Unsent) -> None:
        count, run.lost_lines = run.lost_lines, 0
        text = f"{count} older lines were dropped: the database could not be reached."
        self._add_event(run, EventKind.LOG, Level.WARNING, text, {"dropped": count})
        run.lost_lines = 0


_BARE: Final = frozenset({"status", "status_at", "heartbeat_at", "error"})
"""What has to be known of a change of status, if the rest is refused."""


def _goes_on(last: Values, level: Level, text: str) -> bool:
    return (
        last["kind"] == EventKind.LOG.value
        and last["level"] == level.value
        and not last["data"]
        and len(str(last["message"])) + len(text) < LONGEST_LOG
    )
