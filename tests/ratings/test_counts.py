"""Derived counts, agreement, tallies and rankings: the same on every database, with triggers or without."""

from __future__ import annotations

from datetime import timedelta

import pytest

from db.ratings.models import CampaignStatus
from db.ratings.task_models import Verdict
from ratings.errors import TooLateError
from tests.ratings.workbench import Workbench, draft

A, B, TIE, _ = Verdict


def test_agreement_gold_streak_and_tallies_count_final_judgments(bench: Workbench) -> None:
    plain, gold = draft(priority=1, name_a="zeta", name_b="alpha"), draft(gold_verdict=A)
    campaign, _ = bench.campaign([plain, gold])
    raters = [bench.rater() for _ in range(3)]
    for rater, verdict in zip(raters, (A, A, TIE), strict=True):
        assert bench.judge_next(campaign, rater, verdict) == plain.id
    assert [bench.profile(rater).compared for rater in raters] == [0, 0, 0]
    for rater, verdict in zip(raters, (A, B, A), strict=True):
        assert bench.judge_next(campaign, rater, verdict) == gold.id
    profiles = [bench.profile(rater) for rater in raters]
    assert [(one.compared, one.agreed, one.gold_total) for one in profiles] == [
        (2, 1, 0),
        (2, 1, 0),
        (2, 0, 0),
    ]
    bench.campaigns.set_status(campaign, CampaignStatus.COMPLETED)
    profiles = [bench.profile(rater) for rater in raters]
    assert [(one.compared, one.agreed, one.gold_total, one.gold_correct) for one in profiles] == [
        (4, 2, 1, 1),
        (4, 1, 1, 0),
        (4, 1, 1, 1),
    ]
    assert {(one.total_judgments, one.streak, one.best_streak) for one in profiles} == {(2, 1, 1)}
    results = bench.analytics.results(campaign)
    assert len(results.judged) == 6
    assert {one.rater_id for one in results.judged} == set(raters)
    assert results.gold[raters[1]].accuracy == 0
    assert results.agreement.alike == pytest.approx(2 / 6)
    (alpha, zeta) = sorted(results.ranking.candidates, key=lambda one: one.name)
    assert (zeta.wins, zeta.losses, zeta.ties) == (2, 0, 1)
    assert alpha.losses == 2
    assert bench.analytics.leaderboard(bench.tenant)[0].rater_id == raters[0]


def test_settling_makes_judgments_final_that_cannot_be_undone(bench: Workbench) -> None:
    campaign, (task,) = bench.campaign()
    for verdict in (A, A):
        bench.judge_next(campaign, bench.rater(), verdict)
    bench.store.settle(campaign)
    raters = [one.rater_id for one in bench.analytics.leaderboard(bench.tenant)]
    assert [bench.profile(rater).compared for rater in raters] == [0, 0]
    bench.backdate(task, timedelta(seconds=61))
    bench.store.settle(campaign)
    assert [bench.profile(rater).agreed for rater in raters] == [1, 1]


def test_without_time_to_undo_a_judgment_is_final_at_once(bench: Workbench) -> None:
    campaign, (task,) = bench.campaign(undo_seconds=0)
    first, second = bench.rater(), bench.rater()
    bench.judge_next(campaign, first)
    bench.judge_next(campaign, second)
    with pytest.raises(TooLateError):
        bench.store.undo(task, second)
    assert (bench.profile(first).agreed, bench.profile(second).agreed) == (1, 1)
