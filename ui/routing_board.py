"""Routed requests as HTML: the figures, the newest ones, sums, budgets, and what other models would cost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from db.models import User
from db.routing_models import ModelPrice, RoutingMetric
from live.rows import Rows
from live.snapshot import Snapshot
from ui import times
from ui.pending import saving_html
from ui.people import avatar_html, name_of
from ui.routing_alerts import Alert, Filling, scope
from ui.routing_sums import Alternative, Outlook, Sums, dollars, milliseconds
from ui.text import as_html, plural

SHOWN = 100
"""How many of the newest are shown."""

Find = Callable[[str], User | None]


@dataclass(frozen=True, slots=True)
class Reader:
    """Who looks at the list: their zone and day, and for admins how people are found by id."""

    zone: ZoneInfo
    today: date
    find: Find | None


def newest_first(metrics: Snapshot[RoutingMetric]) -> Sequence[RoutingMetric]:
    """Return the newest decisions that are loaded; sorted once for each snapshot."""
    return metrics.derived("newest first", _sorted)


def _sorted(rows: Rows[RoutingMetric]) -> list[RoutingMetric]:
    return sorted(rows.values(), key=lambda row: (row.timestamp, row.id), reverse=True)[:SHOWN]


# ---------------------------------------------------------------- figures


def figures_html(outlook: Outlook) -> str:
    """Show what it costs and how it goes."""
    today, month = outlook.today, outlook.month
    cards = (
        _figure("Today", dollars(today.cost), plural(today.requests, "request")),
        _figure("This month", dollars(month.cost), plural(month.requests, "request")),
        _figure("Forecast", dollars(outlook.forecast), f"last month {dollars(outlook.last_month)}"),
        _figure("Latency today", milliseconds(today.latency(50)), f"p95 {milliseconds(today.latency(95))}"),
        _figure("Errors today", f"{today.error_rate:.1f} %", f"{today.errors:,} of {today.requests:,}"),
        _figure(
            "Fallbacks today", f"{today.fallback_rate:.1f} %", f"{today.fallbacks:,} of {today.requests:,}"
        ),
    )
    return f'<div class="tv-figures">{"".join(cards)}</div>'


def _figure(title: str, value: str, more: str) -> str:
    return f"<div><small>{title}</small><b>{value}</b><span>{more}</span></div>"


# ---------------------------------------------------------------- the newest


def list_html(metrics: Iterable[RoutingMetric], reader: Reader) -> str:
    """Show decisions as one table."""
    who = "<th>Who</th>" if reader.find else ""
    rest = "".join(f"<th>{each}</th>" for each in ("Model", "Route", "Tokens", "Cost", "Latency", "Result"))
    head = f"<tr><th>When</th>{who}{rest}</tr>"
    rows = "".join(_row_html(metric, reader) for metric in metrics)
    return (
        f'<table class="tv-log tv-routed" aria-label="Newest decisions"><thead>{head}</thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def _row_html(metric: RoutingMetric, reader: Reader) -> str:
    moment = metric.timestamp.astimezone(reader.zone)
    today = moment.date() == reader.today
    when = f"{moment:%H:%M:%S}" if today else times.short_day(metric.timestamp, reader.zone, reader.today)
    told = as_html(f"{times.full(metric.timestamp, reader.zone)}, request {metric.request_id}")
    cells = {"When": f'<time title="{told}">{when}</time>'}
    if reader.find:
        person = reader.find(metric.user_id)
        cells["Who"] = f"{avatar_html(person, 'small')} <bdi>{as_html(name_of(person))}</bdi>"
    cells |= {
        "Model": f"<bdi>{as_html(metric.provider)}</bdi> / <b><bdi>{as_html(metric.model)}</bdi></b>",
        "Route": f"<bdi>{as_html(metric.route)}</bdi>{' <small>auto</small>' if metric.auto_route else ''}",
        "Tokens": f"{metric.input_tokens:,} → {metric.output_tokens:,}",
        "Cost": dollars(metric.cost),
        "Latency": milliseconds(metric.latency_ms),
        "Result": _result_html(metric),
    }
    columns = "".join(f'<td data-label="{label}">{cell}</td>' for label, cell in cells.items())
    return f'<tr data-row="{as_html(metric.id)}">{columns}</tr>'


def _result_html(metric: RoutingMetric) -> str:
    chips = [_chip("ok", "good") if metric.success else _chip(metric.error_kind or "error", "bad")]
    if metric.fallback:
        chips.append(
            _chip(f"instead of {metric.fallback_from}" if metric.fallback_from else "fallback", "warn")
        )
    if metric.dropped:
        chips.append(_chip(f"{metric.dropped:,} before it not recorded", "warn"))
    return "".join(chips)


def _chip(text: str, tone: str) -> str:
    return f'<span class="tv-state {tone}"><bdi>{as_html(text)}</bdi></span>'


# ---------------------------------------------------------------- sums


def sums_html(title: str, groups: Iterable[tuple[str, Sums]]) -> str:
    """Show the sums of each group, in the order given. Names of groups are text, not HTML."""
    heads = (title, "Requests", "Cost", "Tokens", "p50", "p95", "Errors", "Fallbacks")
    head = "".join(f"<th>{as_html(each)}</th>" for each in heads)
    rows = "".join(_sums_row(name, sums) for name, sums in groups)
    return (
        f'<div class="tv-scroll"><table class="tv-totals" aria-label="Totals"><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _sums_row(name: str, sums: Sums) -> str:
    return (
        f"<tr><td><bdi>{as_html(name)}</bdi></td><td>{sums.requests:,}</td><td>{dollars(sums.cost)}</td>"
        f"<td>{sums.tokens:,}</td><td>{milliseconds(sums.latency(50))}</td>"
        f"<td>{milliseconds(sums.latency(95))}</td><td>{sums.error_rate:.1f} %</td>"
        f"<td>{sums.fallback_rate:.1f} %</td></tr>"
    )


# ---------------------------------------------------------------- budgets and prices

_TONES = {Alert.NONE: "good", Alert.SOFT: "warn", Alert.HARD: "bad"}
_WORDS = {Alert.NONE: "within", Alert.SOFT: "soft limit reached", Alert.HARD: "hard limit reached"}


def budget_html(filling: Filling, *, pending: bool = False) -> str:
    """Show one budget and how full it is; one that is `pending` is not confirmed yet."""
    tone, percent = _TONES[filling.alert], min(100, filling.percent)
    limits = f"soft {dollars(filling.budget.soft_limit)} · hard {dollars(filling.budget.hard_limit)}"
    return (
        f'<div class="tv-budget"><h4><bdi>{as_html(scope(filling.budget))}</bdi>'
        f"{_chip(_WORDS[filling.alert], tone)}{saving_html(pending)}</h4>"
        f'<div class="tv-bar {tone}" role="progressbar" aria-label="Spent" aria-valuemin="0"'
        f' aria-valuemax="100" aria-valuenow="{percent}"><i style="width: {percent}%"></i></div>'
        f"<small>{dollars(filling.spent)} spent · {limits}</small></div>"
    )


def prices_html(prices: Iterable[ModelPrice], pending: frozenset[str] = frozenset()) -> str:
    """Show what models cost; those of `pending` are not confirmed yet."""
    rows = "".join(
        f"<tr><td><bdi>{as_html(one.provider)}</bdi> / <bdi>{as_html(one.model)}</bdi>"
        f"{saving_html(one.id in pending)}</td>"
        f"<td>{dollars(one.input_price)}</td><td>{dollars(one.output_price)}</td></tr>"
        for one in prices
    )
    head = "<tr><th>Model</th><th>Input per million</th><th>Output per million</th></tr>"
    return (
        f'<div class="tv-scroll"><table class="tv-totals" aria-label="Prices"><thead>{head}</thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def what_if_html(alternatives: Iterable[Alternative]) -> str:
    """Show what the same traffic would have cost, the cheapest first."""
    rows = "".join(
        f"<tr><td><bdi>{as_html(one.price.provider)}</bdi> / <bdi>{as_html(one.price.model)}</bdi></td>"
        f"<td>{dollars(one.price.input_price)}</td><td>{dollars(one.price.output_price)}</td>"
        f"<td>{dollars(one.cost)}</td>"
        f'<td class="{"tv-more" if one.difference > 0 else "tv-less"}">{_signed(one)}</td></tr>'
        for one in alternatives
    )
    heads = ("Model", "Input per million", "Output per million", "Would cost", "Difference")
    head = "".join(f"<th>{each}</th>" for each in heads)
    return (
        f'<div class="tv-scroll"><table class="tv-totals" aria-label="What if"><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _signed(one: Alternative) -> str:
    sign = "+" if one.difference > 0 else ""
    percent = "" if one.percent is None else f" ({one.percent:+.0f} %)"
    return f"{sign}{dollars(one.difference)}{percent}"
