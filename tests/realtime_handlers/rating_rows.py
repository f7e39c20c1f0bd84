"""One row of each rating table, as the wire gives it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from live.changes import Key

Row = Mapping[str, object]

_NOW = "2026-03-01T12:00:00+00:00"
_ID = "00000000-0000-4000-8000-00000000000a"
_TASK = {"tenant_id": "acme", "campaign_id": _ID, "task_id": _ID, "user_id": _ID, "rater_id": "r"}


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
