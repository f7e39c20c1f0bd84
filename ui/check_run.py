"""Running checks side by side, each with its own limit of time, and telling how far they are."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from db.errors import DatabaseError
from live.errors import LiveError
from ui import checks
from ui.checks import Finding

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Probe:
    """One question and what it settles: a finding for each of `names`, or one for the first when it fails.

    `ask` runs in a thread of its own, and touches no session. `within` is in seconds.
    """

    names: tuple[str, ...]
    ask: Callable[[], Sequence[Finding]]
    mend: str
    within: float = 8.0


def run(probes: Sequence[Probe]) -> Iterator[list[tuple[str, Finding]]]:
    """Begin all probes at once; yield the findings of each, in the given order. Raises nothing."""
    began = time.monotonic()
    threads = ThreadPoolExecutor(max_workers=max(1, len(probes)), thread_name_prefix="diagnostics")
    try:
        asked = [(probe, threads.submit(probe.ask)) for probe in probes]
        for probe, future in asked:
            yield _outcome(probe, future, began + probe.within - time.monotonic())
    finally:
        # What does not end has a limit of its own further down, and nobody waits for it.
        threads.shutdown(wait=False, cancel_futures=True)


def _outcome(probe: Probe, future: Future[Sequence[Finding]], left: float) -> list[tuple[str, Finding]]:
    try:
        return list(zip(probe.names, future.result(max(0.0, left)), strict=True))
    except TimeoutError:
        found = checks.timed_out(probe.within)
    except (DatabaseError, LiveError) as error:
        found = checks.failed(error, probe.mend)
    except Exception as error:
        # A page that finds faults must not end with one.
        log.exception("The check %r failed", probe.names)
        found = checks.failed(error, "The server's log has the details.")
    return [(probe.names[0], found)]
