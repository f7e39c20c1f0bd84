"""Who has written how much, and deleting what one person wrote: for admins, after a flood."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, cast

from db import rows
from db.caller import Caller
from db.columns import AwareDatetime, Model, Record

TABLES: Final[Mapping[str, str]] = {
    "agent_runs": "runs that have ended, with their logs",
    "routing_metrics": "routed requests",
    "tavern_messages": "messages in the common room",
    "event_messages": "messages about events",
    "private_messages": "private messages",
}
"""The tables of which one person's rows can be deleted, and what their rows are called."""

_BATCH: Final = 5000
"""How many rows the database deletes in one call."""


@dataclass(frozen=True, slots=True)
class WriteCount(Model):
    """How many rows of a table a person has written and deleted lately."""

    user_id: str
    table_name: str
    written: int
    deleted: int
    last_at: AwareDatetime


@dataclass(frozen=True, slots=True)
class Selection:
    """The rows of a table that a person made before a time."""

    user_id: str
    table: str
    before: datetime


def writes_by_person(me: Caller, minutes: int = 60) -> list[WriteCount]:
    """Return what each person has written in so many minutes, the most first, at most a thousand lines.

    Raises `NotAllowedError` for everybody but admins.
    """
    answer = cast("list[Record]", rows.call(me, "writes_by_person", {"p_minutes": minutes}))
    return [WriteCount.from_record(record) for record in answer]


def count(me: Caller, selection: Selection) -> int:
    """Return how many rows there are. Raises `NotAllowedError` for everybody but admins."""
    return _clean_up(me, selection, delete=False)


def delete(me: Caller, selection: Selection) -> int:
    """Delete the rows, in batches; return how many.

    Raises `NotAllowedError` for everybody but admins. After a failure the batches before it are gone.
    """
    total = 0
    while True:
        deleted = rows.repeat_if_lost(lambda: _clean_up(me, selection, delete=True))
        total += deleted
        if deleted < _BATCH:
            return total


def _clean_up(me: Caller, selection: Selection, *, delete: bool) -> int:
    params = {
        "p_user": selection.user_id,
        "p_table": selection.table,
        "p_before": selection.before.isoformat(),
        "p_delete": delete,
    }
    return int(str(rows.call(me, "clean_up", params)))
