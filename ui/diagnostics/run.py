"""Running probes concurrently, each with its own timeout."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from db.errors import DatabaseError
from livetables.errors import LiveError
from ui.base.background import Threads
from ui.diagnostics import checks
from ui.diagnostics.checks import Finding

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Probe:
    """A question that yields a finding for each of `names`, or only one for the first name if it fails.

    `check` runs in a thread of its own, so it must not touch the session. `remedy` is shown when it fails.
    `timeout` is in seconds.
    """

    names: tuple[str, ...]
    check: Callable[[], Sequence[Finding]]
    remedy: str
    timeout: float = 8.0


def run(probes: Sequence[Probe]) -> Iterator[list[tuple[str, Finding]]]:
    """Start all probes at once, and yield the findings of each in the given order. Raises nothing."""
    started = time.monotonic()
    threads = Threads("diagnostics", max(1, len(probes)))
    try:
        futures = [(probe, threads.submit(probe.check)) for probe in probes]
        for probe, future in futures:
            yield _outcome(probe, future, started + probe.timeout - time.monotonic())
    finally:
        # Do not wait for a probe that hangs: its request has a timeout of its own.
        threads.close()


def _outcome(probe: Probe, future: Future[Sequence[Finding]], left: float) -> list[tuple[str, Finding]]:
    try:
        return list(zip(probe.names, future.result(max(0.0, left)), strict=True))
    except TimeoutError:
        found = checks.timed_out(probe.timeout)
    except (DatabaseError, LiveError) as error:
        found = checks.failed(error, probe.remedy)
    except Exception as error:
        # A fault in one check must not hide the findings of the others.
        _log.exception("The check %r failed", probe.names)
        found = checks.failed(error, "The server's log has the details.")
    return [(probe.names[0], found)]
