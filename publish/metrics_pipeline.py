"""Sends routing decisions to the database, in a thread that lives while there is work.

Collectors with the same project and token share a pipeline, so a program that makes a collector for every
request still sends one insert a batch. A pipeline has a thread and not a task of the caller's event loop: it
keeps working while that loop is busy, outlives it, and can send the last decisions when the interpreter ends.
"""

from __future__ import annotations

import atexit
import logging
import threading
import time
import weakref
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import httpx
from postgrest import APIError, ReturnMethod, SyncPostgrestClient

from db.background import record_fault, start_daemon
from db.errors import DatabaseError, NotAllowedError, from_api
from publish.backoff import Backoff
from publish.metrics_buffer import BATCH, CAPACITY, BufferedRow, MetricsBuffer
from publish.transport import TIMEOUT, TokenSource, is_permanent, token_source

_log: Final = logging.getLogger(__name__)

INTERVAL: Final = timedelta(milliseconds=250)
"""Decisions within this time are sent together."""
IDLE_TIMEOUT: Final = 5.0
"""Seconds that the thread and its connection wait for more decisions."""
EXIT_TIMEOUT: Final = 5.0
"""Seconds that the end of a program may wait for unsent decisions."""
_JOIN_TIMEOUT: Final = 2.0
"""Seconds to wait for the thread to end; another collector may give it work in the meantime."""
_PLACE: Final = "routing metrics"
_TABLE: Final = "routing_metrics"


class Pipeline:
    """Sends rows of `routing_metrics`. No method raises what the network or the database can cause."""

    def __init__(
        self, url: str, key: str, token: TokenSource, interval: timedelta = INTERVAL, capacity: int = CAPACITY
    ) -> None:
        self._url = f"{url}/rest/v1"
        self._key = key
        self._token = token
        self._interval = interval.total_seconds()
        self._buffer = MetricsBuffer(capacity)
        self._changed = threading.Condition()
        self._delivering = threading.Lock()
        self._thread: threading.Thread | None = None
        self._flush_requested = False
        self._stop_when_idle = False
        self._overflowing = False
        self.requests = 0
        """Requests sent so far."""
        self.refused = 0
        """Decisions that the database will never take."""
        self.problem: str | None = None
        """The latest problem, or None."""

    @property
    def dropped(self) -> int:
        """Decisions that were dropped because the buffer was full."""
        return self._buffer.dropped

    @property
    def unsent(self) -> int:
        """Decisions that wait or are in flight."""
        return len(self._buffer)

    def put(self, row: dict[str, object]) -> None:
        """Add a row. Returns at once."""
        fits = self._buffer.add(row)
        if not fits and not self._overflowing:
            _log.warning("Routing decisions cannot be sent; the oldest are dropped, and counted.")
        self._overflowing = not fits
        with self._changed:
            self._stop_when_idle = False
            self._ensure_thread()
            self._changed.notify_all()

    def flush(self, within: float | None) -> bool:
        """Send everything now; return False if that takes more than these seconds (None: no limit)."""
        deadline = None if within is None else time.monotonic() + within
        with self._changed:
            self._flush_requested = True
            if self.unsent and not self._ensure_thread():
                self._deliver_in_this_thread()
            self._changed.notify_all()
            while self.unsent and (deadline is None or time.monotonic() < deadline):
                self._changed.wait(None if deadline is None else max(0.0, deadline - time.monotonic()))
        return not self.unsent

    def stop_when_idle(self) -> None:
        """End the thread as soon as there is nothing to send. A later `put` starts another one."""
        with self._changed:
            self._stop_when_idle = True
            self._changed.notify_all()
            thread = self._thread
        if thread is not None and not self.unsent:
            thread.join(_JOIN_TIMEOUT)

    # The thread.

    def _ensure_thread(self) -> bool:
        """Start the thread if there is none; return False if no thread can be started any more."""
        if self._thread is not None and self._thread.is_alive():
            return True
        # A daemon, because a program must be able to end during an outage. `_flush_at_exit` sends the rest.
        _active_pipelines.add(self)
        self._thread = start_daemon(_PLACE, self._run)
        return self._thread is not None

    def _run(self) -> None:
        with httpx.Client(timeout=TIMEOUT) as http:
            backoff = Backoff()
            while self._wait_for_rows():
                self._wait_for_batch()
                delivered = self._deliver(http)
                with self._changed:
                    self._changed.notify_all()
                    if not delivered:
                        # A flush that starts during the pause ends it.
                        self._flush_requested = False
                        self._changed.wait_for(lambda: self._flush_requested, next(backoff))
                    elif not self.unsent:
                        self._flush_requested = False
                if delivered:
                    backoff.reset()

    def _wait_for_rows(self) -> bool:
        """Wait for rows; return False, and give up the role of this thread, if there are none."""
        with self._changed:
            self._changed.wait_for(lambda: self.unsent or self._stop_when_idle, IDLE_TIMEOUT)
            if self.unsent:
                return True
            self._thread = None
            _active_pipelines.discard(self)
            return False

    def _wait_for_batch(self) -> None:
        """Let more rows come in before sending, unless somebody flushes or a batch is full."""
        with self._changed:
            self._changed.wait_for(lambda: self._flush_requested or self.unsent >= BATCH, self._interval)

    def _deliver_in_this_thread(self) -> None:
        with httpx.Client(timeout=TIMEOUT) as http:
            self._deliver(http)

    # Sending.

    def _deliver(self, http: httpx.Client) -> bool:
        """Send everything; return False if something has to be retried."""
        with self._delivering:
            while batch := self._buffer.take():
                try:
                    unsent = self._send(http, batch)
                except Exception as error:
                    # A bug of ours must not end the thread while decisions wait.
                    record_fault(_PLACE, error)
                    unsent = batch
                self._buffer.discard(len(batch) - len(unsent))
                if unsent:
                    self._buffer.put_back(unsent)
                    return False
            return True

    def _send(self, http: httpx.Client, batch: list[BufferedRow]) -> list[BufferedRow]:
        """Send rows in one request; return those to be retried."""
        try:
            self._insert(http, [buffered.row for buffered in batch])
        except APIError as error:
            reason = from_api(error)
            if not is_permanent(reason):
                self.problem = str(reason)
                return batch
            return self._send_in_parts(http, batch, reason)
        except (httpx.HTTPError, ValueError) as error:
            _log.debug("The database did not answer: %r", error)
            self.problem = f"The database did not answer: {error!r}"
            return batch
        return []

    def _send_in_parts(
        self, http: httpx.Client, batch: list[BufferedRow], reason: DatabaseError
    ) -> list[BufferedRow]:
        """Split a refused batch, so that the good rows in it arrive; return rows to be retried."""
        parts = _by_person(batch) if isinstance(reason, NotAllowedError) else _halves(batch)
        if len(parts) == 1:
            self.refused += len(batch)
            self.problem = str(reason)
            _log.error("The database refused %d routing decisions: %s", len(batch), reason)
            return []
        return [buffered for part in parts for buffered in self._send(http, part)]

    def _insert(self, http: httpx.Client, rows: Sequence[dict[str, object]]) -> None:
        token = self._fresh_token()
        headers = {"apikey": self._key, "Authorization": f"Bearer {token}"}
        # The pipeline retries by itself.
        client = SyncPostgrestClient(self._url, headers=headers, http_client=http, retry_enabled=False)
        self.requests += 1
        # A decision that is sent twice, because an answer got lost, counts once.
        client.from_(_TABLE).upsert(
            list(rows),
            on_conflict="user_id,request_id",
            ignore_duplicates=True,
            returning=ReturnMethod.minimal,
        ).execute()

    def _fresh_token(self) -> str:
        try:
            return self._token()
        except Exception as error:
            # The program's own sign-in may raise anything. Without a token nothing can be sent now.
            raise ValueError(f"No token to publish with: {error!r}") from error


