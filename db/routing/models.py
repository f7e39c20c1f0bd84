"""Rows of routed requests, daily sums, budgets and prices. Imports no client: publishers use it too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final

from db.columns import AwareDatetime, Model

BUCKET: Final = 1.1
"""Base of the latency histogram: bucket n counts latencies from BUCKET^n to BUCKET^(n+1) milliseconds.

`private.latency_bucket` in the schema uses the same base.
"""

LONGEST_PROVIDER: Final = 60
LONGEST_MODEL: Final = 120


@dataclass(frozen=True, slots=True)
class RoutingMetric(Model):
    """One routing decision. `cost` is in dollars; `latency_ms` is None when it was not measured."""

    id: str
    user_id: str
    request_id: str
    timestamp: AwareDatetime
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
    created_at: AwareDatetime
    updated_at: AwareDatetime


@dataclass(frozen=True, slots=True)
class RoutingDay(Model):
    """Totals of one UTC day for a person, provider, model and route. `cost` is in dollars.

    `latencies` is a histogram: {48: 3} means that 3 requests took from 1.1^48 to 1.1^49 milliseconds.
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
    created_at: AwareDatetime
    updated_at: AwareDatetime


class Period(StrEnum):
    """The span of a budget. Days and months are in UTC, like the providers' bills."""

    DAY = "day"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class RoutingBudget(Model):
    """A person's spending limits, in dollars. `provider` None means all providers together."""

    id: str
    user_id: str
    period: Period
    provider: str | None
    soft_limit: Decimal
    hard_limit: Decimal
    version: int
    created_at: AwareDatetime
    updated_at: AwareDatetime


@dataclass(frozen=True, slots=True)
class ModelPrice(Model):
    """The price of a model, in dollars per million tokens."""

    id: str
    provider: str
    model: str
    input_price: Decimal
    output_price: Decimal
    version: int
    created_at: AwareDatetime
    updated_at: AwareDatetime

    def cost(self, input_tokens: int, output_tokens: int) -> Decimal:
        """Return the cost of this many tokens, in dollars."""
        return (self.input_price * input_tokens + self.output_price * output_tokens) / 1_000_000
