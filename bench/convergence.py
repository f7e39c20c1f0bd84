"""How long after an outage everybody is shown what is there, and says `Live` again.

The engine is the app's, with all of its tables and its own intervals; people with open tabs, writers that
change rows of every table past the outage, and for each kind of outage several of a few seconds.
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
from live.engine import Engine, EngineConfig
from local_supabase.runtime import StackInfo
from realtime_handlers import ALL_SPECS
from tests.live.fault_proxy import FaultProxy, fault_proxy
from tests.storm import weather
from tests.storm.crowd import Crowd
from tests.storm.writers import Writer, prepare, rest_all
from tests.support.people import give_role, sign_up
from tests.verify.oracle import Oracle

_SEED = 7
_PEOPLE = 5
_WRITERS = 3
_REPEATS = 4
_OUTAGE = (1.0, 5.0)
"""Seconds; another length each time, as it decides where in its pauses the engine is found."""

_OUTAGES: dict[str, tuple[weather.Fault, Callable[[FaultProxy], None]]] = {
    "connections reset": (weather.cut, FaultProxy.heal),
    "connections refused": (weather.refuse, FaultProxy.heal),
    "half-open, then reset": (weather.stall, FaultProxy.heal),
    "half-open, connections never come back": (weather.stall, FaultProxy.heal_quietly),
    "accepted and never answered": (weather.be_silent, FaultProxy.heal),
    "HTTP without websockets": (weather.refuse_websockets, FaultProxy.heal),
    "503 for everything": (weather.fail, FaultProxy.heal),
}


@dataclass(frozen=True, slots=True)
class _Scene:
    proxy: FaultProxy
    crowd: Crowd
    writers: Sequence[Writer]
    chance: random.Random


def main() -> Iterator[Figure]:
    """Measure, and give the figures of each kind of outage and of all."""
    everybody: list[float] = []
    with fresh_stack() as stack, _scene(stack) as scene:
        for writer in scene.writers:
            writer.start()
        before, began = _logged(stack), time.monotonic()
        for what, (fault, heal) in _OUTAGES.items():
            took = [_outage(scene, fault, heal) for _ in range(_REPEATS)]
            right = [one for one, _ in took]
            everybody += right
            yield Figure(f"right again after: {what}", _seconds(right), "median 1 s, worst 5 s")
            yield Figure(f"`Live` again after: {what}", _seconds([live for _, live in took]))
        written, seconds = _logged(stack) - before, time.monotonic() - began
    print(
        f"{_PEOPLE} people with two tabs each and a visitor, {len(_OUTAGES) * _REPEATS} outages,"
        f" {written} changes by {_WRITERS} writers ({written / seconds:.0f} a second)"
    )
    yield Figure("right again after any of these", _seconds(everybody), "median 1 s, worst 5 s")


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
        crowd = Crowd(engine, oracle, people, frozenset({people[0].user_id}))
        try:
            crowd.arrive()
            yield _Scene(proxy, crowd, writers, chance)
        finally:
            for writer in writers:
                writer.stop()
            engine.stop()
            oracle.close()


def _outage(scene: _Scene, fault: weather.Fault, heal: Callable[[FaultProxy], None]) -> tuple[float, float]:
    """Return the seconds from healing until all are shown what is there, and until all are live."""
    scene.crowd.wait_live()
    for writer in scene.writers:
        writer.go_on()
    fault(scene.proxy, scene.chance)
    weather.let_pass(scene.chance.uniform(*_OUTAGE))
    rest_all(scene.writers)
    healed = time.monotonic()
    heal(scene.proxy)
    right = scene.crowd.wait_converged(scene.crowd.expected(), within=60)
    scene.crowd.wait_live()
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
