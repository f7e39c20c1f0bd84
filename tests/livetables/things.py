"""Two public tables and a private one, for tests that need no particular tables."""

from __future__ import annotations

from dataclasses import dataclass

from livetables.config import EngineConfig
from livetables.engine import Engine
from livetables.tables.changes import Record
from livetables.tables.column_types import ColumnType
from livetables.tables.rows import Rows
from livetables.tables.spec import TableSpec, Visibility
from livetables.timing import Timing

NOWHERE = EngineConfig("http://127.0.0.1:9", "key")
"""A project at a port where nothing listens."""


@dataclass(frozen=True, slots=True)
class Thing:
    """A row with a text."""

    id: str
    text: str
    version: int


def parse(record: Record) -> Thing:
    """Parse a thing."""
    return Thing(str(record["id"]), str(record["text"]), int(str(record["version"])))


def record(id: str, text: str, version: int = 1) -> Record:  # noqa: A002 - the column's name
    """Return a thing as it arrives on the wire."""
    return {"id": id, "text": text, "version": version}


def spec(name: str, visibility: Visibility = Visibility.PUBLIC) -> TableSpec[Thing]:
    """Describe a table of things."""
    return TableSpec(
        name=name,
        key=("id",),
        parse=parse,
        version=lambda thing: thing.version,
        handler=Rows.apply,
        visibility=visibility,
        filterable={"text": ColumnType.TEXT},
    )


def idle_engine(timing: Timing | None = None) -> Engine:
    """Create an engine without feeds: its public tables count as loaded and hold what the test applies."""
    specs = [spec("things"), spec("others"), spec("secrets", Visibility.USER)]
    engine = Engine(NOWHERE, specs, timing)
    engine.audience().store.loaded.set()
    return engine
