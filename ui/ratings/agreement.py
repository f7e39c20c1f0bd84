"""How well the raters of a campaign agree, by the usual coefficients."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from db.ratings.task_models import Judgment
from livetables.tables.rows import Rows
from livetables.tables.snapshot import Snapshot
from ui.base.html import Markup, Template
from ui.base.html_table import row_html, table_html
from ui.base.text import plural
from ui.ratings.leaderboard import percent

if TYPE_CHECKING:
    from ratings.agreement import Agreement, Estimate, PairAgreement

    Coefficients = tuple[Agreement, tuple[PairAgreement, ...]]

_PAIR: Final = Template("<bdi>{one}</bdi> and <bdi>{other}</bdi>")


def agreement_of(judgments: Snapshot[Judgment], campaign_id: str) -> Coefficients:
    """Compute the coefficients of a campaign's loaded final judgments, once a snapshot."""
    return judgments.derived(("agreement", campaign_id), lambda rows: _compute(rows, campaign_id))


def _compute(rows: Rows[Judgment], campaign_id: str) -> Coefficients:
    # Imported here because the statistics take a second to load, and the first page must not wait for that.
    from ratings.agreement import Vote, agreement, pairwise_kappa

    votes = [
        Vote(one.task_id, one.rater_id, one.verdict)
        for one in rows.values()
        if one.campaign_id == campaign_id and one.counts and one.sealed_at is not None
    ]
    return agreement(votes), tuple(pairwise_kappa(votes))


def agreement_html(found: Agreement) -> Markup:
    """Show the coefficients with what they mean."""
    rows = [_coefficient("Krippendorff's alpha", found.alpha), _coefficient("Fleiss' kappa", found.fleiss)]
    if found.raters == 2:
        rows.append(_coefficient("Cohen's kappa", found.cohen))
    rows.append(row_html("Equal pairs", percent(found.alike), "", plural(found.tasks, "task"), ""))
    return table_html("Agreement", ("Coefficient", "Value", "Interval", "Of", ""), rows, frame="tv-wide")


def _coefficient(name: str, estimate: Estimate | None) -> Markup:
    if estimate is None:
        return row_html(name, "–", "", "", "not enough judgments yet")
    interval = (
        f"{estimate.low:.2f} … {estimate.high:.2f}"
        if estimate.low is not None and estimate.high is not None
        else ""
    )
    tasks = plural(estimate.tasks, "task")
    return row_html(name, f"{estimate.value:.2f}", interval, tasks, estimate.in_words)


def pairs_html(pairs: Iterable[PairAgreement]) -> Markup:
    """Show Cohen's kappa of every two raters, those who agree least first."""
    rows = (
        row_html(
            _PAIR(one=pair.one, other=pair.other),
            f"{pair.kappa.value:.2f}",
            plural(pair.kappa.tasks, "task"),
            pair.kappa.in_words,
        )
        for pair in sorted(pairs, key=lambda pair: pair.kappa.value)
    )
    return table_html("Pairs of raters", ("Raters", "Cohen's kappa", "Of", ""), rows, frame="tv-wide")
