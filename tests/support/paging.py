"""Read more rows than the API gives in one answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

PAGE = 1000
"""Rows that the API returns at most in one answer."""


def all_records(query: Callable[[], Any], key: Sequence[str]) -> list[dict[str, Any]]:
    """Return all rows of a select, in the order of their `key` columns.

    `query` makes a new select each time, since one is used up by its execution.
    """
    records: list[dict[str, Any]] = []
    while len(records) % PAGE == 0:
        ordered = query()
        for column in key:
            ordered = ordered.order(column)
        page = ordered.range(len(records), len(records) + PAGE - 1).execute().data
        if not page:
            break
        records += page
    return records
