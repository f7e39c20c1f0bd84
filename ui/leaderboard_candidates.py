"""The ranking of candidates: the Bradley-Terry model over what raters preferred, with its intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from db.rating_task_models import CandidateTally
from live.rows import Rows
from live.snapshot import Snapshot
from ui.leaderboard import table_html
from ui.text import as_html

if TYPE_CHECKING:
    from ratings.ranking import Ranked, Ranking


_BETWEEN_LIGHT_AND_DARK: Final = "#9a8b7c"


def ranking_of(tallies: Snapshot[CandidateTally], campaign_id: str) -> Ranking:
    """Rank the candidates of a campaign; worked out once for every state of the counts."""
    return tallies.derived(("ranking", campaign_id), lambda rows: _ranked(rows, campaign_id))


def _ranked(rows: Rows[CandidateTally], campaign_id: str) -> Ranking:
    # Here, not above: the statistics take a second to load, which the first page need not wait for.
    from ratings.ranking import PairTally, ranking

    return ranking(
        PairTally(one.first, one.second, one.first_wins, one.second_wins, one.ties, one.both_bad)
        for one in rows.values()
        if one.campaign_id == campaign_id
    )


def candidates_html(ranked: Ranking) -> str:
    """Show the ranking as a table."""
    rows = "".join(_candidate(one, _shared(one, ranked.candidates)) for one in ranked.candidates)
    head = ("Rank", "Candidate", "Strength", "95 % interval", "Won", "Lost", "Tied", "Both bad")
    return table_html("Candidates", head, rows)


def _shared(one: Ranked, all_of_them: Sequence[Ranked]) -> bool:
    return sum(other.rank == one.rank for other in all_of_them) > 1


def _candidate(one: Ranked, shared: bool) -> str:
    return (
        f"<tr><td>{one.rank}{'=' if shared else ''}</td><td><bdi>{as_html(one.name)}</bdi></td>"
        f"<td>{one.strength:+.2f}</td><td>{one.low:+.2f} … {one.high:+.2f}</td>"
        f"<td>{one.wins:,}</td><td>{one.losses:,}</td><td>{one.ties:,}</td><td>{one.both_bad:,}</td></tr>"
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
        "layer": [
            {
                "mark": {"type": "rule", "size": 2, "color": _BETWEEN_LIGHT_AND_DARK},
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
