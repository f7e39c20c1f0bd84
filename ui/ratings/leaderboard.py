"""The ranking of raters: how much each has judged, and how well they agree with others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

import pandas as pd
import streamlit as st

from db.ratings.models import RaterProfile, RatingRole
from livetables.fragments import live_fragment
from ui.base import html, layout, session
from ui.base.charts import BARS_PADDING, bars_height
from ui.base.folding import sort_key
from ui.base.html import Markup, Template
from ui.base.html_table import table_html
from ui.base.navigation import Place, page
from ui.ratings import tables
from ui.ratings.join import NO_LONGER, TENANT_MEANS
from ui.ratings.tables import Membership

RANKING_CSS: Final = "tv-totals tv-ranking"
"""The classes of a table whose second column has the names."""

_ROW: Final = Template(
    '<tr class="{css}"><td>{place}</td><td><bdi>{name}</bdi> <small>{rater_id}</small></td>'
    '<td>{judgments}</td><td>{agreement}</td><td>{gold}</td><td title="Best: {best}">{streak}</td></tr>'
)
_HEAD: Final = ("Place", "Rater", "Judgments", "Agreement", "Gold", "Streak")

_COLUMNS: Final = (
    "Agreement: how often the votes are those of others. Gold: how often they are right where the answer is "
    "known. Streak: days in a row with a judgment."
)
_MOST_BARS: Final = 20


@dataclass(frozen=True, slots=True)
class Standing:
    """A rater's place; raters with the same number of judgments share it."""

    place: int
    profile: RaterProfile


@live_fragment(
    tables=("rater_profiles", "rating_roles"), varies_by=("user", "role"), key="leaderboard_raters"
)
def show_raters() -> None:
    """Show the ranking of raters to a member of the tenant."""
    member = tables.membership()
    if member is Membership.LOADING:
        st.caption("Loading the leaderboard…")
        return
    if member is Membership.SUSPENDED:
        layout.empty("🚪", NO_LONGER, "The leaderboard is for the raters of a tenant.")
        return
    if member is Membership.NONE:
        layout.empty("🏆", "You are not a rater yet", f"Join a tenant to see its leaderboard. {TENANT_MEANS}")
        with st.container(horizontal=True, horizontal_alignment="center"):
            st.page_link(page(Place.RATINGS), label="Go to Ratings", icon=":material/balance:")
        return
    ranked = standings(tables.profiles().values())
    if not any(one.profile.total_judgments for one in ranked):
        layout.empty("🏆", "Nobody has judged anything yet", "Raters appear here with their first judgment.")
        return
    st.header("Raters")
    html.show(raters_html(ranked, session.my_id(), datetime.now(UTC).date()))
    st.caption(_COLUMNS)
    data, spec = chart(ranked)
    if len(data) > 1:
        st.vega_lite_chart(pd.DataFrame(data), spec)


def standings(profiles: Iterable[RaterProfile]) -> list[Standing]:
    """Rank active raters: most judgments first, then the best agreement, then by name."""
    raters = [one for one in profiles if one.active and one.role is RatingRole.RATER]
    raters.sort(
        key=lambda one: (-one.total_judgments, -(one.agreement or 0.0), sort_key(one.name), one.rater_id)
    )
    ranked: list[Standing] = []
    for position, profile in enumerate(raters, start=1):
        last = ranked[-1] if ranked else None
        tied = last is not None and last.profile.total_judgments == profile.total_judgments
        ranked.append(Standing(last.place if last is not None and tied else position, profile))
    return ranked


def labels(ranked: Sequence[Standing]) -> list[str]:
    """Return a short name for each rater; raters of the same name have their ids behind it."""
    names = Counter(one.profile.name for one in ranked)
    return [
        one.profile.name if names[one.profile.name] == 1 else f"{one.profile.name} {one.profile.rater_id}"
        for one in ranked
    ]


def chart(ranked: Sequence[Standing]) -> tuple[list[dict[str, object]], dict[str, object]]:
    """Return the data and the Vega-Lite specification of the judgments of the first raters."""
    data: list[dict[str, object]] = [
        {"rater": name, "judgments": one.profile.total_judgments}
        for name, one in zip(labels(ranked), ranked, strict=True)
        if one.profile.total_judgments
    ][:_MOST_BARS]
    rater: dict[str, object] = {
        "field": "rater", "type": "nominal", "title": None, "sort": None, "axis": {"labelLimit": 200},
    }  # fmt: skip
    judgments = {"field": "judgments", "type": "quantitative", "title": "Judgments"}
    spec: dict[str, object] = {
        "mark": {"type": "bar", "height": {"band": 0.6}},
        "encoding": {
            "y": rater,
            "x": {**judgments, "axis": {"format": ",d", "tickMinStep": 1}},
            "tooltip": [{"field": "rater", "title": "Rater"}, {**judgments, "format": ",d"}],
        },
        "height": bars_height(len(data)),
        "padding": dict(BARS_PADDING),
    }
    return data, spec


def raters_html(ranked: Iterable[Standing], me: str | None, today: date) -> Markup:
    """Show the ranking of raters; the viewer's own row is marked."""
    rows = (_row(one, me, today) for one in ranked)
    return table_html("Raters", _HEAD, rows, css=RANKING_CSS, frame="tv-wide")


def _row(one: Standing, me: str | None, today: date) -> Markup:
    profile = one.profile
    streak = profile.streak_on(today)
    return _ROW(
        css="mine" if profile.user_id == me else "",
        place=one.place,
        name=profile.name,
        rater_id=profile.rater_id,
        judgments=f"{profile.total_judgments:,}",
        agreement=percent(profile.agreement),
        gold=percent(profile.gold_accuracy),
        best=profile.best_streak,
        streak=f"{streak} 🔥" if streak > 1 else str(streak or "–"),
    )


def percent(share: float | None) -> str:
    """Write a share as a percentage."""
    return "–" if share is None else f"{100 * share:.0f} %"
