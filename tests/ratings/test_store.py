"""The rules of giving out tasks and taking judgments: the same on every database."""

from __future__ import annotations

import traceback
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Barrier

import pytest
from sqlalchemy import update
from sqlalchemy.exc import StatementError

from db.rating_drafts import CampaignDraft
from db.rating_models import CampaignStatus, RatingRole
from db.rating_task_models import LeaseState, TaskStatus, Verdict
from ratings.errors import AlreadyJudged, LeaseLost, NotOpen, NotYours, Refused, TooLate
from ratings.events import EventKind
from ratings.tables import LeaseRow
from tests.ratings.workbench import Workbench, draft

A, B, TIE, BAD = Verdict


def test_a_task_is_claimed_judged_and_done(bench: Workbench) -> None:
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


def test_the_most_urgent_first_and_the_same_until_it_is_done(bench: Workbench) -> None:
    campaign, tasks = bench.campaign(3)
    rater = bench.rater()
    for task in tasks:
        assert bench.claimed(campaign, rater) == task
        assert bench.claimed(campaign, rater) == task
        bench.store.submit(task, rater, A)
    assert bench.claimed(campaign, rater) is None


def test_a_lease_that_ran_out_returns_to_the_queue(bench: Workbench) -> None:
    campaign, (task,) = bench.campaign(judgments_per_task=1)
    slow, quick = bench.rater(), bench.rater()
    assert bench.claimed(campaign, slow) == task
    assert bench.claimed(campaign, quick) is None
    bench.run_out(task)
    assert bench.claimed(campaign, quick) == task
    with pytest.raises(LeaseLost, match="kept"):
        bench.store.submit(task, slow, A, "What I wrote")
    with pytest.raises(Refused, match="taken"):
        bench.store.extend(task, slow)
    bench.store.submit(task, quick, B)
    with pytest.raises(LeaseLost):
        bench.store.submit(task, slow, A, "What I wrote")
    assert bench.task(task).judgments_count == 1


def test_a_late_judgment_counts_while_the_place_is_free(bench: Workbench) -> None:
    campaign, (task,) = bench.campaign(judgments_per_task=1)
    rater = bench.rater()
    bench.claimed(campaign, rater)
    bench.run_out(task)
    bench.store.submit(task, rater, TIE)
    assert bench.task(task).status is TaskStatus.COMPLETED


def test_a_sign_of_life_begins_the_lease_anew(bench: Workbench) -> None:
    campaign, (task,) = bench.campaign()
    rater = bench.rater()
    claim = bench.store.claim(campaign, rater)
    assert claim is not None
    later = bench.store.extend(task, rater)
    assert later.expires_at > claim.lease.expires_at
    bench.run_out(task)
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
    with pytest.raises(Refused, match="gave this task back"):
        bench.store.submit(first, rater, A)
    assert bench.store.resume(first, rater).task.id == first
    bench.store.submit(first, rater, A)
    with pytest.raises(Refused, match="nothing to be done"):
        bench.store.resume(first, rater)


def test_who_may_rate(bench: Workbench) -> None:
    campaign, (task,) = bench.campaign(brand_id="amazon")
    other, _ = bench.campaign()
    branded, rater = bench.rater("amazon"), bench.rater()
    assert bench.claimed(campaign, branded) == task
    with pytest.raises(NotYours):
        bench.store.claim(other, branded)
    with pytest.raises(NotYours):
        bench.store.submit(task, rater, A)
    with pytest.raises(NotYours):
        bench.store.claim(campaign, Workbench(bench.database).rater())
    bench.campaigns.set_status(other, CampaignStatus.PAUSED)
    with pytest.raises(NotOpen):
        bench.store.claim(other, rater)
    if not bench.database.kept_by_triggers:
        bench.campaigns.add_rater(bench.tenant, "boss", "Boss", RatingRole.MANAGER)
        with pytest.raises(NotYours, match="blind"):
            bench.store.claim(campaign, "boss")


def test_the_same_again_is_the_same_and_another_verdict_is_refused(bench: Workbench) -> None:
    campaign, (task,) = bench.campaign()
    rater = bench.rater()
    bench.claimed(campaign, rater)
    once = bench.store.submit(task, rater, A, "Why")
    assert bench.store.submit(task, rater, A, "Why") == once
    with pytest.raises(AlreadyJudged):
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
    bench.earlier(first, timedelta(seconds=61))
    with pytest.raises(TooLate):
        bench.store.undo(first, rater)
    bench.run_out(second)
    bench.judge_next(campaign, rater)
    with pytest.raises(TooLate):
        bench.store.undo(first, rater)


def test_a_withdrawn_task_is_nobodys(bench: Workbench) -> None:
    campaign, (task,) = bench.campaign()
    rater = bench.rater()
    bench.claimed(campaign, rater)
    assert bench.campaigns.withdraw(task).status is TaskStatus.WITHDRAWN
    with pytest.raises(Refused, match="withdrawn"):
        bench.store.submit(task, rater, A)
    assert bench.claimed(campaign, rater) is None
    assert bench.campaigns.put_back(task).status is TaskStatus.PENDING
    assert bench.claimed(campaign, rater) == task


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_gold_tasks_come_as_often_as_the_campaign_says(bench: Workbench, share: float) -> None:
    plain, gold = draft(priority=int(share)), draft(gold_verdict=A, priority=1 - int(share))
    campaign, _ = bench.campaign([plain, gold], gold_share=share)
    assert bench.claimed(campaign, bench.rater()) == (gold.id if share else plain.id)


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


