"""Routing decisions become rows that the database takes, whatever a program puts into them."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import cast
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publish.metrics_rows import Request, RoutingDecision, fingerprint, row_of

ME = "00000000-0000-4000-8000-00000000000a"


def row(decision: RoutingDecision, prompt: str | None = "Hi", **more: object) -> dict[str, object]:
    request = Request(ME, "r-1", prompt, auto_route=True)
    return row_of(decision, replace(request, **more))  # type: ignore[arg-type]  # by name


def test_a_decision_becomes_a_complete_row() -> None:
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    built = row(
        RoutingDecision(
            "acme", "small-1", "code", 812, 96, "0.00110", 640.4, "timeout",
            fallback_from="large-1", metadata={"tier": 2}, at=at,
        )
    )  # fmt: skip
    assert built == {
        "user_id": ME,
        "request_id": "r-1",
        "timestamp": at.isoformat(),
        "provider": "acme",
        "model": "small-1",
        "route": "code",
        "auto_route": True,
        "prompt_fingerprint": fingerprint("Hi", ME),
        "prompt_length": 2,
        "prompt": None,
        "input_tokens": 812,
        "output_tokens": 96,
        "cost": "0.0011",
        "latency_ms": 640,
        "success": False,
        "error_kind": "timeout",
        "fallback": True,
        "fallback_from": "large-1",
        "dropped": 0,
        "metadata": {"tier": 2},
    }


def test_a_prompt_is_stored_only_when_asked_for() -> None:
    decision = RoutingDecision("acme", "small-1")
    assert "Top secret" not in json.dumps(row(decision, "Top secret"))
    assert row(decision, "Top secret", keep_prompt=True)["prompt"] == "Top secret"
    assert row(decision, None)["prompt_length"] is None


def test_fingerprints_match_only_for_the_same_prompt_of_the_same_person() -> None:
    assert fingerprint("Hi", "a") == fingerprint("Hi", "a") != fingerprint("Ho", "a")
    assert fingerprint("Hi", "a") != fingerprint("Hi", "b")


def test_unreadable_numbers_are_named_in_the_metadata() -> None:
    built = row(RoutingDecision("acme", "small-1", cost=float("nan")))
    assert (built["cost"], built["metadata"]) == ("0", {"unreadable": ["cost"]})
    odd = RoutingDecision("acme", "small-1", input_tokens=cast("int", "many"), latency_ms=float("inf"))
    built = row(odd)
    assert (built["input_tokens"], built["latency_ms"]) == (0, None)
    assert built["metadata"] == {"unreadable": ["input_tokens", "latency_ms"]}
    endless = row(RoutingDecision("acme", "small-1", input_tokens=cast("int", Decimal("1e999999999"))))
    assert (endless["input_tokens"], endless["metadata"]) == (0, {"unreadable": ["input_tokens"]})
    negative = row(RoutingDecision("acme", "small-1", input_tokens=-5, output_tokens=2**31, latency_ms=-1))
    assert (negative["input_tokens"], negative["output_tokens"], negative["latency_ms"]) == (0, 0, None)
    assert negative["metadata"] == {"unreadable": ["input_tokens", "output_tokens", "latency_ms"]}
    assert row(RoutingDecision("acme", "small-1", cost=1e-9))["cost"] == "0.000000001"
    assert row(RoutingDecision("acme", "small-1", metadata={"x": "y" * 20_000}))["metadata"] == {
        "too_large": 20_009
    }


@pytest.mark.parametrize(
    ("at", "stored", "unreadable"),
    [
        (datetime(2026, 11, 20, 12, tzinfo=UTC), "2026-11-20T12:00:00+00:00", []),
        (datetime(2026, 11, 20, 12, tzinfo=ZoneInfo("Asia/Tokyo")), "2026-11-20T03:00:00+00:00", []),
        # The second of the two times that the clocks show.
        (
            datetime(2027, 11, 7, 1, 30, tzinfo=ZoneInfo("America/New_York"), fold=1),
            "2027-11-07T06:30:00+00:00",
            [],
        ),
        (datetime(2026, 11, 20, 12), "2026-11-20T12:00:00+00:00", ["timestamp"]),
        (datetime(1970, 1, 1, tzinfo=UTC), None, ["timestamp"]),
        (datetime.min.replace(tzinfo=ZoneInfo("Asia/Tokyo")), None, ["timestamp"]),
        ("yesterday", None, ["timestamp"]),
        (1764590000, None, ["timestamp"]),
    ],
)
def test_a_time_without_a_zone_and_an_impossible_one_are_named(
    at: object, stored: str | None, unreadable: list[str]
) -> None:
    before = datetime.now(UTC)
    built = row(RoutingDecision("acme", "small-1", at=cast("datetime", at)))
    assert built["metadata"] == ({"unreadable": unreadable} if unreadable else {})
    if stored is None:
        assert before <= datetime.fromisoformat(str(built["timestamp"])) <= datetime.now(UTC)
    else:
        assert built["timestamp"] == stored


def test_long_request_ids_stay_different() -> None:
    one, other = (row(RoutingDecision("acme", "small-1"), id="x" * 300 + end)["request_id"] for end in "ab")
    assert one != other
    assert row(RoutingDecision("", " "), id=None)["provider"] == "unknown"


COUNTS = ("input_tokens", "output_tokens", "cost", "latency_ms")
FIELDS = ("provider", "model", "route", "error_kind", "fallback", "fallback_from", *COUNTS)
ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.binary(),
    st.decimals(),
    st.just(object),
)


@settings(max_examples=50, deadline=None)
@given(
    values=st.fixed_dictionaries(dict.fromkeys(FIELDS, ANYTHING)),
    metadata=st.dictionaries(st.text(), st.recursive(ANYTHING, st.lists, max_leaves=5)),
    prompt=st.one_of(st.none(), st.text()),
)
def test_any_values_make_a_row_within_the_limits(
    values: dict[str, object], metadata: dict[str, object], prompt: str | None
) -> None:
    decision = RoutingDecision(**values, metadata=metadata)  # type: ignore[arg-type]  # on purpose
    built = row(decision, prompt, keep_prompt=True)
    text = json.dumps(built, allow_nan=False)
    assert "\\u0000" not in text.replace("\\\\", "")
    text.encode()
    for name, longest in (("provider", 60), ("model", 120), ("route", 80)):
        assert 1 <= len(str(built[name])) <= longest
    assert Decimal(0) <= Decimal(str(built["cost"])) <= 1_000_000
    assert built["success"] is (built["error_kind"] is None)
    assert built["fallback"] or built["fallback_from"] is None
