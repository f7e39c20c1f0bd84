"""One row of each table, as Realtime and PostgREST send it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

Row = Mapping[str, object]
Key = tuple[str, ...]

BEGIN = datetime(2026, 3, 1, 12, tzinfo=UTC)
NAMES = ("00000000-0000-4000-8000-00000000000a", "00000000-0000-4000-8000-00000000000b")

_NOW = BEGIN.isoformat()
_ID = NAMES[0]
_TASK = {"tenant_id": "acme", "campaign_id": _ID, "task_id": _ID, "user_id": _ID, "rater_id": "r"}


def stamps(version: int, created: datetime, updated: datetime) -> Row:
    return {"version": version, "created_at": created.isoformat(), "updated_at": updated.isoformat()}


_UPDATED_BY: Row = {"updated_by": None}


def _user(key: Key, text: str) -> Row:
    return {
        "id": key[0],
        "display_name": text,
        "bio": "",
        "avatar": None,
        "picture": None,
        "role": "member",
        "updated_by": None,
    }


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
        "cancel_reason": "",
        "picture": None,
        "updated_by": None,
    }


def _cohost(key: Key, text: str) -> Row:
    return {"event_id": key[0], "user_id": key[1]}


def _rsvp(key: Key, text: str) -> Row:
    status = ("going", "maybe", "declined")[len(text) % 3]
    waitlist = {"guests": 0, "waitlisted_at": None, "confirm_by": None}
    return {"event_id": key[0], "user_id": key[1], "status": status, **waitlist}


def _message(key: Key, text: str) -> Row:
    hidden = {"edited_at": None, "hidden_at": None, "hidden_by": None}
    return {"id": key[0], "author_id": NAMES[0], "body": text, **hidden}


def _event_message(key: Key, text: str) -> Row:
    return {**_message(key, text), "event_id": NAMES[0]}


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


def _tenant(key: Key, text: str) -> Row:
    return {"id": key[0], "name": text, "open_signup": False}


def _invite(key: Key, text: str) -> Row:
    rest = {"brand_id": None, "uses_left": 1, "expires_at": _NOW, "created_by": None}
    return {"id": key[0], "tenant_id": "acme", "code": text, "role": "rater", **rest}


def _role(key: Key, text: str) -> Row:
    return {"user_id": key[0], "role": ("rater", "manager", "none")[len(text) % 3]}


def _profile(key: Key, text: str) -> Row:
    counts = ("total_judgments", "compared", "agreed", "gold_total", "gold_correct", "streak", "best_streak")
    said = {"tenant_id": "acme", "rater_id": text, "name": text, "role": "rater", "brand_id": None}
    return {
        "user_id": key[0],
        **said,
        "active": True,
        **dict.fromkeys(counts, 1),
        "last_judged_on": "2026-03-01",
    }


def _campaign(key: Key, text: str) -> Row:
    said = {"tenant_id": "acme", "name": text, "brand_id": None, "guidelines": text, "task_types": [text]}
    rules = {"judgments_per_task": 3, "lease_seconds": 600, "undo_seconds": 60, "gold_share": 0.1}
    return {"id": key[0], **said, **rules, "status": "active", "created_by": None}


def _task(key: Key, text: str) -> Row:
    said = {"tenant_id": "acme", "campaign_id": _ID, "brand_id": None, "task_type": text, "priority": 0}
    counts = {"judgments_wanted": 3, "judgments_count": 1, "leased_until": [_NOW], "completed_at": None}
    return {
        "id": key[0],
        **said,
        **counts,
        "status": "in_progress",
        "auto_check_status": "none",
        "auto_check": None,
    }


def _lease(key: Key, text: str) -> Row:
    return {"id": key[0], **_TASK, "state": "active", "claimed_at": _NOW, "expires_at": _NOW}


def _judgment(key: Key, text: str) -> Row:
    moments = {"judged_at": _NOW, "sealed_at": None, "undone_at": None}
    verdict = ("A", "B", "tie", "both_bad")[len(text) % 4]
    return {"id": key[0], **_TASK, "verdict": verdict, "comment": text, "seconds": 1.5, **moments}


def _tally(key: Key, text: str) -> Row:
    pair = {"first": text, "second": text + "b"}
    counts = {"first_wins": 1, "second_wins": 0, "ties": 0, "both_bad": 0}
    where = {"tenant_id": "acme", "campaign_id": _ID, "brand_id": None}
    return {"id": key[0], **where, **pair, **counts, "published": False}


MAKERS: dict[str, Callable[[Key, str], Row]] = {
    "users": _user,
    "events": _event,
    "event_cohosts": _cohost,
    "rsvps": _rsvp,
    "tavern_messages": _message,
    "event_messages": _event_message,
    "private_messages": _private,
    "change_log": _entry,
    "ended_sessions": _ended,
    "agent_runs": _run,
    "agent_run_events": _run_event,
    "routing_metrics": _metric,
    "routing_daily": _sums,
    "routing_budgets": _budget,
    "model_prices": _price,
    "tenants": _tenant,
    "tenant_invites": _invite,
    "rating_roles": _role,
    "rater_profiles": _profile,
    "campaigns": _campaign,
    "rating_tasks": _task,
    "task_leases": _lease,
    "judgments": _judgment,
    "candidate_tallies": _tally,
}
"""By table, the columns of a row for a key and a text; `stamps` has the others, but for `change_log`."""


def record_of(table: str) -> Row:
    """Return one complete row of a table."""
    columns = MAKERS[table](NAMES, "a")
    return columns if table == "change_log" else {**columns, **stamps(1, BEGIN, BEGIN)}
