"""How well the raters of a campaign agree, by the coefficients that are usual for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from db.rating_task_models import Judgment
from live.rows import Rows
from live.snapshot import Snapshot
from ui.leaderboard import percent, table_html
from ui.text import as_html, plural

if TYPE_CHECKING:
    from ratings.agreement import Agreement, Estimate, PairAgreement

    Found = tuple[Agreement, tuple[PairAgreement, ...]]


def agreement_of(judgments: Snapshot[Judgment], campaign_id: str) -> Found:
    """Work out all coefficients of a campaign's loaded final judgments, once for every state of them."""
    return judgments.derived(("agreement", campaign_id), lambda rows: _found(rows, campaign_id))


def _found(rows: Rows[Judgment], campaign_id: str) -> Found:
    # Here, not above: the statistics take a second to load, which the first page need not wait for.
    from ratings.agreement import Vote, agreement, pairwise_kappa

    votes = [
        Vote(one.task_id, one.rater_id, one.verdict)
        for one in rows.values()
        if one.campaign_id == campaign_id and one.counts and one.sealed_at is not None
    ]
    return agreement(votes), tuple(pairwise_kappa(votes))


def agreement_html(found: Agreement) -> str:
    """Show the coefficients with what they mean."""
    rows = [
        _coefficient("Krippendorff's alpha", found.alpha),
        _coefficient("Fleiss' kappa", found.fleiss),
        _coefficient("Cohen's kappa", found.cohen) if found.raters == 2 else "",
        f"<tr><td>Equal pairs</td><td>{percent(found.alike)}</td><td></td>"
        f"<td>{plural(found.tasks, 'task')}</td><td></td></tr>",
    ]
    return table_html(
        "Agreement", ("Coefficient", "Value", "Interval", "Of", ""), "".join(rows), ranked=False
    )


def _coefficient(name: str, estimate: Estimate | None) -> str:
    if estimate is None:
        return f"<tr><td>{as_html(name)}</td><td>–</td><td></td><td></td><td>not to be told yet</td></tr>"
    interval = (
        f"{estimate.low:.2f} … {estimate.high:.2f}"
        if estimate.low is not None and estimate.high is not None
        else ""
    )
    return (
        f"<tr><td>{as_html(name)}</td><td>{estimate.value:.2f}</td><td>{interval}</td>"
        f"<td>{plural(estimate.tasks, 'task')}</td><td>{estimate.in_words}</td></tr>"
    )


def pairs_html(pairs: tuple[PairAgreement, ...]) -> str:
    """Show Cohen's kappa of every two raters, those who agree least first."""
    rows = "".join(
        f"<tr><td><bdi>{as_html(pair.one)}</bdi> and <bdi>{as_html(pair.other)}</bdi></td>"
        f"<td>{pair.kappa.value:.2f}</td><td>{plural(pair.kappa.tasks, 'task')}</td>"
        f"<td>{pair.kappa.in_words}</td></tr>"
        for pair in sorted(pairs, key=lambda pair: pair.kappa.value)
    )
    return table_html("Pairs of raters", ("Raters", "Cohen's kappa", "Of", ""), rows, ranked=False)
