"""The ranking of a campaign's candidates by the Bradley-Terry model, with intervals."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, cast

import pandas as pd
import streamlit as st

from db.ratings import judgments
from db.ratings.models import Campaign, CampaignStatus, RatingRole
from db.ratings.task_models import CandidateTally
from livetables.fragments import live_fragment
from livetables.tables.rows import Rows
from livetables.tables.snapshot import Snapshot
from ui.base import html
from ui.base.charts import BARS_PADDING, bars_height
from ui.base.folding import as_option
from ui.base.html import Markup, Template
from ui.base.html_table import row_html, table_html
from ui.base.text import as_label, one_line, plural
from ui.base.write_queue import Mode
from ui.ratings import tables
from ui.ratings.leaderboard import RANKING_CSS
from ui.writes.submit import submit

if TYPE_CHECKING:
    from ratings.ranking import Ranked, Ranking

_SETTLED_AT: Final = "leaderboard_settled"
_SETTLE_EVERY: Final = 60.0
"""Seconds between two requests of one session to settle a campaign."""
_CHOSEN: Final = "leaderboard_campaign"
_VISIBLE_IN_LIGHT_AND_DARK: Final = "#9a8b7c"
_HEAD: Final = ("Rank", "Candidate", "Strength", "95 % interval", "Won", "Lost", "Tied", "Both bad")
_NAME: Final = Template("<bdi>{name}</bdi>")


@live_fragment(
    tables=("campaigns", "candidate_tallies", "rating_roles"),
    varies_by=("user", "role", _CHOSEN),
    key="leaderboard_candidates",
)
def show_candidates() -> None:
    """Show the ranking of a campaign's candidates to a member of the tenant."""
    if tables.my_profile() is None or not tables.campaigns():
        return
    st.header("Candidates")
    campaigns = _ranked_campaigns()
    if not campaigns:
        st.caption(_no_ranking())
        return
    campaign = _choose(campaigns)
    _settle(campaign)
    ranked = ranking_of(tables.tallies(), campaign.id)
    html.show(candidates_html(ranked))
    data, spec = chart(ranked)
    st.vega_lite_chart(pd.DataFrame(data), spec, height=bars_height(len(data)))
    st.caption(_method(ranked))


def _no_ranking() -> str:
    if tables.role() is RatingRole.MANAGER:
        return "The ranking begins with the first final judgment: one that its rater can no longer undo."
    return "Raters see the ranking when the campaign is over, because the names could influence their votes."


def _method(ranked: Ranking) -> str:
    comparisons = plural(sum(one.games for one in ranked.candidates) // 2, "comparison")
    sentences = [
        f"Bradley-Terry model of {comparisons} by final judgments; ties count half.",
        "Candidates whose intervals overlap share a rank (=).",
    ]
    if ranked.regularized:
        sentences.append(
            "A candidate won everything, or some never met: a prior of half a win keeps the strengths finite."
        )
    return " ".join(sentences)


def _ranked_campaigns() -> list[Campaign]:
    counted = {tally.campaign_id for tally in tables.tallies().values()}
    campaigns = [one for one in tables.campaigns().values() if one.id in counted]
    return sorted(campaigns, key=lambda one: one.created_at, reverse=True)


def _choose(campaigns: Sequence[Campaign]) -> Campaign:
    known = {campaign.id: campaign for campaign in campaigns}
    if len(known) == 1:
        st.caption(as_label(campaigns[0].name))
        return campaigns[0]
    chosen = st.selectbox(
        "Campaign",
        list(known),
        key=_CHOSEN,
        format_func=lambda key: as_option(one_line(known[key].name)) if key in known else "",
    )
    return known.get(chosen, campaigns[0])


def _settle(campaign: Campaign) -> None:
    """Ask the database to count the judgments that have become final; the tallies arrive by the stream."""
    settled_at = cast("dict[str, float]", st.session_state.setdefault(_SETTLED_AT, {}))
    now = time.monotonic()
    recent = now - settled_at.get(campaign.id, 0.0) < _SETTLE_EVERY
    if campaign.status is CampaignStatus.COMPLETED or recent:
        return
    settled_at[campaign.id] = now
    submit(lambda me: judgments.settle(me, campaign.id), notify=False, mode=Mode.CONCURRENT)


def ranking_of(tallies: Snapshot[CandidateTally], campaign_id: str) -> Ranking:
    """Rank the candidates of a campaign; computed once a snapshot."""
    return tallies.derived(("ranking", campaign_id), lambda rows: _ranked(rows, campaign_id))


def _ranked(rows: Rows[CandidateTally], campaign_id: str) -> Ranking:
    # Imported here because the statistics take a second to load, and the first page must not wait for that.
    from ratings.ranking import PairTally, ranking

    return ranking(
        PairTally(one.first, one.second, one.first_wins, one.second_wins, one.ties, one.both_bad)
        for one in rows.values()
        if one.campaign_id == campaign_id
    )


def candidates_html(ranked: Ranking) -> Markup:
    """Show the ranking as a table."""
    rows = (_row(one, _is_tied(one, ranked.candidates)) for one in ranked.candidates)
    return table_html("Candidates", _HEAD, rows, css=RANKING_CSS, frame="tv-wide")


def _is_tied(one: Ranked, candidates: Sequence[Ranked]) -> bool:
    return sum(other.rank == one.rank for other in candidates) > 1


def _row(one: Ranked, tied: bool) -> Markup:
    return row_html(
        f"{one.rank}{'=' if tied else ''}",
        _NAME(name=one.name),
        f"{one.strength:+.2f}",
        f"{one.low:+.2f} … {one.high:+.2f}",
        f"{one.wins:,}",
        f"{one.losses:,}",
        f"{one.ties:,}",
        f"{one.both_bad:,}",
    )


def chart(ranked: Ranking) -> tuple[list[dict[str, object]], dict[str, object]]:
    """Return the data and the Vega-Lite specification of the strengths with their intervals."""
    data: list[dict[str, object]] = [
        {"candidate": one.name, "strength": one.strength, "low": one.low, "high": one.high}
        for one in ranked.candidates
    ]
    name: dict[str, object] = {
        "field": "candidate", "type": "nominal", "title": None, "sort": None, "axis": {"labelLimit": 200},
    }  # fmt: skip
    title = "Strength, in log-odds against the average"
    spec: dict[str, object] = {
        "encoding": {"y": name},
        "padding": dict(BARS_PADDING),
        "layer": [
            {
                "mark": {"type": "rule", "size": 2, "color": _VISIBLE_IN_LIGHT_AND_DARK},
                "encoding": {
                    "x": {"field": "low", "type": "quantitative", "title": title},
                    "x2": {"field": "high"},
                },
            },
            {
                "mark": {"type": "point", "filled": True, "size": 90, "opacity": 1},
                "encoding": {
                    "x": {"field": "strength", "type": "quantitative", "title": title},
                    "tooltip": [
                        {"field": "candidate", "title": "Candidate"},
                        {"field": "strength", "title": "Strength", "format": ".2f"},
                        {"field": "low", "title": "From", "format": ".2f"},
                        {"field": "high", "title": "To", "format": ".2f"},
                    ],
                },
            },
        ],
    }
    return data, spec
