"""Routing as HTML: figures, decisions, sums, budgets, prices, and what other models would cost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from db.routing.models import ModelPrice, RoutingMetric
from ui.base import times
from ui.base.feedback import saving_html
from ui.base.html import EMPTY, Markup, Template, Value, join
from ui.base.html_table import row_html, table_html
from ui.base.people import FindUser, avatar_html, linked_name_html
from ui.base.region import Region
from ui.base.text import plural
from ui.routing.alerts import Alert, BudgetStatus, scope
from ui.routing.sums import (
    Alternative,
    Outlook,
    Sums,
    dollars,
    milliseconds,
)

_TONES: Final[Mapping[Alert, str]] = {Alert.NONE: "good", Alert.SOFT: "warn", Alert.HARD: "bad"}
_ALERTS: Final[Mapping[Alert, str]] = {
    Alert.NONE: "within limits",
    Alert.SOFT: "soft limit reached",
    Alert.HARD: "hard limit reached",
}

_FIGURES: Final = Template('<div class="tv-figures">{figures}</div>')
_FIGURE: Final = Template("<div><small>{title}</small><b>{value}</b><span>{more}</span></div>")
_DECISIONS: Final = Template(
    '<table class="tv-log tv-routed" aria-label="Newest decisions"><thead><tr>{head}</tr></thead>'
    "<tbody>{rows}</tbody></table>"
)
_HEAD: Final = Template("<th>{text}</th>")
_DECISION: Final = Template('<tr data-row="{id}">{cells}</tr>')
_CELL: Final = Template('<td data-label="{label}">{content}</td>')
_TIME: Final = Template('<time title="{full}, request {request}">{short}</time>')
_MODEL: Final = Template("<bdi>{provider}</bdi> / <b><bdi>{model}</bdi></b>")
_ROUTE: Final = Template("<bdi>{route}</bdi>{auto}")
_AUTO: Final = Template(" <small>auto</small>")
_CHIP: Final = Template('<span class="tv-state {tone}"><bdi>{text}</bdi></span>')
_NAME: Final = Template("<bdi>{text}</bdi>")
_PRICED: Final = Template("<bdi>{provider}</bdi> / <bdi>{model}</bdi>{saving}")
_BUDGET: Final = Template(
    '<div class="tv-budget"><h2><bdi>{scope}</bdi>{chip}{saving}</h2>'
    '<div class="tv-bar {tone}" role="progressbar" aria-label="Spent" aria-valuemin="0"'
    ' aria-valuemax="100" aria-valuenow="{percent}"><i style="width: {percent}%"></i></div>'
    "<small>{spent} spent · soft {soft} · hard {hard}</small></div>"
)
_DIFFERENCE: Final = Template('<span class="{css}">{text}</span>')


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks at the decisions: their region and date, and for admins how they find people by id."""

    region: Region
    today: date
    find: FindUser | None


# ---------------------------------------------------------------- figures


def figures_html(outlook: Outlook) -> Markup:
    """Show costs, latency and errors as a row of figures."""
    today, month = outlook.today, outlook.month
    figures = (
        ("Today", dollars(today.cost), plural(today.requests, "request")),
        ("This month", dollars(month.cost), plural(month.requests, "request")),
        ("Forecast", dollars(outlook.forecast), f"last month {dollars(outlook.last_month)}"),
        ("Latency today", milliseconds(today.latency(50)), f"p95 {milliseconds(today.latency(95))}"),
        ("Errors today", f"{today.error_rate:.1f} %", f"{today.errors:,} of {today.requests:,}"),
        ("Fallbacks today", f"{today.fallback_rate:.1f} %", f"{today.fallbacks:,} of {today.requests:,}"),
    )
    return _FIGURES(
        figures=join(_FIGURE(title=title, value=value, more=more) for title, value, more in figures)
    )


# ---------------------------------------------------------------- decisions


def decisions_html(metrics: Iterable[RoutingMetric], viewer: Viewer) -> Markup:
    """Show decisions as one table."""
    who = ("Who",) if viewer.find else ()
    names = ("When", *who, "Model", "Route", "Tokens", "Cost", "Latency", "Result")
    rows = join(_decision(metric, viewer) for metric in metrics)
    return _DECISIONS(head=join(_HEAD(text=name) for name in names), rows=rows)