def _halves(batch: list[BufferedRow]) -> list[list[BufferedRow]]:
    half = len(batch) // 2
    return [batch[:half], batch[half:]] if half else [batch]


def _by_person(batch: list[BufferedRow]) -> list[list[BufferedRow]]:
    people: dict[object, list[BufferedRow]] = {}
    for buffered in batch:
        people.setdefault(buffered.row["user_id"], []).append(buffered)
    return list(people.values())


_lock: Final = threading.Lock()
_shared: Final[weakref.WeakValueDictionary[tuple[object, ...], Pipeline]] = weakref.WeakValueDictionary()
_active_pipelines: Final[set[Pipeline]] = set()
"""Pipelines with a thread; others have nothing to send."""


def pipeline_for(
    url: str, key: str, token: TokenSource | str, interval: timedelta, capacity: int
) -> Pipeline:
    """Return the pipeline that collectors with these arguments share."""
    name = (url, key, token, interval, capacity)
    with _lock:
        pipeline = _shared.get(name)
        if pipeline is None:
            pipeline = _shared[name] = Pipeline(url, key, token_source(token), interval, capacity)
        return pipeline


def _flush_at_exit() -> None:
    deadline = time.monotonic() + EXIT_TIMEOUT
    for pipeline in tuple(_active_pipelines):
        if not pipeline.flush(max(0.0, deadline - time.monotonic())):
            _log.warning("%d routing decisions could not be sent before the end.", pipeline.unsent)


atexit.register(_flush_at_exit)
