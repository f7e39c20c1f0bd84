"""A cache of plans for reads. Requests that differ only in the values of their filters share a plan.

`id=eq.5` and `id=eq.6` need the same statement with another parameter. So the cache replaces the values of
plain comparisons with placeholders, plans the remaining query string once, and fills the values into the
parameters.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from local_supabase.rest.catalog.model import Catalog
from local_supabase.rest.errors import RestError
from local_supabase.rest.query.preferences import Preferences
from local_supabase.rest.query.query_string import (
    Pairs,
    canonical,
    is_filter,
    parse_pairs,
    split,
)
from local_supabase.rest.query.ranges import with_header
from local_supabase.rest.query.request import ApiRequest, Target
from local_supabase.rest.sql.plan import Plan, make_plan

_MAX_ENTRIES: Final = 512
_LONGEST_QUERY: Final = 4000
_PLAIN: Final = re.compile(r"((?:not\.)?(?:eq|neq|gt|gte|lt|lte)\.)(.*)", re.DOTALL)
# A private-use character marks a value. A query string that contains it is not cached.
_PLACEHOLDER: Final = "\ue000"


@dataclass(frozen=True, slots=True)
class _Entry:
    request: ApiRequest
    plan: Plan
    slots: tuple[int | None, ...]
    counted_slots: tuple[int | None, ...]


class PlanCache:
    """The 512 newest plans, for one catalog at a time.

    Arguments:
        max_rows: the most rows of a response.
    """

    def __init__(self, max_rows: int) -> None:
        self._max_rows = max_rows
        self._catalog: Catalog | None = None
        self._entries: OrderedDict[tuple[object, ...], _Entry] = OrderedDict()

    def read(
        self, target: Target, raw_query: str, accept: str | None, preferences: Preferences, catalog: Catalog
    ) -> tuple[ApiRequest, Plan] | None:
        """Return the request and its plan; None if the cache cannot plan it, for example a bad request."""
        if len(raw_query) > _LONGEST_QUERY:
            return None
        if catalog is not self._catalog:
            self._entries.clear()
            self._catalog = catalog
        pairs = split(raw_query)
        if any(_PLACEHOLDER in name or _PLACEHOLDER in (value or "") for name, value in pairs):
            return None
        shape, values = _shape(pairs)
        key = (target, accept, preferences, tuple(shape))
        entry = self._entries.get(key)
        if entry is None:
            entry = self._plan(target, shape, accept, preferences, catalog)
            if entry is None:
                return None
            self._store(key, entry)
        return _fill(entry, pairs, values)

    def _plan(
        self, target: Target, shape: Pairs, accept: str | None, preferences: Preferences, catalog: Catalog
    ) -> _Entry | None:
        try:
            query = parse_pairs(shape)
            request = ApiRequest(target, query, with_header(query.window, None), preferences, accept, "")
            plan = make_plan(request, catalog, self._max_rows)
        except RestError:
            return None
        return _Entry(request, plan, _slots(plan.values), _slots(plan.counted_values))

    def _store(self, key: tuple[object, ...], entry: _Entry) -> None:
        self._entries[key] = entry
        if len(self._entries) > _MAX_ENTRIES:
            self._entries.popitem(last=False)


def _shape(pairs: Pairs) -> tuple[list[tuple[str, str | None]], list[str]]:
    shape: list[tuple[str, str | None]] = []
    values: list[str] = []
    for name, value in pairs:
        plain = _PLAIN.fullmatch(value) if value is not None and is_filter(name) else None
        if plain is None:
            shape.append((name, value))
        else:
            shape.append((name, f"{plain[1]}{_PLACEHOLDER}{len(values)}"))
            values.append(plain[2])
    return shape, values


def _slots(values: Sequence[object]) -> tuple[int | None, ...]:
    return tuple(int(v[1:]) if isinstance(v, str) and v.startswith(_PLACEHOLDER) else None for v in values)


def _fill(entry: _Entry, pairs: Pairs, values: list[str]) -> tuple[ApiRequest, Plan]:
    request = replace(entry.request, query=replace(entry.request.query, canonical=canonical(pairs)))
    plan = replace(
        entry.plan,
        values=_fill_values(entry.plan.values, entry.slots, values),
        counted_values=_fill_values(entry.plan.counted_values, entry.counted_slots, values),
    )
    return request, plan


def _fill_values(
    template: Sequence[object], slots: tuple[int | None, ...], values: list[str]
) -> tuple[object, ...]:
    return tuple(value if slot is None else values[slot] for value, slot in zip(template, slots, strict=True))
