"""The ranking of candidates as a table and a chart."""

from __future__ import annotations

from datetime import UTC, datetime

from db.ratings.task_models import CandidateTally
from tests.ui.samples import snapshot
from ui.ratings.candidates import candidates_html, chart, ranking_of

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def tally(first: str, second: str, wins: int, losses: int, campaign: str = "c") -> CandidateTally:
    key = f"{campaign}-{first}-{second}"
    return CandidateTally(
        key, "t", campaign, None, first, second, wins, losses, 0, 0, published=False, version=1,
        created_at=NOW, updated_at=NOW,
    )  # fmt: skip


def test_the_better_candidate_leads_and_names_are_text() -> None:
    tallies = snapshot([tally("<b>", "ember", 90, 10), tally("other", "ember", 1, 9, "d")])
    ranked = ranking_of(tallies, "c")
    html = candidates_html(ranked)
    assert [one.name for one in ranked.candidates] == ["<b>", "ember"]
    assert "<td>1</td><td><bdi>&lt;b&gt;</bdi></td>" in html
    assert "<td>90</td><td>10</td>" in html
    data, spec = chart(ranked)
    assert [point["candidate"] for point in data] == ["<b>", "ember"]
    assert "<b>" not in str(spec)


def test_candidates_that_may_be_equally_good_share_a_rank() -> None:
    html = candidates_html(ranking_of(snapshot([tally("a", "b", 3, 2)]), "c"))
    assert html.count("<td>1=</td>") == 2
