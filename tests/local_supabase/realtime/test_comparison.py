"""What Python decides of filters agrees with Postgres, and what it cannot is left to Postgres."""

import itertools
from collections.abc import Sequence

import asyncpg
import pytest

from local_supabase.realtime.comparison import CheckedClause, Verdict, decide
from local_supabase.realtime.filters import Clause, Operator

SAMPLES: dict[str, Sequence[str]] = {
    "int4": ["-1", "0", "2", "10"],
    "int8": ["9007199254740993", "9007199254740992"],
    "numeric": ["1.5", "1.50", "-2", "1e3", "NaN"],
    "float8": ["0", "-0", "1e20", "NaN", "Infinity"],
    "bool": ["t", "f"],
    "uuid": ["6ec0bd7f-11c0-43da-975e-2a8ad9ebae0b", "00000000-0000-0000-0000-000000000000"],
    "date": ["2026-01-01", "2025-12-31", "infinity", "0044-03-15 BC"],
    "timestamptz": [
        "2026-01-01 00:00:00+00",
        "2026-01-01 00:00:00.5+00",
        "infinity",
        "0044-03-15 00:00:00+00 BC",
    ],
    "text": ["", "a", "B", "b%", "ab\nc", "é", "É"],
    "varchar": ["a", "A"],
    "bytea": ["\\x00", "\\x0001"],
    "jsonb": ["1", "1.0"],
}
PATTERNS = ["a%", "_", "%b%", r"b\%", "A%", "%", "É"]
COMPARISONS = [Operator(name) for name in ("eq", "neq", "lt", "lte", "gt", "gte", "isdistinct")]


async def truth(sql: asyncpg.Connection, checked: CheckedClause, value: str) -> bool:
    verdict = await sql.fetchval(
        "select _realtime.compare($1, $2, $3, $4)",
        checked.clause.operator.value,
        checked.type_oid,
        value,
        checked.clause.value,
    )
    return verdict is not None and verdict is not checked.clause.negate


@pytest.mark.parametrize("type_name", list(SAMPLES))
async def test_decisions_agree_with_postgres(sql: asyncpg.Connection, type_name: str) -> None:
    oid = await sql.fetchval("select $1::text::regtype::oid", type_name)
    name = await sql.fetchval("select typname::text from pg_type where oid = $1", oid)
    undecided = 0
    samples = SAMPLES[type_name]
    for operator, value, wanted, negate in itertools.product(COMPARISONS, samples, samples, (False, True)):
        checked = CheckedClause(Clause("c", operator, wanted, negate), oid, name, (wanted,))
        verdict = decide(checked, value)
        if verdict is Verdict.UNDECIDED:
            undecided += 1
        else:
            assert verdict.value is await truth(sql, checked, value), (operator, value, wanted, negate)
    assert undecided < len(COMPARISONS) * len(samples) ** 2 * 2 or type_name == "jsonb"


@pytest.mark.parametrize("operator", [Operator.LIKE, Operator.ILIKE])
async def test_patterns_agree_with_postgres(sql: asyncpg.Connection, operator: Operator) -> None:
    oid = await sql.fetchval("select 'text'::regtype::oid")
    for value, pattern, negate in itertools.product(SAMPLES["text"], PATTERNS, (False, True)):
        checked = CheckedClause(Clause("c", operator, pattern, negate), oid, "text", (pattern,))
        verdict = decide(checked, value)
        if verdict is not Verdict.UNDECIDED:
            assert verdict.value is await truth(sql, checked, value), (value, pattern, negate)


@pytest.mark.parametrize(
    ("operator", "canonical", "negate", "passes"),
    [
        (Operator.EQ, ("1",), False, False),
        (Operator.EQ, ("1",), True, False),
        (Operator.IN, ("1",), True, False),
        (Operator.IS, ("null",), False, True),
        (Operator.IS, ("null",), True, False),
        (Operator.IS, ("true",), False, False),
        (Operator.IS, ("true",), True, True),
        (Operator.ISDISTINCT, ("1",), False, True),
        (Operator.ISDISTINCT, ("1",), True, False),
    ],
)
def test_null_passes_only_where_null_is_meant(
    operator: Operator, canonical: tuple[str, ...], negate: bool, passes: bool
) -> None:
    checked = CheckedClause(Clause("c", operator, "x", negate), 23, "int4", canonical)
    assert decide(checked, None) is Verdict(passes)


def test_a_null_in_a_list_makes_what_is_not_in_it_unknown() -> None:
    listed = CheckedClause(Clause("c", Operator.IN, "{1,NULL}", negate=False), 23, "int4", ("1", None))
    unlisted = CheckedClause(Clause("c", Operator.IN, "{1,NULL}", negate=True), 23, "int4", ("1", None))
    assert decide(listed, "1") is Verdict.PASS
    assert decide(listed, "2") is Verdict.FAIL
    assert decide(unlisted, "2") is Verdict.FAIL


def test_regular_expressions_are_for_postgres() -> None:
    checked = CheckedClause(Clause("c", Operator.MATCH, "^a", negate=False), 25, "text", ("^a",))
    assert decide(checked, "a") is Verdict.UNDECIDED
