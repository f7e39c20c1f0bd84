"""Whatever a program says of a decision becomes a row that the database takes."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import cast

from hypothesis import given, settings
from hypothesis import strategies as st

from publish.metrics_rows import RoutingDecision, fingerprint, row_of

ME = "00000000-0000-4000-8000-00000000000a"


def row(decision: RoutingDecision, prompt: str | None = "Hi", **more: object) -> dict[str, object]:
    given = {"user_id": ME, "auto_route": True, "request_id": "r-1", "keep_prompt": False}
    return row_of(decision, prompt=prompt, **{**given, **more})  # type: ignore[arg-type]  # by name


def test_a_decision_is_told_in_full() -> None:
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    told = row(
        RoutingDecision(
            "acme", "small-1", "code", 812, 96, "0.00110", 640.4, "timeout",
            fallback_from="large-1", metadata={"tier": 2}, at=at,
        )
    )  # fmt: skip
    assert told == {
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


def test_a_prompt_is_kept_only_when_asked_for() -> None:
    decision = RoutingDecision("acme", "small-1")
    assert "Top secret" not in json.dumps(row(decision, "Top secret"))
    assert row(decision, "Top secret", keep_prompt=True)["prompt"] == "Top secret"
    assert row(decision, None)["prompt_length"] is None


def test_a_fingerprint_tells_repeated_prompts_of_one_person_alone() -> None:
    assert fingerprint("Hi", "a") == fingerprint("Hi", "a") != fingerprint("Ho", "a")
    assert fingerprint("Hi", "a") != fingerprint("Hi", "b")


def test_what_cannot_be_read_is_named() -> None:
    told = row(RoutingDecision("acme", "small-1", cost=float("nan")))
    assert (told["cost"], told["metadata"]) == ("0", {"unreadable": ["cost"]})
    odd = RoutingDecision("acme", "small-1", input_tokens=cast("int", "many"), latency_ms=float("inf"))
    told = row(odd)
    assert (told["input_tokens"], told["latency_ms"]) == (0, None)
    assert told["metadata"] == {"unreadable": ["input_tokens", "latency_ms"]}
    endless = row(RoutingDecision("acme", "small-1", input_tokens=cast("int", Decimal("1e999999999"))))
    assert (endless["input_tokens"], endless["metadata"]) == (2**31 - 1, {})
    assert row(RoutingDecision("acme", "small-1", cost=1e-9))["cost"] == "0.000000001"
    assert row(RoutingDecision("acme", "small-1", metadata={"x": "y" * 20_000}))["metadata"] == {
        "too_large": 20_009
    }


def test_long_ids_stay_different() -> None:
    one, other = (
        row(RoutingDecision("acme", "small-1"), request_id="x" * 300 + end)["request_id"] for end in "ab"
    )
    assert one != other
    assert row(RoutingDecision("", " "), request_id=None)["provider"] == "unknown"


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
def test_anything_makes_a_row_within_the_limits(
    values: dict[str, object], metadata: dict[str, object], prompt: str | None
) -> None:
    decision = RoutingDecision(**values, metadata=metadata)  # type: ignore[arg-type]  # on purpose
    told = row(decision, prompt, keep_prompt=True)
    text = json.dumps(told, allow_nan=False)
    assert "\\u0000" not in text.replace("\\\\", "")
    text.encode()
    for name, longest in (("provider", 60), ("model", 120), ("route", 80)):
        assert 1 <= len(str(told[name])) <= longest
    assert Decimal(0) <= Decimal(str(told["cost"])) <= 1_000_000
    assert told["success"] is (told["error_kind"] is None)
    assert told["fallback"] or told["fallback_from"] is None
