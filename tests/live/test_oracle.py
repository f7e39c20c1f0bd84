"""The oracle: after any storm of writes and faults, everybody is shown what a query of their own gives.

`TAVERN_ORACLE_SEED` repeats a run, `TAVERN_ORACLE_SECONDS` makes it longer. Only the intervals between two
looks for silent losses are shorter than in the app: how fast an outage is over is measured as it is there.
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

from live.engine import Engine, EngineConfig
from live.timing import Timing
from local_supabase.runtime import StackInfo
from tests.live.fault_proxy import FaultProxy, fault_proxy
from tests.storm.crowd import Crowd, Report, Seen
from tests.storm.weather import Weather, dropping, let_pass
from tests.storm.writers import Writer, prepare, rest_all
from tests.support.people import give_role, sign_up
from tests.support.wait import wait_for
from tests.verify.oracle import Oracle

SECONDS = float(os.environ.get("TAVERN_ORACLE_SECONDS", "8"))
SEED = int(os.environ.get("TAVERN_ORACLE_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
LONG = SECONDS > 60

TIMING = replace(Timing(), reconcile=0.8, grace=0.3, linger=0.3)

LENGTHS = (*[1.0] * 6, *[3.0] * 4, 20.0, 45.0)
"""Seconds of a storm in a long run, each as often as it is in here."""

CONVERGED_WITHIN = 5.0
MEDIAN = 1.0


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that takes part."""

    proxy: FaultProxy
    crowd: Crowd
    writers: Sequence[Writer]
    weather: Weather
    seen: Seen
    chance: random.Random
    database_url: str

    def logged(self) -> int:
        """Count the changes that the database has seen, by its own log."""
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
    oracle, seen = Oracle(stack), Seen()
    with fault_proxy(stack.url) as proxy:
        engine = Engine.start(EngineConfig(proxy.url, stack.anon_key), seen.specs(), TIMING)
        crowd = Crowd(engine, oracle, people, frozenset({people[0].user_id}))
        weather = Weather(proxy, random.Random(chance.random()), others={"come_or_go": crowd.come_or_go})
        try:
            crowd.arrive()
            yield Stage(proxy, crowd, writers, weather, seen, chance, stack.database_url)
        finally:
            for writer in writers:
                writer.stop()
            engine.stop()
            oracle.close()


def blow(stage: Stage, report: Report, seconds: float) -> None:
    """Let it storm, heal, and measure how long it takes until everybody sees what is there."""
    stage.weather.blow(seconds)
    stage.crowd.come_back()
    rest_all(stage.writers)
    stage.proxy.heal()
    expected = stage.crowd.expected()
    report.converged.append(stage.crowd.wait_converged(expected))
    report.add(stage.crowd.wrong(expected))
    report.must_be_right()


def lose_in_silence(stage: Stage, report: Report) -> None:
    """Lose events of streams that stay: nothing but reconciling finds out."""
    stage.crowd.wait_live()
    stage.proxy.rewrite = dropping(random.Random(stage.chance.random()), 0.2)
    for writer in stage.writers:
        writer.go_on()
    let_pass(1.0)
    rest_all(stage.writers)
    stage.proxy.heal()
    expected = stage.crowd.expected()
    report.reconciled = max(report.reconciled, stage.crowd.wait_converged(expected))
    report.add(stage.crowd.wrong(expected))
    report.must_be_right()


@pytest.mark.timeout(180 + 3 * SECONDS)
def test_after_a_storm_everybody_is_shown_what_is_there(stage: Stage) -> None:
    report = Report(SEED)
    before, seen_before = stage.logged(), stage.seen.count
    for writer in stage.writers:
        writer.start()
    left = SECONDS
    while left > 0:
        seconds = min(left, stage.chance.choice(LENGTHS) if LONG else 1.0)
        left -= seconds
        for writer in stage.writers:
            writer.go_on()
        blow(stage, report, seconds)
        if LONG:
            print(f"{left:.0f} s left: {report.text(stage.weather)}", flush=True)  # noqa: T201
    lose_in_silence(stage, report)
    report.written, report.seen = stage.logged() - before, stage.seen.count - seen_before
    report.repaired = stage.crowd.repaired()
    print(f"\n{report.text(stage.weather)}")  # noqa: T201 - the report of the run
    assert not stage.crowd.foreign, f"seed {SEED}: {stage.crowd.foreign}"
    wait_for(lambda: stage.crowd.repaired() > 0, what="the silent losses to be counted")
    if LONG:
        assert max(report.converged) <= CONVERGED_WITHIN
        assert statistics.median(report.converged) <= MEDIAN