def _decision(metric: RoutingMetric, viewer: Viewer) -> Markup:
    cells: dict[str, Value] = {"When": _time(metric, viewer)}
    if viewer.find:
        person = viewer.find(metric.user_id)
        cells["Who"] = join((avatar_html(person, "small"), " ", linked_name_html(person)))
    cells |= {
        "Model": _MODEL(provider=metric.provider, model=metric.model),
        "Route": _ROUTE(route=metric.route, auto=_AUTO() if metric.auto_route else EMPTY),
        "Tokens": f"{metric.input_tokens:,} → {metric.output_tokens:,}",
        "Cost": dollars(metric.cost),
        "Latency": milliseconds(metric.latency_ms),
        "Result": _result(metric),
    }
    columns = join(_CELL(label=label, content=cell) for label, cell in cells.items())
    return _DECISION(id=metric.id, cells=columns)


def _time(metric: RoutingMetric, viewer: Viewer) -> Markup:
    return _TIME(
        full=times.full(metric.timestamp, viewer.region),
        request=metric.request_id,
        short=times.to_the_second(metric.timestamp, viewer.region, viewer.today),
    )


def _result(metric: RoutingMetric) -> Markup:
    chips = [_chip("ok", "good") if metric.success else _chip(metric.error_kind or "error", "bad")]
    if metric.metadata.get("simulated") is True:
        chips.append(_chip("simulated", "warn"))
    if metric.fallback:
        replaced = f"instead of {metric.fallback_from}" if metric.fallback_from else "fallback"
        chips.append(_chip(replaced, "warn"))
    if metric.dropped:
        chips.append(_chip(f"{metric.dropped:,} before it not recorded", "warn"))
    return join(chips)


def _chip(text: str, tone: str) -> Markup:
    return _CHIP(tone=tone, text=text)


# ---------------------------------------------------------------- sums


def sums_html(title: str, groups: Iterable[tuple[str, Sums]]) -> Markup:
    """Show the sums of each group, in the order given; `title` heads the names of the groups."""
    head = (title, "Requests", "Cost", "Tokens", "p50", "p95", "Errors", "Fallbacks")
    return table_html("Totals", head, (_sums_row(name, sums) for name, sums in groups))


def _sums_row(name: str, sums: Sums) -> Markup:
    return row_html(
        _NAME(text=name),
        f"{sums.requests:,}",
        dollars(sums.cost),
        f"{sums.tokens:,}",
        milliseconds(sums.latency(50)),
        milliseconds(sums.latency(95)),
        f"{sums.error_rate:.1f} %",
        f"{sums.fallback_rate:.1f} %",
    )


# ---------------------------------------------------------------- budgets and prices


def budget_html(status: BudgetStatus, *, pending: bool = False) -> Markup:
    """Show a budget and how much of it is spent; a `pending` one is not confirmed yet."""
    tone = _TONES[status.alert]
    return _BUDGET(
        scope=scope(status.budget),
        chip=_chip(_ALERTS[status.alert], tone),
        saving=saving_html(pending),
        tone=tone,
        percent=min(100, status.percent),
        spent=dollars(status.spent),
        soft=dollars(status.budget.soft_limit),
        hard=dollars(status.budget.hard_limit),
    )


def prices_html(prices: Iterable[ModelPrice], pending: frozenset[str] = frozenset()) -> Markup:
    """Show the prices of models; those whose ids are in `pending` are not confirmed yet."""
    rows = (
        row_html(
            _PRICED(provider=one.provider, model=one.model, saving=saving_html(one.id in pending)),
            dollars(one.input_price),
            dollars(one.output_price),
        )
        for one in prices
    )
    return table_html("Prices", ("Model", "Input per million", "Output per million"), rows)


def what_if_html(alternatives: Iterable[Alternative]) -> Markup:
    """Show what the same traffic would have cost with other models, in the order given."""
    head = ("Model", "Input per million", "Output per million", "Would cost", "Difference")
    return table_html("What if", head, map(_alternative, alternatives))


def _alternative(one: Alternative) -> Markup:
    sign = "+" if one.difference > 0 else ""
    percent = "" if one.percent is None else f" ({one.percent:+.0f} %)"
    css = "tv-more" if one.difference > 0 else "tv-less"
    return row_html(
        _PRICED(provider=one.price.provider, model=one.price.model, saving=EMPTY),
        dollars(one.price.input_price),
        dollars(one.price.output_price),
        dollars(one.cost),
        _DIFFERENCE(css=css, text=f"{sign}{dollars(one.difference)}{percent}"),
    )
