"""Measures how long after an outage all sessions show the present rows, and the status `Live`.

The engine is the app's, with all of its tables and intervals. People have open tabs, and writers that the
outage does not affect change rows of every table. Each kind of outage happens several times for a few
seconds.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg2

from bench.figures import Figure
from bench.running import fresh_stack
from livetables.config import EngineConfig
from livetables.engine import Engine
from local_supabase.stack.runtime import StackInfo
from realtime_handlers import ALL_SPECS
from tests.livetables.fault_proxy import FaultProxy, fault_proxy
from tests.storm import faults
from tests.storm.viewers import Viewers
from tests.storm.writers import Writer, pause_all, prepare
from tests.support.people import give_role, sign_up
from tests.verify.oracle import Oracle

_SEED = 7
_PEOPLE = 5
_WRITERS = 3
_REPEATS = 4
_OUTAGE = (1.0, 5.0)
"""Seconds. The length varies, so that an outage ends at different moments of the engine's pauses."""

_OUTAGES: dict[str, tuple[faults.Fault, Callable[[FaultProxy], None]]] = {
    "connections reset": (faults.cut, FaultProxy.heal),
    "connections refused": (faults.refuse, FaultProxy.heal),
    "half-open, then reset": (faults.stall, FaultProxy.heal),
    "half-open, connections never come back": (faults.stall, FaultProxy.heal_quietly),
    "accepted and never answered": (faults.answer_nothing, FaultProxy.heal),
    "HTTP without websockets": (faults.refuse_websockets, FaultProxy.heal),
    "503 for everything": (faults.fail, FaultProxy.heal),
}


@dataclass(frozen=True, slots=True)
class _Scene:
    proxy: FaultProxy
    viewers: Viewers
    writers: Sequence[Writer]
    chance: random.Random


def main() -> Iterator[Figure]:
    """Measure each kind of outage, and all together."""
    all_outages: list[float] = []
    with fresh_stack() as stack, _scene(stack) as scene:
        for writer in scene.writers:
            writer.start()
        before, began = _logged(stack), time.monotonic()
        for what, (fault, heal) in _OUTAGES.items():
            took = [_outage(scene, fault, heal) for _ in range(_REPEATS)]
            right = [one for one, _ in took]
            all_outages += right
            yield Figure(f"right again after: {what}", _seconds(right), "median 1 s, worst 5 s")
            yield Figure(f"`Live` again after: {what}", _seconds([live for _, live in took]))
        written, seconds = _logged(stack) - before, time.monotonic() - began
    print(
        f"{_PEOPLE} people with two tabs each and a visitor, {len(_OUTAGES) * _REPEATS} outages,"
        f" {written} changes by {_WRITERS} writers ({written / seconds:.0f} a second)"
    )
    yield Figure("right again after any of these", _seconds(all_outages), "median 1 s, worst 5 s")


@contextmanager
def _scene(stack: StackInfo) -> Iterator[_Scene]:
    chance = random.Random(_SEED)
    people = [sign_up(stack, f"Person {number}") for number in range(_PEOPLE)]
    give_role(stack, people[0].user_id, "admin")
    ids = [person.user_id for person in people]
    event = prepare(stack.database_url)
    writers = [
        Writer(stack.database_url, ids, event, random.Random(chance.random())) for _ in range(_WRITERS)
    ]
    oracle = Oracle(stack)
    with fault_proxy(stack.url) as proxy:
        engine = Engine.start(EngineConfig(proxy.url, stack.anon_key), ALL_SPECS)
        viewers = Viewers(engine, oracle, people, frozenset({people[0].user_id}))
        try:
            viewers.open_tabs()
            yield _Scene(proxy, viewers, writers, chance)
        finally:
            for writer in writers:
                writer.stop()
            engine.stop()
            oracle.close()


def _outage(scene: _Scene, fault: faults.Fault, heal: Callable[[FaultProxy], None]) -> tuple[float, float]:
    """Return the seconds from the end of the outage until all rows are right, and until all are live."""
    scene.viewers.wait_live()
    for writer in scene.writers:
        writer.resume()
    fault(scene.proxy, scene.chance)
    faults.elapse(scene.chance.uniform(*_OUTAGE))
    pause_all(scene.writers)
    healed = time.monotonic()
    heal(scene.proxy)
    right = scene.viewers.wait_converged(scene.viewers.expected(), within=60)
    scene.viewers.wait_live()
    return right, time.monotonic() - healed


def _seconds(samples: Sequence[float]) -> str:
    return f"median {statistics.median(samples):.2f} s, worst {max(samples):.2f} s"


def _logged(stack: StackInfo) -> int:
    found = _value(stack, "select coalesce(max(id), 0) from public.change_log")
    assert isinstance(found, int)
    return found


def _value(stack: StackInfo, query: str) -> object:
    connection = psycopg2.connect(stack.database_url)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(query)
            found = cursor.fetchone()
    finally:
        connection.close()
    assert found is not None
    value: object = found[0]
    return value
