"""Two public tables and a private one, for tests that need no particular ones."""

from __future__ import annotations

from dataclasses import dataclass

from live.changes import Record
from live.engine import Engine, EngineConfig
from live.kinds import Kind
from live.rows import Rows
from live.tables import Audience, TableSpec
from live.timing import Timing


@dataclass(frozen=True, slots=True)
class Thing:
    """A row with a text."""

    id: str
    text: str
    version: int


def parse(record: Record) -> Thing:
    """Read a thing."""
    return Thing(str(record["id"]), str(record["text"]), int(str(record["version"])))


def record(id: str, text: str, version: int = 1) -> Record:  # noqa: A002 - the column's name
    """Write a thing as the wire would."""
    return {"id": id, "text": text, "version": version}


def spec(name: str, audience: Audience = Audience.PUBLIC) -> TableSpec[Thing]:
    """Describe a table of things."""
    return TableSpec(
        name=name,
        key=("id",),
        parse=parse,
        version=lambda thing: thing.version,
        handler=Rows.apply,
        audience=audience,
        filterable={"text": Kind.TEXT},
    )


def idle_engine(timing: Timing | None = None) -> Engine:
    """Make an engine without feeds: its tables count as loaded and hold what the test applies."""
    engine = Engine(
        EngineConfig("http://127.0.0.1:9", "key"),
        [spec("things"), spec("others"), spec("secrets", Audience.USER)],
        timing,
    )
    engine._public.store.loaded.set()
    return engine
