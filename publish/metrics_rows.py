"""A routing decision, and the row it becomes: whatever a program says of it, in a form the database takes."""

from __future__ import annotations

import hashlib
import hmac
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from db.routing_models import LONGEST_MODEL, LONGEST_PROVIDER
from publish.plain import cost_of, count_of, metadata_of, text_of

MetricRow = Mapping[str, object]
"""Columns of `routing_metrics`, as JSON has them."""

LONGEST_REQUEST_ID: Final = 200
LONGEST_ROUTE: Final = 80
LONGEST_KIND: Final = 80
LONGEST_PROMPT: Final = 20_000
_UNKNOWN: Final = "unknown"
_MOST_TOKENS: Final = 2**31 - 1
_LONGEST_LATENCY: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class RoutingDecision:
    """Which model a request was routed to, and how that went.

    - `cost` is in dollars; give text or a Decimal where fractions of a cent have to be exact.
    - `latency_ms` is None where nobody measured it; `at` is when it was decided, None for now.
    - `error_kind` names why the request failed ("timeout", "rate_limit"), None when it did not.
    - `fallback_from` is the model that was tried first, where this one stepped in.
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
        """Whether the request came to a good end."""
        return self.error_kind is None


def row_of(
    decision: RoutingDecision,
    *,
    user_id: str,
    prompt: str | None,
    auto_route: bool,
    request_id: object | None,
    keep_prompt: bool,
) -> dict[str, object]:
    """Return the row of a decision. What cannot be read of it is left out and named in the metadata."""
    input_tokens = count_of(decision.input_tokens, _MOST_TOKENS)
    output_tokens = count_of(decision.output_tokens, _MOST_TOKENS)
    cost, latency = cost_of(decision.cost), count_of(decision.latency_ms, _LONGEST_LATENCY)
    needed = {"input_tokens": input_tokens, "output_tokens": output_tokens, "cost": cost}
    if decision.latency_ms is not None:
        needed["latency_ms"] = latency
    metadata = metadata_of(decision.metadata)
    if unreadable := [name for name, number in needed.items() if number is None]:
        metadata["unreadable"] = unreadable
    fallback_from = _optional_text(decision.fallback_from, LONGEST_MODEL)
    error_kind = None if decision.error_kind is None else _text(decision.error_kind, LONGEST_KIND)
    said = None if prompt is None else text_of(prompt)
    return {
        "user_id": str(user_id),
        "request_id": _request_id(request_id),
        "timestamp": _moment(decision.at).isoformat(),
        "provider": _text(decision.provider, LONGEST_PROVIDER),
        "model": _text(decision.model, LONGEST_MODEL),
        "route": _text(decision.route, LONGEST_ROUTE),
        "auto_route": bool(auto_route),
        "prompt_fingerprint": None if said is None else fingerprint(said, str(user_id)),
        "prompt_length": None if said is None else len(said),
        "prompt": said[:LONGEST_PROMPT] if said is not None and keep_prompt else None,
        "input_tokens": input_tokens or 0,
        "output_tokens": output_tokens or 0,
        "cost": format(cost or Decimal(0), "f"),
        "latency_ms": latency,
        "success": error_kind is None,
        "error_kind": error_kind,
        "fallback": bool(decision.fallback) or fallback_from is not None,
        "fallback_from": fallback_from,
        "dropped": 0,
        "metadata": metadata,
    }


def fingerprint(prompt: str, user_id: str) -> str:
    """Return what tells a repeated prompt: keyed with its person, so that those of two people never match."""
    return hmac.new(user_id.encode(), prompt.encode(), hashlib.sha256).hexdigest()


def _text(value: object, longest: int) -> str:
    return _optional_text(value, longest) or _UNKNOWN


def _optional_text(value: object, longest: int) -> str | None:
    return None if value is None else " ".join(text_of(value).split())[:longest].strip() or None


def _request_id(value: object | None) -> str:
    text = "" if value is None else text_of(value).strip()
    if len(text) > LONGEST_REQUEST_ID:
        return hashlib.sha256(text.encode()).hexdigest()  # cut off, two could become one
    return text or str(uuid.uuid4())


def _moment(at: datetime | None) -> datetime:
    if at is None:
        return datetime.now(UTC)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
