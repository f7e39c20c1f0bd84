"""The way of decisions to the database: one thread for each project and token, there while there is work.

Collectors with the same project and token share one, so that a collector made anew for every request still
costs one insert a batch. A thread and not a task of the caller's event loop: it goes on while that loop is
busy, outlives it, and is still there when the interpreter ends.
"""

from __future__ import annotations

import atexit
import logging
import random
import threading
import time
import weakref
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import httpx
from postgrest import APIError, ReturnMethod, SyncPostgrestClient

from db.errors import NotAllowed, Refused, from_api
from publish.metrics_buffer import BATCH, CAPACITY, MetricsBuffer, Waiting
from publish.transport import TokenSource, source_of

_log: Final = logging.getLogger(__name__)

INTERVAL: Final = timedelta(milliseconds=250)
"""What is decided within this time is sent together."""
LINGER: Final = 5.0
"""Seconds that the thread and its connection wait for more."""
AT_EXIT: Final = 5.0
"""Seconds that a program's end may wait for the last decisions to be sent."""
_FIRST_RETRY: Final = 0.25
_LONGEST_RETRY: Final = 15.0
_ENDING: Final = 2.0
"""Seconds to wait for the thread; another collector may have given it work meanwhile."""
_TIMEOUT: Final = httpx.Timeout(10.0, connect=4.0)
_TABLE: Final = "routing_metrics"


class Pipeline:
    """Sends rows. No method raises what the network or the database can cause."""

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
        self._hurry = False
        self._resting = False
        self._overflowing = False
        self.requests = 0
        """Requests sent so far."""
        self.refused = 0
        """Decisions that the database will never take."""
        self.problem: str | None = None
        """Why it would not."""

    @property
    def dropped(self) -> int:
        """Decisions that there was no room for."""
        return self._buffer.dropped

    @property
    def unsent(self) -> int:
        """Decisions that wait or are on their way."""
        return len(self._buffer)

    def put(self, row: dict[str, object]) -> None:
        """Take a row. Returns at once."""
        there_was_room = self._buffer.add(row)
        if not there_was_room and not self._overflowing:
            _log.warning("Routing decisions cannot be sent; the oldest are dropped, and counted.")
        self._overflowing = not there_was_room
        with self._changed:
            self._resting = False
            self._work()
            self._changed.notify_all()

    def flush(self, within: float | None) -> bool:
        """Send everything now; False when it could not be done in these seconds."""
        deadline = None if within is None else time.monotonic() + within
        with self._changed:
            self._hurry = True
            if self.unsent and not self._work():
                self._deliver_here()
            self._changed.notify_all()
            while self.unsent and (deadline is None or time.monotonic() < deadline):
                self._changed.wait(None if deadline is None else max(0.0, deadline - time.monotonic()))
        return not self.unsent

    def rest(self) -> None:
        """End the thread if there is nothing to do; what is put later starts another one."""
        with self._changed:
            self._resting = True
            self._changed.notify_all()
            thread = self._thread
        if thread is not None and not self.unsent:
            thread.join(_ENDING)

    # The thread.

    def _work(self) -> bool:
        """See to it that somebody works; False when no thread can be started any more."""
        if self._thread is not None and self._thread.is_alive():
            return True
        # Daemon: a program must be able to end during an outage. What waits then gets AT_EXIT seconds.
        thread = threading.Thread(target=self._run, name="routing metrics", daemon=True)
        _busy.add(self)
        try:
            thread.start()
        except RuntimeError:  # the interpreter is about to end
            return False
        self._thread = thread
        return True

    def _run(self) -> None:
        with httpx.Client(timeout=_TIMEOUT) as http:
            pause = _FIRST_RETRY
            while self._wait_for_rows():
                self._gather()
                delivered = self._deliver(http)
                with self._changed:
                    self._changed.notify_all()
                    if not delivered:
                        # A flush begins with a try of its own.
                        self._hurry = False
                        spread = random.uniform(pause / 2, pause)  # noqa: S311 - spreads retries, no secret
                        self._changed.wait_for(lambda: self._hurry, spread)
                    elif not self.unsent:
                        self._hurry = False
                pause = _FIRST_RETRY if delivered else min(pause * 2, _LONGEST_RETRY)

    def _wait_for_rows(self) -> bool:
        """Wait for work; False, and this thread is no longer the one at work, when there is none."""
        with self._changed:
            self._changed.wait_for(lambda: self.unsent or self._resting, LINGER)
            if self.unsent:
                return True
            self._thread = None
            _busy.discard(self)
            return False

    def _gather(self) -> None:
        """Let more come in before it is sent, unless somebody waits for it or a batch is full."""
        with self._changed:
            self._changed.wait_for(lambda: self._hurry or self.unsent >= BATCH, self._interval)

    def _deliver_here(self) -> None:
        with httpx.Client(timeout=_TIMEOUT) as http:
            self._deliver(http)

    # Sending.

    def _deliver(self, http: httpx.Client) -> bool:
        """Send what waits; False when it has to be tried again."""
        with self._delivering:
            while batch := self._buffer.take():
                try:
                    later = self._send(http, batch)
                except Exception:
                    # A fault of ours must not end the thread with decisions in it.
                    _log.exception("Routing decisions could not be sent")
                    later = batch
                self._buffer.settled(len(batch) - len(later))
                if later:
                    self._buffer.back(later)
                    return False
            return True

    def _send(self, http: httpx.Client, batch: list[Waiting]) -> list[Waiting]:
        """Send rows in one request; return those to be tried again."""
        try:
            self._insert(http, [waiting.row for waiting in batch])
        except APIError as error:
            told = from_api(error)
            if not isinstance(told, Refused):
                self.problem = str(told)
                return batch
            return self._send_apart(http, batch, told)
        except (httpx.HTTPError, ValueError) as error:
            _log.debug("The database did not answer: %r", error)
            self.problem = f"The database did not answer: {error!r}"
            return batch
        return []

    def _send_apart(self, http: httpx.Client, batch: list[Waiting], reason: Refused) -> list[Waiting]:
        """Send the rows of a refused batch in parts, so that a bad one takes no other with it."""
        parts = _by_person(batch) if isinstance(reason, NotAllowed) else _halves(batch)
        if len(parts) == 1:
            self.refused += len(batch)
            self.problem = str(reason)
            _log.error("The database refused %d routing decisions: %s", len(batch), reason)
            return []
        return [waiting for part in parts for waiting in self._send(http, part)]

    def _insert(self, http: httpx.Client, rows: Sequence[dict[str, object]]) -> None:
        token = self._fresh_token()
        headers = {"apikey": self._key, "Authorization": f"Bearer {token}"}
        # The pipeline tries again by itself.
        client = SyncPostgrestClient(self._url, headers=headers, http_client=http, retry_enabled=False)
        self.requests += 1
        # Told twice (an answer was lost), a decision counts once.
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
            # Whatever the program's own sign-in raises: without a token nothing can be sent now.
            raise ValueError(f"No token to publish with: {error!r}") from error


