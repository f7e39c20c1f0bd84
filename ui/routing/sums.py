"""Sums over the days of routed requests, the forecast, and what other models would have cost."""

from __future__ import annotations

import calendar
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Final, TypeVar

from db.routing.models import BUCKET, ModelPrice, RoutingDay
from livetables.tables.rows import Rows

K = TypeVar("K")

FORECAST_DAYS: Final = 7
"""How many of the last complete days the forecast averages."""


@dataclass(frozen=True, slots=True)
class Sums:
    """The sums of many requests. `cost` is in dollars; `latencies` is a histogram as in `RoutingDay`."""

    requests: int = 0
    errors: int = 0
    fallbacks: int = 0
    auto_routed: int = 0
    dropped: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: Decimal = Decimal(0)
    latencies: Mapping[int, int] = field(default_factory=dict)

    @property
    def tokens(self) -> int:
        """Input and output together."""
        return self.input_tokens + self.output_tokens

    @property
    def error_rate(self) -> float:
        """Failed requests, in percent."""
        return 100 * self.errors / self.requests if self.requests else 0.0

    @property
    def fallback_rate(self) -> float:
        """Requests that another model answered instead, in percent."""
        return 100 * self.fallbacks / self.requests if self.requests else 0.0

    def latency(self, percent: float) -> float | None:
        """Return a percentile of the latency in milliseconds, exact to 5 %; None without measurements."""
        counted = sum(self.latencies.values())
        if not counted:
            return None
        rank = percent / 100 * counted
        below = 0
        for bucket, count in sorted(self.latencies.items()):
            if below + count >= rank:
                return float(BUCKET ** (bucket + (rank - below) / count))
            below += count
        return float(BUCKET ** (max(self.latencies) + 1))


def summed(days: Iterable[RoutingDay]) -> Sums:
    """Add days up."""
    latencies: defaultdict[int, int] = defaultdict(int)
    rows = list(days)
    for row in rows:
        for bucket, count in row.latencies.items():
            latencies[bucket] += count
    return Sums(
        requests=sum(row.requests for row in rows),
        errors=sum(row.errors for row in rows),
        fallbacks=sum(row.fallbacks for row in rows),
        auto_routed=sum(row.auto_routed for row in rows),
        dropped=sum(row.dropped for row in rows),
        input_tokens=sum(row.input_tokens for row in rows),
        output_tokens=sum(row.output_tokens for row in rows),
        cost=sum((row.cost for row in rows), Decimal(0)),
        latencies=dict(latencies),
    )


def grouped(days: Iterable[RoutingDay], key: Callable[[RoutingDay], K]) -> dict[K, Sums]:
    """Add up the days of each group."""
    groups: defaultdict[K, list[RoutingDay]] = defaultdict(list)
    for row in days:
        groups[key(row)].append(row)
    return {name: summed(rows) for name, rows in groups.items()}


def between(days: Iterable[RoutingDay], first: date, last: date) -> list[RoutingDay]:
    """Return the days from the first to the last, both included."""
    return [row for row in days if first <= row.day <= last]


def first_of_month(today: date) -> date:
    """Return the first day of the month."""
    return today.replace(day=1)


@dataclass(frozen=True, slots=True)
class Outlook:
    """The sums of today and of this month, and the forecast of this month's cost, in dollars."""

    today: Sums
    month: Sums
    forecast: Decimal
    """The cost of the month so far, and the mean of the last complete days for each day left."""
    last_month: Decimal


def outlook(days: Iterable[RoutingDay], today: date) -> Outlook:
    """Return the outlook on a day."""
    rows = list(days)
    begin = first_of_month(today)
    month = summed(between(rows, begin, today))
    now = summed(between(rows, today, today))
    last = between(rows, first_of_month(begin - timedelta(days=1)), begin - timedelta(days=1))
    daily = _daily_cost(rows, today)
    left = calendar.monthrange(today.year, today.month)[1] - today.day
    rest_of_today = max(Decimal(0), daily - now.cost)
    return Outlook(now, month, month.cost + rest_of_today + daily * left, summed(last).cost)


def _daily_cost(days: Sequence[RoutingDay], today: date) -> Decimal:
    """Return the mean cost of the last complete days, from the first one on; without any, today's so far."""
    first = min((row.day for row in days), default=today)
    begin = max(first, today - timedelta(days=FORECAST_DAYS))
    complete = (today - begin).days
    if complete < 1:
        return summed(between(days, today, today)).cost
    return summed(between(days, begin, today - timedelta(days=1))).cost / complete


def oldest_day(rows: Rows[RoutingDay]) -> date | None:
    """Return the oldest day that is loaded."""
    return min((row.day for row in rows.values()), default=None)


@dataclass(frozen=True, slots=True)
class Alternative:
    """The same traffic at another model's prices, in dollars; `difference` is to its actual cost."""

    price: ModelPrice
    cost: Decimal
    difference: Decimal

    @property
    def percent(self) -> float | None:
        """The difference in percent of the actual cost; None when that is zero."""
        before = self.cost - self.difference
        return None if not before else float(100 * self.difference / before)


def alternatives(traffic: Sums, prices: Iterable[ModelPrice]) -> list[Alternative]:
    """Return the cost of the traffic with each model, the cheapest first."""
    found = [
        Alternative(price, cost, cost - traffic.cost)
        for price in prices
        for cost in [price.cost(traffic.input_tokens, traffic.output_tokens)]
    ]
    return sorted(found, key=lambda one: (one.cost, one.price.provider, one.price.model))


def dollars(amount: Decimal) -> str:
    """Write an amount: `$1,234.50`, `$0.0021`; less than a dollar with two significant digits or more."""
    size = abs(amount)
    sign = "-" if amount < 0 else ""
    if size >= 1 or not size:
        return f"{sign}${size:,.2f}"
    places = min(12, max(2, 1 - math.floor(math.log10(size))))
    return f"{sign}${size:.{places}f}"


def milliseconds(value: float | None) -> str:
    """Write a latency: `640 ms`, `2.4 s`, a dash for None."""
    if value is None:
        return "–"
    return f"{value:.0f} ms" if value < 1000 else f"{value / 1000:.1f} s"
