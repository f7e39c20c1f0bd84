"""The oracle: after any storm of writes and faults, everybody sees what a query of their own returns.

`TAVERN_ORACLE_SEED` repeats a run, `TAVERN_ORACLE_SECONDS` makes it longer. Only the intervals of reconciling
are shorter than in the app, so the time to recover from an outage is that of the app.
"""

from __future__ import annotations

import contextlib
import os
import random
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import psycopg2
import pytest

from livetables.config import EngineConfig
from livetables.engine import Engine
from livetables.timing import Timing
from local_supabase.stack.runtime import StackInfo
from tests.livetables.fault_proxy import FaultProxy, fault_proxy
from tests.storm.faults import RandomFaults, dropping, elapse
from tests.storm.viewers import HandledChanges, Report, Viewers
from tests.storm.writers import Writer, pause_all, prepare
from tests.support.people import give_role, sign_up
from tests.support.wait import wait_for
from tests.verify.oracle import Oracle

SECONDS = float(os.environ.get("TAVERN_ORACLE_SECONDS", "8"))
SEED = int(os.environ.get("TAVERN_ORACLE_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
LONG = SECONDS > 60

TIMING = replace(Timing(), reconcile=0.8, grace=0.3, linger=0.3)

LENGTHS = (*[1.0] * 6, *[3.0] * 4, 20.0, 45.0)
"""Seconds of the storms in a long run. One that stands here more often is chosen more often."""

CONVERGED_WITHIN = 5.0
MEDIAN = 1.0


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that takes part in a run."""

    proxy: FaultProxy
    viewers: Viewers
    writers: Sequence[Writer]
    faults: RandomFaults
    handled: HandledChanges
    chance: random.Random
    database_url: str

    def logged(self) -> int:
        """Return the number of the newest change in the database's log."""
        with contextlib.closing(psycopg2.connect(self.database_url)) as database:
            cursor = database.cursor()
            cursor.execute("select coalesce(max(id), 0) from public.change_log")
            found = cursor.fetchone()
        assert found is not None
        return int(found[0])


@pytest.fixture
def stage(stack: StackInfo) -> Iterator[Stage]:
    chance = random.Random(SEED)
    people = [sign_up(stack, name) for name in ("Ada", "Bo", "Cy", "Dee")]
    give_role(stack, people[0].user_id, "admin")
    event = prepare(stack.database_url)
    ids = [person.user_id for person in people]
    writers = [Writer(stack.database_url, ids, event, random.Random(chance.random())) for _ in range(3)]
    oracle, handled = Oracle(stack), HandledChanges()
    with fault_proxy(stack.url) as proxy:
        engine = Engine.start(EngineConfig(proxy.url, stack.anon_key), handled.specs(), TIMING)
        viewers = Viewers(engine, oracle, people, frozenset({people[0].user_id}))
        others = {"toggle_last": viewers.toggle_last}
        faults = RandomFaults(proxy, random.Random(chance.random()), others=others)
        try:
            viewers.open_tabs()
            yield Stage(proxy, viewers, writers, faults, handled, chance, stack.database_url)
        finally:
            for writer in writers:
                writer.stop()
            engine.stop()
            oracle.close()


def storm(stage: Stage, report: Report, seconds: float) -> None:
    """Run faults, heal, and measure how long it takes until everybody sees the right rows."""
    stage.faults.run(seconds)
    stage.viewers.restore_last()
    pause_all(stage.writers)
    stage.proxy.heal()
    expected = stage.viewers.expected()
    report.converged.append(stage.viewers.wait_converged(expected))
    report.add(stage.viewers.differences(expected))
    report.assert_nothing_lost_or_foreign()


def lose_events(stage: Stage, report: Report) -> None:
    """Drop events from streams that stay open: only reconciling notices."""
    stage.viewers.wait_live()
    stage.proxy.rewrite = dropping(random.Random(stage.chance.random()), 0.2)
    for writer in stage.writers:
        writer.resume()
    elapse(1.0)
    pause_all(stage.writers)
    stage.proxy.heal()
    expected = stage.viewers.expected()
    report.reconciled = max(report.reconciled, stage.viewers.wait_converged(expected))
    report.add(stage.viewers.differences(expected))
    report.assert_nothing_lost_or_foreign()


@pytest.mark.timeout(180 + 3 * SECONDS)
def test_after_a_storm_everybody_sees_the_rows_of_the_database(stage: Stage) -> None:
    report = Report(SEED)
    before, seen_before = stage.logged(), stage.handled.count
    for writer in stage.writers:
        writer.start()
    left = SECONDS
    while left > 0:
        seconds = min(left, stage.chance.choice(LENGTHS) if LONG else 1.0)
        left -= seconds
        for writer in stage.writers:
            writer.resume()
        storm(stage, report, seconds)
        if LONG:
            print(f"{left:.0f} s left: {report.text(stage.faults)}", flush=True)  # noqa: T201
    lose_events(stage, report)
    report.written, report.seen = stage.logged() - before, stage.handled.count - seen_before
    report.repaired = stage.viewers.repaired()
    print(f"\n{report.text(stage.faults)}")  # noqa: T201 - the report of the run
    assert not stage.viewers.foreign, f"seed {SEED}: {stage.viewers.foreign}"
    wait_for(lambda: stage.viewers.repaired() > 0, what="the silent losses to be counted")
    if LONG:
        assert max(report.converged) <= CONVERGED_WITHIN
        assert statistics.median(report.converged) <= MEDIAN
