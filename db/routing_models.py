"""What was routed, its sums, budgets and prices, as values. A leaf, as `db.models`: publishers use it too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final, Self

from db import columns
from db.columns import Record

BUCKET: Final = 1.1
"""Latencies are counted by the power of this that they reach (`private.latency_bucket` in the schema)."""

LONGEST_PROVIDER: Final = 60
LONGEST_MODEL: Final = 120


@dataclass(frozen=True, slots=True)
class RoutingMetric:
    """One routing decision. `cost` is in dollars; `latency_ms` is None where nobody measured it."""

    id: str
    user_id: str
    request_id: str
    timestamp: datetime
    provider: str
    model: str
    route: str
    auto_route: bool
    prompt_fingerprint: str | None
    prompt_length: int | None
    prompt: str | None
    input_tokens: int
    output_tokens: int
    cost: Decimal
    latency_ms: int | None
    success: bool
    error_kind: str | None
    fallback: bool
    fallback_from: str | None
    dropped: int
    metadata: Mapping[str, object]
    version: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    def from_record(cls, record: Record) -> Self:
        """Read one row of `public.routing_metrics`."""
        return cls(
            id=columns.text(record, "id"),
            user_id=columns.text(record, "user_id"),
            request_id=columns.text(record, "request_id"),
            timestamp=columns.moment(record, "timestamp"),
            provider=columns.text(record, "provider"),
            model=columns.text(record, "model"),
            route=columns.text(record, "route"),
            auto_route=columns.boolean(record, "auto_route"),
            prompt_fingerprint=columns.optional_text(record, "prompt_fingerprint"),
            prompt_length=columns.optional_integer(record, "prompt_length"),
            prompt=columns.optional_text(record, "prompt"),
            input_tokens=columns.integer(record, "input_tokens"),
            output_tokens=columns.integer(record, "output_tokens"),
            cost=columns.decimal(record, "cost"),
            latency_ms=columns.optional_integer(record, "latency_ms"),
            success=columns.boolean(record, "success"),
            error_kind=columns.optional_text(record, "error_kind"),
            fallback=columns.boolean(record, "fallback"),
            fallback_from=columns.optional_text(record, "fallback_from"),
            dropped=columns.integer(record, "dropped"),
            metadata=columns.optional_object(record, "metadata") or {},
            version=columns.integer(record, "version"),
            created_at=columns.moment(record, "created_at"),
            updated_at=columns.moment(record, "updated_at"),
        )


@dataclass(frozen=True, slots=True)
class RoutingDay:
    """The sums of one day (UTC) for a person, provider, model and route.

    `latencies` counts requests by latency: {48: 3} says that 3 took from 1.1^48 to 1.1^49 ms.
    """

    id: str
    user_id: str
    day: date
    provider: str
    model: str
    route: str
    requests: int
    errors: int
    fallbacks: int
    auto_routed: int
    dropped: int
    input_tokens: int
    output_tokens: int
    cost: Decimal
    latencies: Mapping[int, int]
    version: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    def from_record(cls, record: Record) -> Self:
        """Read one row of `public.routing_daily`."""
        return cls(
            id=columns.text(record, "id"),
            user_id=columns.text(record, "user_id"),
            day=date.fromisoformat(columns.text(record, "day")),
            provider=columns.text(record, "provider"),
            model=columns.text(record, "model"),
            route=columns.text(record, "route"),
            requests=columns.integer(record, "requests"),
            errors=columns.integer(record, "errors"),
            fallbacks=columns.integer(record, "fallbacks"),
            auto_routed=columns.integer(record, "auto_routed"),
            dropped=columns.integer(record, "dropped"),
            input_tokens=columns.integer(record, "input_tokens"),
            output_tokens=columns.integer(record, "output_tokens"),
            cost=columns.decimal(record, "cost"),
            latencies=_counts(record, "latencies"),
            version=columns.integer(record, "version"),
            created_at=columns.moment(record, "created_at"),
            updated_at=columns.moment(record, "updated_at"),
        )


class Period(StrEnum):
    """What a budget is for; days and months are those of UTC, as in the providers' bills."""

    DAY = "day"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class RoutingBudget:
    """What a person wants to spend at most, in dollars. `provider` is None for all of them together."""

    id: str
    user_id: str
    period: Period
    provider: str | None
    soft_limit: Decimal
    hard_limit: Decimal
    version: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    def from_record(cls, record: Record) -> Self:
        """Read one row of `public.routing_budgets`."""
        return cls(
            id=columns.text(record, "id"),
            user_id=columns.text(record, "user_id"),
            period=Period(columns.text(record, "period")),
            provider=columns.optional_text(record, "provider"),
            soft_limit=columns.decimal(record, "soft_limit"),
            hard_limit=columns.decimal(record, "hard_limit"),
            version=columns.integer(record, "version"),
            created_at=columns.moment(record, "created_at"),
            updated_at=columns.moment(record, "updated_at"),
        )


@dataclass(frozen=True, slots=True)
class ModelPrice:
    """What a model costs, in dollars for a million tokens."""

    id: str
    provider: str
    model: str
    input_price: Decimal
    output_price: Decimal
    version: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    def from_record(cls, record: Record) -> Self:
        """Read one row of `public.model_prices`."""
        return cls(
            id=columns.text(record, "id"),
            provider=columns.text(record, "provider"),
            model=columns.text(record, "model"),
            input_price=columns.decimal(record, "input_price"),
            output_price=columns.decimal(record, "output_price"),
            version=columns.integer(record, "version"),
            created_at=columns.moment(record, "created_at"),
            updated_at=columns.moment(record, "updated_at"),
        )

    def cost(self, input_tokens: int, output_tokens: int) -> Decimal:
        """Return what this many tokens cost, in dollars."""
        return (self.input_price * input_tokens + self.output_price * output_tokens) / 1_000_000


def _counts(record: Record, column: str) -> Mapping[int, int]:
    counts = columns.optional_object(record, column) or {}
    return {int(bucket): columns.integer(counts, bucket) for bucket in counts}