def _halves(batch: list[Waiting]) -> list[list[Waiting]]:
    half = len(batch) // 2
    return [batch[:half], batch[half:]] if half else [batch]


def _by_person(batch: list[Waiting]) -> list[list[Waiting]]:
    people: dict[object, list[Waiting]] = {}
    for waiting in batch:
        people.setdefault(waiting.row["user_id"], []).append(waiting)
    return list(people.values())


_lock: Final = threading.Lock()
_shared: Final[weakref.WeakValueDictionary[tuple[object, ...], Pipeline]] = weakref.WeakValueDictionary()
_busy: Final[set[Pipeline]] = set()
"""Pipelines with a thread; others have nothing left to send."""


def pipeline_for(
    url: str, key: str, token: TokenSource | str, interval: timedelta, capacity: int
) -> Pipeline:
    """Return the pipeline of this project and token, which collectors share."""
    name = (url, key, token, interval, capacity)
    with _lock:
        pipeline = _shared.get(name)
        if pipeline is None:
            pipeline = _shared[name] = Pipeline(url, key, source_of(token), interval, capacity)
        return pipeline


def _at_exit() -> None:
    deadline = time.monotonic() + AT_EXIT
    for pipeline in tuple(_busy):
        if not pipeline.flush(max(0.0, deadline - time.monotonic())):
            _log.warning("%d routing decisions could not be sent before the end.", pipeline.unsent)


atexit.register(_at_exit)
