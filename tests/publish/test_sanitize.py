"""Values of any kind become JSON and text that Postgres can hold."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publish.sanitize import clean_text, cost_of, count_of, json_value, metadata_of, text_of

ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), st.decimals()),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.one_of(st.text(), st.integers()), inner)),
    max_leaves=20,
)


class Broken:
    """An object that cannot be shown as text."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


@given(ANYTHING)
def test_any_value_becomes_json_without_null_characters(value: object) -> None:
    text = json.dumps(json_value(value), allow_nan=False)
    text.encode()
    assert "\\u0000" not in text.replace("\\\\", "")


def test_text_loses_null_characters_and_lone_surrogates() -> None:
    assert clean_text("a\x00b\ud800") == "ab?"
    assert text_of(Broken()) == "<Broken>"
    assert text_of(10**5000) == "<int>"


def test_values_that_contain_themselves_or_are_too_deep_are_cut_off() -> None:
    loop: list[object] = []
    loop.append(loop)
    deep: list[object] = []
    for _ in range(100):
        deep = [deep]
    assert json_value(loop) == ["…"]
    assert str(json_value(deep)).count("[") == 50


def test_metadata_is_an_object_of_limited_size() -> None:
    assert metadata_of({"a": (1, float("nan"))}) == {"a": [1, None]}
    assert metadata_of([1]) == {}
    assert metadata_of({"x": "y" * 20_000}) == {"too_large": 20_009}


@pytest.mark.parametrize(
    ("value", "count"),
    [
        (12, 12),
        ("12.6", 13),
        (100, 100),
        (-1, None),
        (101, None),
        (10**400, None),
        ("many", None),
        (float("nan"), None),
    ],
)
def test_counts_are_within_their_limits_or_left_out(value: object, count: int | None) -> None:
    assert count_of(value, 100) == count


@pytest.mark.parametrize(
    ("value", "cost"),
    [
        ("0.00110", Decimal("0.0011")),
        (1e-9, Decimal("0.000000001")),
        (-1, None),
        (2_000_000, None),
        ("free", None),
    ],
)
def test_costs_are_exact_or_left_out(value: object, cost: Decimal | None) -> None:
    assert cost_of(value) == cost
