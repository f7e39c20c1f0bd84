"""The handlers: pure, and the same rows whatever the order and however often the changes come."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from live.changes import Change, Key, Op
from live.rows import Rows
from live.snapshot import Snapshot
from live.tables import AnySpec, Audience
from realtime_handlers import ALL_SPECS
from tests.realtime_handlers import rating_rows

BEGIN = datetime(2026, 3, 1, 12, tzinfo=UTC)
NAMES = ("00000000-0000-4000-8000-00000000000a", "00000000-0000-4000-8000-00000000000b")

Row = Mapping[str, object]

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""The machine may be busy with other things."""


def _times(version: int, born: datetime, now: datetime) -> Row:
    return {"version": version, "created_at": born.isoformat(), "updated_at": now.isoformat()}


def _user(key: Key, text: str) -> Row:
    return {"id": key[0], "display_name": text, "bio": "", "avatar": None, "role": "member"}


def _event(key: Key, text: str) -> Row:
    begins, ends = BEGIN.isoformat(), (BEGIN + timedelta(hours=2)).isoformat()
    row = {"title": text, "description": "", "starts_at": begins, "ends_at": ends, "time_zone": "UTC"}
    return {
        **row,
        "id": key[0],
        "location": "",
        "capacity": None,
        "organizer_id": NAMES[0],
        "cancelled_at": None,
    }


def _cohost(key: Key, text: str) -> Row:
    return {"event_id": key[0], "user_id": key[1]}


def _rsvp(key: Key, text: str) -> Row:
    status = ("going", "maybe", "declined")[len(text) % 3]
    return {"event_id": key[0], "user_id": key[1], "status": status}


def _message(key: Key, text: str) -> Row:
    hidden = {"edited_at": None, "hidden_at": None, "hidden_by": None}
    return {"id": key[0], "author_id": NAMES[0], "body": text, **hidden}


def _private(key: Key, text: str) -> Row:
    parties = {"sender_id": NAMES[0], "recipient_id": NAMES[1]}
    return {"id": key[0], **parties, "body": text, "read_at": None}


def _entry(key: Key, text: str) -> Row:
    rest = {"row_key": {"id": "1"}, "op": "INSERT", "actor": None, "old": None, "new": None}
    return {"id": int(key[0][-1], 16), "table_name": "users", **rest, "changed_at": BEGIN.isoformat()}


def _run(key: Key, text: str) -> Row:
    now = BEGIN.isoformat()
    moments = {"started_at": now, "status_at": now, "heartbeat_at": now, "completed_at": None}
    counts = {"progress_percent": 12.5, "verification_attempts": 0, "tokens": 10, "cost_usd": 0.25}
    texts = {"task_id": None, "agent_name": text, "agent_id": text, "current_step": text, "error": None}
    rest: Row = {"result": None, "metadata": {}, "verification_evidence": [], "retry_of": None}
    status = ("pending", "in_progress", "completed")[len(text) % 3]
    return {"id": key[0], "user_id": NAMES[0], "status": status, **texts, **counts, **moments, **rest}


def _run_event(key: Key, text: str) -> Row:
    kinds = {"kind": "log", "level": "info", "message": text, "data": None}
    return {"id": key[0], "run_id": NAMES[0], "user_id": NAMES[0], "seq": 1, **kinds, "at": BEGIN.isoformat()}


def _metric(key: Key, text: str) -> Row:
    names = {"request_id": text, "provider": text, "model": text, "route": text}
    prompt = {"prompt_fingerprint": None, "prompt_length": 3, "prompt": None}
    numbers = {"input_tokens": 1, "output_tokens": 2, "cost": 0.25, "latency_ms": None, "dropped": 0}
    flags = {"auto_route": True, "success": True, "fallback": False}
    rest: Row = {"error_kind": None, "fallback_from": None, "metadata": {}}
    moment = {"timestamp": BEGIN.isoformat()}
    return {"id": key[0], "user_id": NAMES[0], **moment, **names, **prompt, **numbers, **flags, **rest}


def _sums(key: Key, text: str) -> Row:
    counts = ("requests", "errors", "fallbacks", "auto_routed", "dropped", "input_tokens", "output_tokens")
    names = {"provider": text, "model": text, "route": text}
    rest: Row = {"day": BEGIN.date().isoformat(), "cost": 0.25, "latencies": {"48": 2}}
    return {"id": key[0], "user_id": NAMES[0], **names, **dict.fromkeys(counts, 1), **rest}


def _budget(key: Key, text: str) -> Row:
    limits = {"soft_limit": 1.5, "hard_limit": 2}
    return {"id": key[0], "user_id": NAMES[0], "period": "day", "provider": text, **limits}


def _price(key: Key, text: str) -> Row:
    return {"id": key[0], "provider": text, "model": text, "input_price": 0.5, "output_price": 2}


def _ended(key: Key, text: str) -> Row:
    return {"session_id": key[0], "user_id": NAMES[0]}


MAKERS: dict[str, Callable[[Key, str], Row]] = {
    "users": _user,
    "events": _event,
    "event_cohosts": _cohost,
    "rsvps": _rsvp,
    "tavern_messages": _message,
    "private_messages": _private,
    "change_log": _entry,
    "ended_sessions": _ended,
    "agent_runs": _run,
    "agent_run_events": _run_event,
    "routing_metrics": _metric,
    "routing_daily": _sums,
    "routing_budgets": _budget,
    "model_prices": _price,
    **rating_rows.MAKERS,
}


