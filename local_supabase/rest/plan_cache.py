"""Plans of reads, kept by the shape of their query string: requests that differ only in values share one.

`id=eq.5` and `id=eq.6` give the same statement with another parameter. So the values of plain comparisons are
taken out of a query string, what is left of it is planned once, and the values are put into the parameters.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from local_supabase.rest.catalog import Catalog
from local_supabase.rest.errors import RestError
from local_supabase.rest.plan import Plan, make_plan
from local_supabase.rest.preferences import Preferences
from local_supabase.rest.query import Pairs, canonical, is_filter, parse_pairs, split
from local_supabase.rest.ranges import with_header
from local_supabase.rest.request import Asked, Target

_KEPT: Final = 512
_LONGEST: Final = 4000
_PLAIN: Final = re.compile(r"((?:not\.)?(?:eq|neq|gt|gte|lt|lte)\.)(.*)", re.DOTALL)
# A private-use character that stands for a value; a query string that has it itself is not kept.
_MARK: Final = "\ue000"


@dataclass(frozen=True, slots=True)
class _Kept:
    asked: Asked
    plan: Plan
    slots: tuple[int | None, ...]
    explain_slots: tuple[int | None, ...]


class PlanCache:
    """The plans of the most recently seen shapes, for one catalog at a time."""

    def __init__(self, max_rows: int) -> None:
        self._max_rows = max_rows
        self._catalog: Catalog | None = None
        self._kept: OrderedDict[tuple[object, ...], _Kept] = OrderedDict()

    def read(
        self, target: Target, raw_query: str, accept: str | None, preferences: Preferences, catalog: Catalog
    ) -> tuple[Asked, Plan] | None:
        """Return the plan of a read, None if it has to be planned by itself (errors are among these)."""
        if len(raw_query) > _LONGEST:
            return None
        if catalog is not self._catalog:
            self._kept.clear()
            self._catalog = catalog
        pairs = split(raw_query)
        if any(_MARK in name or _MARK in (value or "") for name, value in pairs):
            return None
        shape, values = _shape(pairs)
        key = (target, accept, preferences, tuple(shape))
        kept = self._kept.get(key)
        if kept is None:
            kept = self._plan(target, shape, accept, preferences, catalog)
            if kept is None:
                return None
            self._keep(key, kept)
        return _filled(kept, pairs, values)

    def _plan(
        self, target: Target, shape: Pairs, accept: str | None, preferences: Preferences, catalog: Catalog
    ) -> _Kept | None:
        try:
            query = parse_pairs(shape)
            asked = Asked(target, query, with_header(query.window, None), preferences, accept, "")
            plan = make_plan(asked, catalog, self._max_rows)
        except RestError:
            return None
        return _Kept(asked, plan, _slots(plan.values), _slots(plan.explain_values))

    def _keep(self, key: tuple[object, ...], kept: _Kept) -> None:
        self._kept[key] = kept
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)


def _shape(pairs: Pairs) -> tuple[list[tuple[str, str | None]], list[str]]:
    shape: list[tuple[str, str | None]] = []
    values: list[str] = []
    for name, value in pairs:
        plain = _PLAIN.fullmatch(value) if value is not None and is_filter(name) else None
        if plain is None:
            shape.append((name, value))
        else:
            shape.append((name, f"{plain[1]}{_MARK}{len(values)}"))
            values.append(plain[2])
    return shape, values


def _slots(values: Sequence[object]) -> tuple[int | None, ...]:
    return tuple(int(v[1:]) if isinstance(v, str) and v.startswith(_MARK) else None for v in values)


def _filled(kept: _Kept, pairs: Pairs, values: list[str]) -> tuple[Asked, Plan]:
    asked = replace(kept.asked, query=replace(kept.asked.query, canonical=canonical(pairs)))
    plan = replace(
        kept.plan,
        values=_put(kept.plan.values, kept.slots, values),
        explain_values=_put(kept.plan.explain_values, kept.explain_slots, values),
    )
    return asked, plan


def _put(template: Sequence[object], slots: tuple[int | None, ...], values: list[str]) -> tuple[object, ...]:
    return tuple(value if slot is None else values[slot] for value, slot in zip(template, slots, strict=True))
