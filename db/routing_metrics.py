"""Reading routing decisions beyond those that are loaded. Programs write them, through `publish`."""

from __future__ import annotations

from collections.abc import Sequence

from postgrest import SyncRequestBuilder, SyncSelectRequestBuilder

from db import rows
from db.models import Record
from db.rows import Caller

TABLE = "routing_metrics"

PAGE = 1000
"""Rows a request; hosted projects give no more."""

Condition = tuple[str, str, str]
"""A column, PostgREST's operator, and what it compares with."""


def newest(me: Caller, conditions: Sequence[Condition], at_most: int) -> list[Record]:
    """Read the newest decisions that pass all conditions, as far as this person may see them."""
    found: list[Record] = []
    while len(found) < at_most:
        page = _page(me, conditions, min(PAGE, at_most - len(found)), found[-1] if found else None)
        found += page
        if len(page) < PAGE:
            break
    return found


def _page(me: Caller, conditions: Sequence[Condition], size: int, after: Record | None) -> list[Record]:
    def build(table: SyncRequestBuilder) -> SyncSelectRequestBuilder:
        query = table.select("*")
        for column, operator, criterion in conditions:
            query = query.filter(column, operator, criterion)
        if after is not None:
            # Not by number of rows: others arrive meanwhile.
            at, row_id = after["timestamp"], after["id"]
            query = query.or_(f'timestamp.lt."{at}",and(timestamp.eq."{at}",id.lt.{row_id})')
        return query.order("timestamp", desc=True).order("id", desc=True).limit(size)

    return rows.run(me, TABLE, build)
