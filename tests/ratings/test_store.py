"""The rules of assigning tasks and recording judgments: the same on every database."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest

from db.ratings.models import CampaignStatus, RatingRole
from db.ratings.task_models import LeaseState, TaskStatus, Verdict
from ratings.errors import (
    AlreadyJudgedError,
    LeaseLostError,
    NotOpenError,
    NotYoursError,
    RefusedError,
    TooLateError,
)
from ratings.events import EventKind
from tests.ratings.workbench import Workbench, draft

A, B, TIE, BAD = Verdict


def test_a_task_is_claimed_judged_and_completed(bench: Workbench) -> None:
    campaign, (task,) = bench.campaign(judgments_per_task=1)
    rater = bench.rater()
    claim = bench.store.claim(campaign, rater)
    assert claim is not None
    assert claim.task.status is TaskStatus.IN_PROGRESS
    assert claim.content.prompt == "Which call is right? 🦉"
    assert claim.content.candidate_a == {
        "call": "weather",
        "arguments": {"city": "Lima", "days": [1, 2.5, None]},
    }
    assert claim.lease.expires_at - claim.lease.claimed_at == timedelta(seconds=600)
    assert claim.task.leased(claim.now) == 1
    judgment = bench.store.submit(task, rater, BAD, "Neither. 🙈", 0.0)
    assert (judgment.verdict, judgment.comment, judgment.seconds) == (BAD, "Neither. 🙈", 0)
    assert judgment.rater_id == rater
    done = bench.task(task)
    assert (done.status, done.judgments_count, done.leased_until) == (TaskStatus.COMPLETED, 1, ())
    assert done.completed_at is not None
    assert bench.store.claim(campaign, bench.rater()) is None
    assert [event.kind for event in bench.events] == [
        EventKind.CAMPAIGN_CHANGED,
        EventKind.TASK_CREATED,
        EventKind.TASK_CHANGED,
        EventKind.JUDGED,
    ]


def test_the_most_urgent_task_comes_first_and_stays_until_it_is_judged(bench: Workbench) -> None:
    campaign, tasks = bench.campaign(3)
    rater = bench.rater()
    for task in tasks:
        assert bench.claimed(campaign, rater) == task
        assert bench.claimed(campaign, rater) == task
        bench.store.submit(task, rater, A)
    assert bench.claimed(campaign, rater) is None


def test_a_task_returns_to_the_queue_when_its_lease_expires(bench: Workbench) -> None:
    campaign, (task,) = bench.campaign(judgments_per_task=1)
    slow, quick = bench.rater(), bench.rater()
    assert bench.claimed(campaign, slow) == task
    assert bench.claimed(campaign, quick) is None
    bench.expire_leases(task)
    assert bench.claimed(campaign, quick) == task
    with pytest.raises(LeaseLostError, match="kept"):
        bench.store.submit(task, slow, A, "What I wrote")
    with pytest.raises(RefusedError, match="taken"):
        bench.store.extend(task, slow)
    bench.store.submit(task, quick, B)
    with pytest.raises(LeaseLostError):
        bench.store.submit(task, slow, A, "What I wrote")
    assert bench.task(task).judgments_count == 1


def test_a_late_judgment_counts_while_the_place_is_free(bench: Workbench) -> None:
    campaign, (task,) = bench.campaign(judgments_per_task=1)
    rater = bench.rater()
    bench.claimed(campaign, rater)
    bench.expire_leases(task)
    bench.store.submit(task, rater, TIE)
    assert bench.task(task).status is TaskStatus.COMPLETED


def test_extending_restarts_the_lease(bench: Workbench) -> None:
    campaign, (task,) = bench.campaign()
    rater = bench.rater()
    claim = bench.store.claim(campaign, rater)
    assert claim is not None
    later = bench.store.extend(task, rater)
    assert later.expires_at > claim.lease.expires_at
    bench.expire_leases(task)
    again = bench.store.extend(task, rater)
    assert again.state is LeaseState.ACTIVE
    assert bench.task(task).leased(again.claimed_at) == 1


def test_skipped_tasks_stay_away_and_released_ones_come_last(bench: Workbench) -> None:
    campaign, (first, second, third) = bench.campaign(3)
    rater = bench.rater()
    assert bench.claimed(campaign, rater) == first
    assert bench.store.skip(first, rater).state is LeaseState.SKIPPED
    assert bench.claimed(campaign, rater) == second
    bench.store.release(second, rater)
    assert [bench.judge_next(campaign, rater) for _ in range(2)] == [third, second]
    assert bench.claimed(campaign, rater) is None
    with pytest.raises(RefusedError, match="gave this task back"):
        bench.store.submit(first, rater, A)
    assert bench.store.resume(first, rater).task.id == first
    bench.store.submit(first, rater, A)
    with pytest.raises(RefusedError, match="nothing to be done"):
        bench.store.resume(first, rater)


def test_only_raters_of_the_tenant_and_brand_may_rate(bench: Workbench) -> None:
    campaign, (task,) = bench.campaign(brand_id="amazon")
    other, _ = bench.campaign()
    branded, rater = bench.rater("amazon"), bench.rater()
    assert bench.claimed(campaign, branded) == task
    with pytest.raises(NotYoursError):
        bench.store.claim(other, branded)
    with pytest.raises(NotYoursError):
        bench.store.submit(task, rater, A)
    with pytest.raises(NotYoursError):
        bench.store.claim(campaign, Workbench(bench.database).rater())
    bench.campaigns.set_status(other, CampaignStatus.PAUSED)
    with pytest.raises(NotOpenError):
        bench.store.claim(other, rater)
    if not bench.database.kept_by_triggers:
        bench.campaigns.add_rater(bench.tenant, "boss", "Boss", RatingRole.MANAGER)
        with pytest.raises(NotYoursError, match="blind"):
            bench.store.claim(campaign, "boss")


def test_the_same_verdict_again_is_the_same_judgment_and_another_is_refused(bench: Workbench) -> None:
    campaign, (task,) = bench.campaign()
    rater = bench.rater()
    bench.claimed(campaign, rater)
    once = bench.store.submit(task, rater, A, "Why")
    assert bench.store.submit(task, rater, A, "Why") == once
    with pytest.raises(AlreadyJudgedError):
        bench.store.submit(task, rater, B, "Why")


def test_a_judgment_is_undone_in_time_and_not_after_the_next(bench: Workbench) -> None:
    campaign, (first, second) = bench.campaign(2, judgments_per_task=1)
    rater = bench.rater()
    bench.judge_next(campaign, rater)
    claim = bench.store.undo(first, rater)
    assert (claim.task.id, claim.task.judgments_count, claim.task.leased(claim.now)) == (first, 0, 1)
    assert bench.profile(rater).total_judgments == 0
    assert bench.store.claim(campaign, bench.rater()) is not None
    assert bench.claimed(campaign, rater) == first
    bench.store.submit(first, rater, B)
    assert bench.profile(rater).total_judgments == 1
    bench.backdate(first, timedelta(seconds=61))
    with pytest.raises(TooLateError):
        bench.store.undo(first, rater)
    bench.expire_leases(second)
    bench.judge_next(campaign, rater)
    with pytest.raises(TooLateError):
        bench.store.undo(first, rater)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_gold_tasks_come_as_often_as_the_campaign_sets(bench: Workbench, share: float) -> None:
    plain, gold = draft(priority=int(share)), draft(gold_verdict=A, priority=1 - int(share))
    campaign, _ = bench.campaign([plain, gold], gold_share=share)
    assert bench.claimed(campaign, bench.rater()) == (gold.id if share else plain.id)


def test_a_comment_that_is_too_long_is_refused_and_the_lease_kept(bench: Workbench) -> None:
    campaign, (task,) = bench.campaign()
    rater = bench.rater()
    assert bench.claimed(campaign, rater) == task
    with pytest.raises(RefusedError, match="2,000"):
        bench.store.submit(task, rater, Verdict.A, "x" * 2_001)
    assert bench.store.submit(task, rater, Verdict.A, "x" * 2_000).comment == "x" * 2_000


def test_fifty_raters_at_once_get_exactly_the_places_there_are(bench: Workbench) -> None:
    crowd = [bench.rater() for _ in range(50)]
    campaign, tasks = bench.campaign(6, judgments_per_task=3)
    barrier = Barrier(len(crowd))

    def work(rater: str) -> list[str]:
        barrier.wait(60)
        done: list[str] = []
        while (task := bench.claimed(campaign, rater)) is not None:
            bench.store.submit(task, rater, A)
            done.append(task)
        return done

    with ThreadPoolExecutor(len(crowd)) as pool:
        everybodys = list(pool.map(work, crowd))
    assert Counter(task for done in everybodys for task in done) == dict.fromkeys(tasks, 3)
    assert all(len(set(done)) == len(done) for done in everybodys)
    for task in tasks:
        done = bench.task(task)
        assert (done.status, done.judgments_count, done.leased_until) == (TaskStatus.COMPLETED, 3, ())
    assert sum(bench.profile(rater).total_judgments for rater in crowd) == 18


def test_late_judgments_never_exceed_the_wanted_number(bench: Workbench) -> None:
    campaign, (task,) = bench.campaign(judgments_per_task=2)
    late = [bench.rater() for _ in range(8)]
    for rater in late:
        assert bench.claimed(campaign, rater) == task
        bench.expire_leases(task)
    barrier = Barrier(len(late))

    def work(rater: str) -> bool:
        barrier.wait(60)
        try:
            bench.store.submit(task, rater, A)
        except LeaseLostError:
            return False
        return True

    with ThreadPoolExecutor(len(late)) as pool:
        assert sum(pool.map(work, late)) == 2
    assert bench.task(task).judgments_count == 2
