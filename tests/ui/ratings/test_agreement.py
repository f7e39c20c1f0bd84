"""The coefficients of agreement as tables."""

from __future__ import annotations

from datetime import UTC, datetime

from db.ratings.task_models import Judgment, Verdict
from tests.ui.samples import snapshot
from ui.ratings.agreement import agreement_html, agreement_of, pairs_html

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def judgment(task: str, rater: str, verdict: Verdict, *, final: bool = True, campaign: str = "c") -> Judgment:
    sealed_at = NOW if final else None
    return Judgment(
        f"{campaign}-{task}-{rater}", "t", campaign, task, None, rater, verdict, "", 1.0, NOW, sealed_at,
        None, 1, NOW, NOW,
    )  # fmt: skip


def test_only_final_judgments_of_the_campaign_count() -> None:
    judgments = [
        judgment("one", "<b>", Verdict.A),
        judgment("one", "bo", Verdict.A),
        judgment("two", "<b>", Verdict.B),
        judgment("two", "bo", Verdict.A),
        judgment("three", "bo", Verdict.A, final=False),
        judgment("one", "cy", Verdict.A, campaign="other"),
    ]
    found, pairs = agreement_of(snapshot(judgments), "c")
    assert (found.votes, found.raters, found.tasks) == (4, 2, 2)
    assert "<td>Equal pairs</td><td>50 %</td>" in agreement_html(found)
    assert "Cohen&#39;s kappa" in agreement_html(found)
    assert "<bdi>&lt;b&gt;</bdi> and <bdi>bo</bdi>" in pairs_html(pairs)


def test_a_coefficient_without_enough_judgments_has_no_value() -> None:
    found, pairs = agreement_of(snapshot([judgment("one", "bo", Verdict.A)]), "c")
    assert "not enough judgments yet" in agreement_html(found)
    assert pairs == ()
