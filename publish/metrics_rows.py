"""Turns a routing decision with any values into a row that the database takes."""

from __future__ import annotations

import hashlib
import hmac
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from db.routing.models import LONGEST_MODEL, LONGEST_PROVIDER
from publish.sanitize import cost_of, count_of, metadata_of, text_of

LONGEST_REQUEST_ID: Final = 200
LONGEST_ROUTE: Final = 80
LONGEST_KIND: Final = 80
LONGEST_PROMPT: Final = 20_000
_UNKNOWN: Final = "unknown"
_MOST_TOKENS: Final = 2**31 - 1
_LONGEST_LATENCY: Final = 86_400_000
_EARLIEST: Final = datetime(2020, 1, 1, tzinfo=UTC)
"""The schema takes no earlier decision, and sets later ones than now to now."""


@dataclass(frozen=True, slots=True)
class RoutingDecision:
    """The model that a request was routed to, and how that went.

    - `cost` is in US dollars; pass text or a Decimal where fractions of a cent must be exact.
    - `latency_ms` is in milliseconds, None if it was not measured.
    - `error_kind` names why the request failed ("timeout", "rate_limit"); None means success.
    - `fallback_from` is the model that was tried first, if this one stepped in.
    - `at` is the time of the decision, with its zone; None means now. A time without a zone is taken as UTC
      and named in the row's metadata, because it may be hours away from what was meant.
    """

    provider: str
    model: str
    route: str = "default"
    input_tokens: int = 0
    output_tokens: int = 0
    cost: Decimal | float | str = Decimal(0)
    latency_ms: float | None = None
    error_kind: str | None = None
    fallback: bool = False
    fallback_from: str | None = None
    metadata: Mapping[str, object] = field(default_factory=dict)
    at: datetime | None = None

    @property
    def success(self) -> bool:
        """Whether the request succeeded."""
        return self.error_kind is None


@dataclass(frozen=True, slots=True)
class Request:
    """The request that a decision is about. Without `keep_prompt` the text of the prompt is not stored."""

    user_id: str
    id: object | None
    prompt: str | None
    auto_route: bool = False
    keep_prompt: bool = False


def row_of(decision: RoutingDecision, request: Request) -> dict[str, object]:
    """Return the row of a decision. Numbers and times that cannot be read are named in its metadata."""
    error_kind = None if decision.error_kind is None else _text(decision.error_kind, LONGEST_KIND)
    fallback_from = _optional_text(decision.fallback_from, LONGEST_MODEL)
    timestamp, time_is_clear = _moment(decision.at)
    return {
        "user_id": str(request.user_id),
        "request_id": _request_id(request.id),
        "timestamp": timestamp.isoformat(),
        "provider": _text(decision.provider, LONGEST_PROVIDER),
        "model": _text(decision.model, LONGEST_MODEL),
        "route": _text(decision.route, LONGEST_ROUTE),
        "auto_route": bool(request.auto_route),
        **_prompt_columns(request),
        **_number_columns(decision, [] if time_is_clear else ["timestamp"]),
        "success": error_kind is None,
        "error_kind": error_kind,
        "fallback": bool(decision.fallback) or fallback_from is not None,
        "fallback_from": fallback_from,
        "dropped": 0,
    }


def _prompt_columns(request: Request) -> dict[str, object]:
    if request.prompt is None:
        return {"prompt_fingerprint": None, "prompt_length": None, "prompt": None}
    prompt = text_of(request.prompt)
    return {
        "prompt_fingerprint": fingerprint(prompt, str(request.user_id)),
        "prompt_length": len(prompt),
        "prompt": prompt[:LONGEST_PROMPT] if request.keep_prompt else None,
    }


def _number_columns(decision: RoutingDecision, unreadable: list[str]) -> dict[str, object]:
    """Return the numbers, and the metadata, which names those that cannot be read, with others before."""
    input_tokens = count_of(decision.input_tokens, _MOST_TOKENS)
    output_tokens = count_of(decision.output_tokens, _MOST_TOKENS)
    cost, latency = cost_of(decision.cost), count_of(decision.latency_ms, _LONGEST_LATENCY)
    required = {"input_tokens": input_tokens, "output_tokens": output_tokens, "cost": cost}
    if decision.latency_ms is not None:
        required["latency_ms"] = latency
    metadata = metadata_of(decision.metadata)
    if unreadable := unreadable + [name for name, number in required.items() if number is None]:
        metadata["unreadable"] = unreadable
    return {
        "input_tokens": input_tokens or 0,
        "output_tokens": output_tokens or 0,
        "cost": format(cost or Decimal(0), "f"),
        "latency_ms": latency,
        "metadata": metadata,
    }


def fingerprint(prompt: str, user_id: str) -> str:
    """Return a keyed hash by which repeated prompts are recognized.

    The person is the key, so the fingerprints of two people never match.
    """
    return hmac.new(user_id.encode(), prompt.encode(), hashlib.sha256).hexdigest()


def _text(value: object, longest: int) -> str:
    return _optional_text(value, longest) or _UNKNOWN


def _optional_text(value: object, longest: int) -> str | None:
    return None if value is None else " ".join(text_of(value).split())[:longest].strip() or None


def _request_id(value: object | None) -> str:
    text = "" if value is None else text_of(value).strip()
    if len(text) > LONGEST_REQUEST_ID:
        return hashlib.sha256(text.encode()).hexdigest()  # cut off, two ids could become the same
    return text or str(uuid.uuid4())


def _moment(at: object) -> tuple[datetime, bool]:
    """Return a moment in UTC, and whether it is certain that it is the one meant."""
    if at is None:
        return datetime.now(UTC), True
    if not isinstance(at, datetime):
        return datetime.now(UTC), False
    aware = at.utcoffset() is not None
    try:
        moment = (at if aware else at.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:  # a zone at the first or last day of the calendar
        return datetime.now(UTC), False
    if moment < _EARLIEST:
        return datetime.now(UTC), False
    return moment, aware