def test_what_nobody_can_undo_is_settled_when_somebody_asks(bench: Workbench) -> None:
    campaign, (task,) = bench.campaign()
    for verdict in (A, A):
        bench.judge_next(campaign, bench.rater(), verdict)
    bench.store.settle(campaign)
    raters = [one.rater_id for one in bench.analytics.leaderboard(bench.tenant)]
    assert [bench.profile(rater).compared for rater in raters] == [0, 0]
    bench.earlier(task, timedelta(seconds=61))
    bench.store.settle(campaign)
    assert [bench.profile(rater).agreed for rater in raters] == [1, 1]


def test_without_time_to_undo_a_judgment_is_final_at_once(bench: Workbench) -> None:
    campaign, (task,) = bench.campaign(undo_seconds=0)
    first, second = bench.rater(), bench.rater()
    bench.judge_next(campaign, first)
    bench.judge_next(campaign, second)
    with pytest.raises(TooLate):
        bench.store.undo(task, second)
    assert (bench.profile(first).agreed, bench.profile(second).agreed) == (1, 1)


def test_tasks_are_added_all_or_none_and_once(bench: Workbench) -> None:
    campaign, _ = bench.campaign([], task_types=["sql"])
    good, bad = draft(task_type="sql"), draft(task_type="sql", name_a="adapter")
    with pytest.raises(Refused):
        bench.campaigns.add_tasks(campaign, [good, bad])
    for _ in range(2):
        (task,) = bench.campaigns.add_tasks(campaign, [good])
        assert task.id == good.id
    assert bench.campaigns.open_count(campaign) == 1
    with pytest.raises(Refused, match="Task 1"):
        bench.campaigns.add_tasks(campaign, [draft()])


@pytest.mark.parametrize(
    "settings", [{"lease_seconds": 4}, {"undo_seconds": -1}, {"name": "x" * 121}, {"name": ""}], ids=str
)
def test_a_campaign_that_cannot_be_is_refused(bench: Workbench, settings: dict[str, object]) -> None:
    wanted = replace(CampaignDraft("Tool calls"), **settings)  # type: ignore[arg-type]  # by name
    with pytest.raises(Refused):
        bench.campaigns.create(str(uuid.uuid4()), bench.tenant, wanted)


@pytest.mark.parametrize(
    "given",
    [{"priority": 1_001}, {"prompt": "x" * 50_001}, {"name_a": "x" * 121}, {"task_type": ""}],
    ids=str,
)
def test_a_task_that_cannot_be_is_refused(bench: Workbench, given: dict[str, object]) -> None:
    campaign, _ = bench.campaign(0)
    with pytest.raises(Refused):
        bench.campaigns.add_tasks(campaign, [draft(**given)])
    assert bench.campaigns.tasks(bench.tenant) == []


def test_no_secret_of_a_task_reaches_a_log(bench: Workbench, caplog: pytest.LogCaptureFixture) -> None:
    campaign, _ = bench.campaign(0)
    caplog.set_level("INFO")
    secret = uuid.uuid4().hex
    with pytest.raises(Refused) as refused:
        bench.campaigns.add_tasks(campaign, [draft(name_a=secret, name_b=secret)])
    told = "".join(traceback.format_exception(refused.value)) + caplog.text
    assert "The database refused" in told
    assert secret not in told


def test_a_comment_that_is_too_long_is_refused_and_the_task_kept(bench: Workbench) -> None:
    campaign, (task,) = bench.campaign()
    rater = bench.rater()
    assert bench.claimed(campaign, rater) == task
    with pytest.raises(Refused, match="2,000"):
        bench.store.submit(task, rater, Verdict.A, "x" * 2_001)
    assert bench.store.submit(task, rater, Verdict.A, "x" * 2_000).comment == "x" * 2_000


def test_a_time_without_its_zone_is_not_kept(bench: Workbench) -> None:
    with pytest.raises(StatementError, match="no zone"):
        bench.database.write(
            lambda session: session.execute(update(LeaseRow).values(expires_at=datetime(2026, 11, 21)))
        )


def test_tasks_are_turned_over_page_by_page(bench: Workbench) -> None:
    _, tasks = bench.campaign(5)
    all_of_them = bench.campaigns.tasks(bench.tenant)
    first = bench.campaigns.tasks(bench.tenant, newest=2)
    rest = bench.campaigns.tasks(bench.tenant, before=first[-1])
    assert [*first, *rest] == [*all_of_them]
    assert {task.id for task in all_of_them} == set(tasks) == set(bench.campaigns.task_ids(bench.tenant))


def test_fifty_at_once_get_as_many_places_as_there_are(bench: Workbench) -> None:
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


def test_late_judgments_never_make_more_than_are_wanted(bench: Workbench) -> None:
    campaign, (task,) = bench.campaign(judgments_per_task=2)
    late = [bench.rater() for _ in range(8)]
    for rater in late:
        assert bench.claimed(campaign, rater) == task
        bench.run_out(task)
    barrier = Barrier(len(late))

    def work(rater: str) -> bool:
        barrier.wait(60)
        try:
            bench.store.submit(task, rater, A)
        except LeaseLost:
            return False
        return True

    with ThreadPoolExecutor(len(late)) as pool:
        assert sum(pool.map(work, late)) == 2
    assert bench.task(task).judgments_count == 2
