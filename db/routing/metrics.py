"""Reading routing decisions that are too old to be loaded. Programs write them, through `publish/`."""

from __future__ import annotations

from collections.abc import Sequence

from postgrest import SyncRequestBuilder, SyncSelectRequestBuilder

from db import rows
from db.caller import Caller
from db.columns import Record

TABLE = "routing_metrics"

PAGE = 1000
"""Rows a request. Hosted projects return no more."""

Condition = tuple[str, str, str]
"""A column, an operator of PostgREST, and the value to compare with."""


def newest(me: Caller, conditions: Sequence[Condition], limit: int) -> list[Record]:
    """Read the newest decisions that meet all conditions and that this person may see, at most `limit`."""
    found: list[Record] = []
    while len(found) < limit:
        page = _page(me, conditions, min(PAGE, limit - len(found)), found[-1] if found else None)
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
            # Not by offset, because new rows arrive between two pages.
            at, row_id = after["timestamp"], after["id"]
            query = query.or_(f'timestamp.lt."{at}",and(timestamp.eq."{at}",id.lt.{row_id})')
        return query.order("timestamp", desc=True).order("id", desc=True).limit(size)

    return rows.run(me, TABLE, build)
