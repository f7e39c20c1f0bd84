"""Random nested conditions return the rows that an implementation of three-valued logic expects."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.local_supabase.rest.conftest import Rest

# The rows of public.projects: id, client_id.
_ROWS: list[dict[str, int | None]] = [
    {"id": number, "client_id": client} for number, client in ((1, 1), (2, 1), (3, 2), (4, 2), (5, None))
]
_COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    "eq": lambda a, b: a == b,
    "neq": lambda a, b: a != b,
    "gt": lambda a, b: a > b,
    "gte": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "lte": lambda a, b: a <= b,
}
Row = dict[str, int | None]


@dataclass(frozen=True)
class Condition:
    """A condition as text, and its value for a row: true, false or unknown (None)."""

    text: str
    holds: Callable[[Row], bool | None]


def _compare(column: str, operator: str, value: int) -> Condition:
    def holds(row: Row) -> bool | None:
        found = row[column]
        return None if found is None else _COMPARISONS[operator](found, value)

    return Condition(f"{column}.{operator}.{value}", holds)


def _in_list(column: str, values: list[int]) -> Condition:
    def holds(row: Row) -> bool | None:
        found = row[column]
        if not values:
            return False
        return None if found is None else found in values

    return Condition(f"{column}.in.({','.join(map(str, values))})", holds)


def _is_null(column: str) -> Condition:
    return Condition(f"{column}.is.null", lambda row: row[column] is None)


def _distinct(column: str, value: int) -> Condition:
    return Condition(f"{column}.isdistinct.{value}", lambda row: row[column] != value)


def _negated_leaf(one: Condition) -> Condition:
    column, rest = one.text.split(".", 1)
    return Condition(f"{column}.not.{rest}", lambda row: _not(one.holds(row)))


def _not(value: bool | None) -> bool | None:
    return None if value is None else not value


def _all(values: list[bool | None]) -> bool | None:
    if False in values:
        return False
    return None if None in values else True


def _group(word: str, negated: bool, parts: list[Condition]) -> Condition:
    def holds(row: Row) -> bool | None:
        values = [part.holds(row) for part in parts]
        whole = _all(values) if word == "and" else _not(_all([_not(value) for value in values]))
        return _not(whole) if negated else whole

    return Condition(f"{'not.' if negated else ''}{word}({','.join(part.text for part in parts)})", holds)


_COLUMN = st.sampled_from(["id", "client_id"])
_NUMBER = st.integers(min_value=0, max_value=6)
_PLAIN = st.one_of(
    st.builds(_compare, _COLUMN, st.sampled_from(list(_COMPARISONS)), _NUMBER),
    st.builds(_in_list, _COLUMN, st.lists(_NUMBER, max_size=3)),
    st.builds(_is_null, _COLUMN),
    st.builds(_distinct, _COLUMN, _NUMBER),
)
_LEAF = st.one_of(_PLAIN, st.builds(_negated_leaf, _PLAIN))
_GROUP = st.recursive(
    _LEAF,
    lambda inner: st.builds(
        _group, st.sampled_from(["and", "or"]), st.booleans(), st.lists(inner, min_size=1, max_size=3)
    ),
    max_leaves=8,
)


@given(st.lists(_GROUP, min_size=1, max_size=3))
@settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nested_conditions_follow_three_valued_logic(rest: Rest, conditions: list[Condition]) -> None:
    query = "&".join(f"and={quote(f'({one.text})')}" for one in conditions)
    response = rest.get(f"/projects?select=id&order=id&{query}", Prefer="count=exact")
    assert response.status_code == 200, response.text
    expected = [row["id"] for row in _ROWS if _all([one.holds(row) for one in conditions])]
    assert [row["id"] for row in response.json()] == expected
    assert response.headers["content-range"].endswith(f"/{len(expected)}")