SPECS = [spec for spec in ALL_SPECS if spec.name in MAKERS]


def _history(draw: st.DrawFn, spec: AnySpec) -> tuple[list[Change[Any]], dict[Key, Any]]:
    """Draw what may happen to the table, as the wire tells it, and what it holds in the end."""
    changes: list[Change[Any]] = []
    there: dict[Key, tuple[int, datetime, Any]] = {}
    used: set[Key] = set()
    now = BEGIN
    for position in range(1, draw(st.integers(1, 16))):
        now += timedelta(milliseconds=draw(st.integers(2, 40)))
        key = tuple(draw(st.sampled_from(NAMES)) for _ in spec.key)
        text = draw(st.text("abc", min_size=1, max_size=4))
        version, born, _ = there.get(key, (0, now, None))
        if key in there and (spec.name == "change_log" or draw(st.integers(0, 2)) == 0):
            del there[key]
            wire_key = spec.key_of(MAKERS[spec.name](key, text))
            changes.append(spec.deleted(wire_key, committed_at=now, position=position))
            continue
        if key in used and key not in there and spec.reborn is None:
            continue
        used.add(key)
        record = {**MAKERS[spec.name](key, text), **_times(version + 1, born, now)}
        op = Op.UPDATE if version else Op.INSERT
        change = spec.written(record, op=op, committed_at=now, position=position)
        changes.append(change)
        there[key] = (version + 1, born, change)
    return changes, {change.key: change.row for _, _, change in there.values()}


def _applied(spec: AnySpec, changes: list[Change[Any]]) -> Rows[Any]:
    rows: Rows[Any] = Rows()
    for change in changes:
        rows = spec.handler(rows, change)
    return rows


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
@UNHURRIED
@given(data=st.data())
def test_any_order_and_any_duplication_give_the_same_rows(spec: AnySpec, data: st.DataObject) -> None:
    changes, there = data.draw(st.composite(lambda draw: _history(draw, spec))())
    again = data.draw(st.lists(st.sampled_from(changes), max_size=6)) if changes else []
    shuffled = data.draw(st.permutations(changes + again))
    assert dict(_applied(spec, changes)) == there
    assert dict(_applied(spec, shuffled)) == there


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_a_handler_leaves_what_it_is_given_alone(spec: AnySpec) -> None:
    key = tuple(NAMES[0] for _ in spec.key)
    record = {**MAKERS[spec.name](key, "a"), **_times(1, BEGIN, BEGIN)}
    empty: Rows[Any] = Rows()
    one = spec.handler(empty, spec.written(record, position=1))
    spec.handler(one, spec.deleted(spec.key_of(record), position=2))
    assert len(empty) == 0
    assert len(one) == 1


def test_only_what_is_private_is_read_by_user() -> None:
    private = {spec.name for spec in SPECS if spec.audience is Audience.USER}
    agents = {"agent_runs", "agent_run_events"}
    routing = {"routing_metrics", "routing_daily", "routing_budgets", "model_prices"}
    rating = rating_rows.MAKERS.keys() - {"rating_roles"}
    assert private == {"private_messages", "change_log", "ended_sessions"} | agents | routing | rating


def test_handlers_have_the_names_of_their_tables() -> None:
    assert [spec.handler.__name__ for spec in ALL_SPECS] == [
        f"handle_{spec.name}_change" for spec in ALL_SPECS
    ]


def test_private_messages_are_followed_by_the_users_own_id_alone() -> None:
    (spec,) = (spec for spec in ALL_SPECS if spec.name == "private_messages")
    assert spec.filters is not None
    assert spec.filters("me", {}) == ("sender_id=eq.me", "recipient_id=eq.me")


@pytest.mark.parametrize(("role", "followed"), [("member", ("user_id=eq.me",)), ("admin", ())])
def test_members_follow_their_own_runs_and_admins_everybodys(role: str, followed: tuple[str, ...]) -> None:
    (spec,) = (spec for spec in ALL_SPECS if spec.name == "agent_runs")
    assert spec.filters is not None
    (users,) = (spec for spec in ALL_SPECS if spec.name == "users")
    record = {**_user(("me",), "Me"), **_times(1, BEGIN, BEGIN), "role": role}
    public = {"users": Snapshot(Rows[Any]().apply(users.written(record)), 1)}
    assert spec.filters("me", public) == followed


@pytest.mark.parametrize(
    ("role", "read", "followed"),
    [
        ("none", set[str](), ("user_id=eq.me",)),
        ("rater", {"rating_tasks", "judgments", "tenants"}, ("user_id=eq.me",)),
        ("manager", {"rating_tasks", "judgments", "tenants", "tenant_invites"}, ()),
    ],
)
def test_rating_tables_are_read_by_those_who_rate(
    role: str, read: set[str], followed: tuple[str, ...]
) -> None:
    specs = {spec.name: spec for spec in ALL_SPECS}
    record = {"user_id": "me", "role": role, **_times(1, BEGIN, BEGIN)}
    roles = specs["rating_roles"]
    public = {"rating_roles": Snapshot(Rows[Any]().apply(roles.written(record)), 1)}
    asked = ("rating_tasks", "judgments", "tenants", "tenant_invites")
    seen = {name for name in asked if (visible := specs[name].visible_to) and visible("me", public)}
    assert seen == read
    assert specs["judgments"].filters is not None
    assert specs["judgments"].filters("me", public) == followed
