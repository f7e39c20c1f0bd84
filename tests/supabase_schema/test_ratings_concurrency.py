"""Fifty raters at the same time, each with a connection: the numbers of places and judgments are exact."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, TypeVar

import psycopg2
import pytest

from tests.supabase_schema.database import Session, new_person, session
from tests.supabase_schema.ratings import add_tasks, new_campaign, new_rater, new_tenant, task
from tests.support.wait import wait_for

T = TypeVar("T")

CROWD: Final = 50


@dataclass(frozen=True, slots=True)
class Crowd:
    """A tenant with fifty raters and their connections."""

    owner: Session
    tenant: str
    manager: str
    raters: dict[str, Session]

    def campaign(self, tasks: int, **settings: object) -> tuple[str, list[str]]:
        """Create a campaign with this many tasks."""
        campaign = new_campaign(self.owner, self.tenant, **settings)
        ids = add_tasks(self.owner, self.manager, campaign, *(task() for _ in range(tasks)))
        self.owner.commit()
        return campaign, ids

    def at_once(self, work: Callable[[str, Session], object]) -> list[object]:
        """Let all raters act at the same moment."""
        barrier = threading.Barrier(CROWD)

        def one(rater: str) -> object:
            barrier.wait(60)
            return work(rater, self.raters[rater])

        with ThreadPoolExecutor(CROWD) as pool:
            return list(pool.map(one, self.raters))


@pytest.fixture(scope="module")
def crowd(dsn: str) -> Iterator[Crowd]:
    """Give fifty raters of a new tenant."""
    with session(dsn) as owner:
        manager = new_person(owner, "Manager")
        tenant = new_tenant(owner, manager)
        raters = {new_rater(owner, tenant, f"R{number}"): Session(dsn) for number in range(CROWD)}
        owner.commit()
        yield Crowd(owner, tenant, manager, raters)
        for opened in raters.values():
            opened.close()
        owner.rollback()
        owner.run("delete from public.tenants where id = %s", tenant)
        owner.run("delete from auth.users where id = any (%s::uuid[])", [manager, *raters])
        owner.commit()


def claimed(rater: str, mine: Session, campaign: str) -> str | None:
    """Claim a task in its own transaction, as the API does."""
    mine.act_as(rater)
    answer = mine.value("select public.claim_task(%s)", campaign)
    mine.commit()
    assert answer is None or isinstance(answer, dict)
    return str(answer["task"]["id"]) if answer else None


def judged(rater: str, mine: Session, task_id: str) -> bool:
    """Judge a task in its own transaction; return False if it is refused."""
    try:
        mine.act_as(rater)
        mine.value("select public.submit_judgment(%s, 'A')", task_id)
        mine.commit()
    except psycopg2.errors.CheckViolation:
        mine.rollback()
        return False
    return True


def test_of_fifty_raters_as_many_get_a_task_as_judgments_are_wanted(crowd: Crowd) -> None:
    campaign, (only,) = crowd.campaign(1, judgments_per_task=3)
    got = crowd.at_once(lambda rater, mine: claimed(rater, mine, campaign))
    assert Counter(got) == {only: 3, None: CROWD - 3}


def test_fifty_raters_give_each_task_its_judgments_and_nobody_gets_one_twice(crowd: Crowd) -> None:
    campaign, tasks = crowd.campaign(12, judgments_per_task=5, gold_share=0.5)

    def work(rater: str, mine: Session) -> list[str]:
        done: list[str] = []
        while (task_id := claimed(rater, mine, campaign)) is not None:
            assert judged(rater, mine, task_id)
            done.append(task_id)
        return done

    everybodys = crowd.at_once(work)
    given = Counter(task_id for done in everybodys if isinstance(done, list) for task_id in done)
    assert given == dict.fromkeys(tasks, 5)
    assert all(len(set(done)) == len(done) for done in everybodys if isinstance(done, list))
    rows = crowd.owner.rows(
        "select status, judgments_count, jsonb_array_length(leased_until) from public.rating_tasks"
        " where campaign_id = %s",
        campaign,
    )
    assert rows == [("completed", 5, 0)] * 12
    total = crowd.owner.value(
        "select sum(total_judgments) from public.rater_profiles where tenant_id = %s", crowd.tenant
    )
    assert total == 60
    crowd.owner.commit()


def test_late_judgments_do_not_exceed_the_number_wanted(crowd: Crowd) -> None:
    campaign, (only,) = crowd.campaign(1, judgments_per_task=2)
    late: list[str] = []
    for rater, mine in list(crowd.raters.items())[:10]:
        # Each rater gets the task because the earlier leases have expired, and judges it late.
        assert claimed(rater, mine, campaign) == only
        late.append(rater)
        crowd.owner.run(
            "update public.task_leases set expires_at = clock_timestamp() - interval '1 s'"
            " where task_id = %s",
            only,
        )
        crowd.owner.commit()

    def work(rater: str, mine: Session) -> bool:
        return rater in late and judged(rater, mine, only)

    assert sum(map(bool, crowd.at_once(work))) == 2
    counted = crowd.owner.rows("select status, judgments_count from public.rating_tasks where id = %s", only)
    assert counted == [("completed", 2)]
    crowd.owner.commit()


def test_counts_are_exact_after_everybody_judges_and_undoes_at_once(crowd: Crowd) -> None:
    campaign, tasks = crowd.campaign(10, judgments_per_task=5)

    def work(rater: str, mine: Session) -> None:
        while (task_id := claimed(rater, mine, campaign)) is not None:
            assert judged(rater, mine, task_id)
            mine.act_as(rater)
            mine.value("select public.undo_judgment(%s)", task_id)
            mine.commit()
            assert judged(rater, mine, task_id)

    crowd.at_once(work)
    crowd.owner.run("update public.campaigns set status = 'completed' where id = %s", campaign)
    # All verdicts are A, so each pair of the five judgments of a task agrees, and counts for both raters.
    sums = crowd.owner.rows(
        "select sum(first_wins + second_wins + ties + both_bad) from public.candidate_tallies"
        " where campaign_id = %s",
        campaign,
    )
    assert sums == [(50,)]
    wrong = crowd.owner.rows(
        "select profile.rater_id, compared, agreed, pairs from public.rater_profiles as profile"
        " cross join lateral (select count(*) as pairs from public.judgments as mine"
        "   join public.judgments as other using (task_id)"
        "   where mine.user_id = profile.user_id and other.user_id <> mine.user_id"
        "   and mine.sealed_at is not null and other.sealed_at is not null) as really"
        " where tenant_id = %s and (compared <> pairs or agreed <> pairs)",
        crowd.tenant,
    )
    assert wrong == []
    assert len(tasks) == 10
    crowd.owner.commit()


def waiting(crowd: Crowd, mine: Session) -> bool:
    """Whether this connection waits for a lock."""
    pid = mine.connection.info.backend_pid
    found = crowd.owner.value("select wait_event_type = 'Lock' from pg_stat_activity where pid = %s", pid)
    crowd.owner.commit()
    return bool(found)


def after_waiting(crowd: Crowd, first: Session, mine: Session, work: Callable[[], T]) -> T:
    """Call `do` while the transaction of `first` is open; commit that transaction once `do` waits for it."""
    with ThreadPoolExecutor(1) as pool:
        later = pool.submit(work)
        wait_for(lambda: waiting(crowd, mine) or later.done(), what="the second one to wait")
        first.commit()
        return later.result(60)


def test_a_claim_waits_for_another_one_of_the_last_place(crowd: Crowd) -> None:
    campaign, (only,) = crowd.campaign(1, judgments_per_task=1)
    (one, first), (other, second), *_ = crowd.raters.items()
    first.act_as(one)
    assert first.value("select public.claim_task(%s) -> 'task' ->> 'id'", campaign) == only
    got = after_waiting(crowd, first, second, lambda: claimed(other, second, campaign))
    assert got is None
    leases = crowd.owner.value("select count(*) from public.task_leases where task_id = %s", only)
    assert leases == 1
    crowd.owner.commit()


def test_the_second_of_two_late_judgments_for_one_place_is_refused(crowd: Crowd) -> None:
    campaign, (only,) = crowd.campaign(1, judgments_per_task=1)
    (one, first), (other, second), *_ = crowd.raters.items()
    for rater, mine in ((one, first), (other, second)):
        assert claimed(rater, mine, campaign) == only
        crowd.owner.run(
            "update public.task_leases set expires_at = clock_timestamp() - interval '1 s'"
            " where task_id = %s",
            only,
        )
        crowd.owner.commit()
    first.act_as(one)
    first.value("select public.submit_judgment(%s, 'A')", only)
    assert after_waiting(crowd, first, second, lambda: judged(other, second, only)) is False
