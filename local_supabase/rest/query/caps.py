"""Caps on the number of terms and the depth of a query string, checked before it is parsed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from local_supabase.rest.errors import bad_query

# Ours: PostgREST has none. The statement of a request within them is planned in well under a second.
MAX_PARAMETERS: Final = 200
MAX_DEPTH: Final = 20
MAX_TERMS: Final = {
    "select": 500,
    "columns": 1600,  # the most columns of a Postgres table
    "on_conflict": 32,  # the most columns of a Postgres index
    "order": 100,
    "and": 500,
    "or": 500,
}
# Dashes are JSON arrows or parts of names; the grammar tries several rules at each, and at each escape.
MAX_STEPS: Final = 500
# Values in conditions, such as UUIDs and dates, have dashes too, which cost little.
MAX_CONDITION_STEPS: Final = 4000
# A quote that nothing closes reaches to the end, or the search would begin anew at each quote in it.
_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.|\\\Z)*+(?:(?P<end>")|\Z)', re.DOTALL)
_BRACKET: Final = re.compile(r"[()]")


def check_caps(pairs: Sequence[tuple[str, str | None]]) -> None:
    """Check a query string that was split into pairs. Its cost is linear in the length.

    Raises:
        RestError: PGRST100, it has too many parameters or terms, or is nested too deeply.
    """
    if len(pairs) > MAX_PARAMETERS:
        raise bad_query('"failed to parse query string"', f"more than {MAX_PARAMETERS} parameters")
    terms: Counter[str] = Counter()
    for name, value in pairs:
        kind = name.rsplit(".", 1)[-1]
        if name.count(".") > MAX_DEPTH:
            raise bad_query('"failed to parse tree path"', "nested too deeply")
        if name.count("-") + name.count("\\") > MAX_STEPS:
            raise bad_query('"failed to parse tree path"', f"more than {MAX_STEPS} dashes or escapes")
        if value is None or kind not in MAX_TERMS:
            continue
        plain = _QUOTED.sub(_unless_closed, value)
        terms[kind] += plain.count(",") + 1
        if terms[kind] > MAX_TERMS[kind]:
            raise bad_query(f'"failed to parse {kind}"', f"more than {MAX_TERMS[kind]} terms")
        steps = MAX_CONDITION_STEPS if kind in {"and", "or"} else MAX_STEPS
        if plain.count("-") + value.count("\\") > steps:
            raise bad_query(f'"failed to parse {kind}"', f"more than {steps} dashes or escapes")
        if _depth(plain) > MAX_DEPTH:
            raise bad_query(f'"failed to parse {kind}"', "nested too deeply")


def _unless_closed(quoted: re.Match[str]) -> str:
    return "" if quoted["end"] else quoted[0]


def _depth(text: str) -> int:
    depth = deepest = 0
    for bracket in _BRACKET.findall(text):
        depth += 1 if bracket == "(" else -1
        deepest = max(deepest, depth)
    return deepest
