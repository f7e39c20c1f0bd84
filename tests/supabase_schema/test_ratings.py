"""How the database assigns tasks to raters."""

from __future__ import annotations

import json

import pytest

from tests.supabase_schema.database import Session, message, new_person
from tests.supabase_schema.ratings import (
    OVER,
    Ratings,
    add_tasks,
    answer_of,
    claim,
    judge,
    new_campaign,
    new_rater,
    new_tenant,
    refused,
    status,
    task,
)


def test_a_rater_gets_the_task_of_highest_priority_and_keeps_it_until_done(
    db: Session, ratings: Ratings
) -> None:
    mate = ratings.people["mate"]
    order = [ratings.judged, ratings.claimed, ratings.open]
    for expected in order:
        assert claim(db, mate, ratings.campaign) == expected
        assert claim(db, mate, ratings.campaign) == expected
        judge(db, mate, expected)
    assert claim(db, mate, ratings.campaign) is None


def test_a_task_has_as_many_places_as_judgments_wanted(db: Session, ratings: Ratings) -> None:
    campaign = new_campaign(db, ratings.tenant, judgments_per_task=2)
    (only,) = add_tasks(db, ratings.people["manager"], campaign, task())
    first, second, third = (new_rater(db, ratings.tenant, f"R{number}") for number in range(3))
    assert claim(db, first, campaign) == only
    assert claim(db, second, campaign) == only
    assert claim(db, third, campaign) is None
    judge(db, first, only)
    assert status(db, only) == ("in_progress", 1)
    assert claim(db, third, campaign) is None
    judge(db, second, only, "tie")
    assert status(db, only) == ("completed", 2)
    assert claim(db, third, campaign) is None


def test_an_expired_lease_frees_its_place_by_itself(db: Session, ratings: Ratings) -> None:
    campaign = new_campaign(db, ratings.tenant, judgments_per_task=1)
    (only,) = add_tasks(db, ratings.people["manager"], campaign, task())
    rater, mate = ratings.people["rater"], ratings.people["mate"]
    assert claim(db, rater, campaign) == only
    assert claim(db, mate, campaign) is None
    db.act_as_owner()
    db.run(OVER, only)
    assert claim(db, mate, campaign) == only
    late = refused(db, rater, "select public.submit_judgment(%s, 'A', 'My words')", only)
    assert late == (
        "Your time for this task was over, and somebody else has it now."
        " What you wrote is kept: go on with the next task."
    )
    assert refused(db, rater, "select public.extend_lease(%s)", only) == (
        "All places of this task are taken."
    )
    judge(db, mate, only)
    assert status(db, only) == ("completed", 1)
    assert refused(db, rater, "select public.submit_judgment(%s, 'A')", only).startswith("Your time")


def test_a_late_judgment_counts_while_its_place_is_free(db: Session, ratings: Ratings) -> None:
    rater = ratings.people["rater"]
    db.run(OVER, ratings.claimed)
    judge(db, rater, ratings.claimed, "B")
    assert status(db, ratings.claimed) == ("in_progress", 1)


def test_extending_starts_the_lease_anew(db: Session, ratings: Ratings) -> None:
    rater = ratings.people["rater"]
    for passed in ("500 seconds", "700 seconds"):
        db.run(
            "update public.task_leases set expires_at = expires_at - %s::interval where task_id = %s",
            passed,
            ratings.claimed,
        )
        answer_of(db, rater, "select public.extend_lease(%s)", ratings.claimed)
        left = db.value(
            "select expires_at > clock_timestamp() + interval '590 seconds' from public.task_leases"
            " where task_id = %s",
            ratings.claimed,
        )
        assert left is True
    leased = db.value(
        "select leased_until = (select jsonb_agg(to_jsonb(expires_at)) from public.task_leases"
        " where task_id = rating_tasks.id) from public.rating_tasks where id = %s",
        ratings.claimed,
    )
    assert leased is True


def test_a_skipped_task_is_not_offered_again_and_a_released_one_comes_last(
    db: Session, ratings: Ratings
) -> None:
    mate = ratings.people["mate"]
    assert claim(db, mate, ratings.campaign) == ratings.judged
    answer_of(db, mate, "select public.skip_task(%s)", ratings.judged)
    assert claim(db, mate, ratings.campaign) == ratings.claimed
    answer_of(db, mate, "select public.release_task(%s)", ratings.claimed)
    assert claim(db, mate, ratings.campaign) == ratings.open
    judge(db, mate, ratings.open)
    assert claim(db, mate, ratings.campaign) == ratings.claimed
    judge(db, mate, ratings.claimed)
    assert claim(db, mate, ratings.campaign) is None
    back = answer_of(db, mate, "select public.resume_task(%s)", ratings.judged)
    assert back["content"]
    judge(db, mate, ratings.judged)
    assert refused(db, mate, "select public.resume_task(%s)", ratings.judged) == (
        "There is nothing to be done for this task any more."
    )


def test_only_a_rater_who_holds_a_task_can_judge_it(db: Session, ratings: Ratings) -> None:
    sql = "select public.submit_judgment(%s, 'A')"
    for person in ("mate", "stranger", "other", "manager"):
        assert refused(db, ratings.people[person], sql, ratings.open) in (
            "This task was not given to you.",
            "Join a tenant first.",
            "Managers see all the answers, so they cannot rate blind.",
        )
    assert refused(db, ratings.people["stranger"], "select public.claim_task(%s)", ratings.campaign)
    foreign = new_tenant(db, new_person(db, "third"))
    rater = new_rater(db, foreign, "Foreign")
    assert refused(db, rater, "select public.claim_task(%s)", ratings.campaign) == (
        "This campaign is not yours to rate."
    )
    assert refused(db, rater, sql, ratings.claimed) == "This task was not given to you."


def test_only_an_active_campaign_assigns_tasks(db: Session, ratings: Ratings) -> None:
    rater, mate = ratings.people["rater"], ratings.people["mate"]
    db.run("update public.campaigns set status = 'paused' where id = %s", ratings.campaign)
    closed = "This campaign is not open for rating at the moment."
    assert refused(db, mate, "select public.claim_task(%s)", ratings.campaign) == closed
    assert claim(db, rater, ratings.campaign) == ratings.claimed
    judge(db, rater, ratings.claimed)
    db.run("update public.campaigns set status = 'completed' where id = %s", ratings.campaign)
    assert refused(db, rater, "select public.claim_task(%s)", ratings.campaign) == closed


def test_a_withdrawn_task_is_not_assigned(db: Session, ratings: Ratings) -> None:
    rater, manager = ratings.people["rater"], ratings.people["manager"]
    db.act_as(manager)
    db.run("update public.rating_tasks set status = 'withdrawn' where id = %s", ratings.claimed)
    refusal = refused(db, rater, "select public.submit_judgment(%s, 'A')", ratings.claimed)
    assert refusal == "This task was withdrawn. Go on with the next one."
    assert claim(db, rater, ratings.campaign) == ratings.open
    db.act_as_owner()
    db.act_as(manager)
    db.run("update public.rating_tasks set status = 'completed' where id = %s", ratings.claimed)
    db.act_as_owner()
    assert status(db, ratings.claimed) == ("pending", 0)


def test_raters_of_a_brand_see_only_its_campaigns(db: Session, ratings: Ratings) -> None:
    branded = new_campaign(db, ratings.tenant, brand_id="amazon")
    (branded_task,) = add_tasks(db, ratings.people["manager"], branded, task())
    amazon = new_rater(db, ratings.tenant, "Amy", brand="amazon")
    db.act_as(amazon)
    cursor = str(db.changes_since(None)["cursor"])
    assert db.rows("select id::text from public.campaigns") == [(branded,)]
    assert db.rows("select id::text from public.rating_tasks") == [(branded_task,)]
    changes = str(db.changes_since(cursor)["changes"])
    assert branded in changes
    assert branded_task in changes
    assert ratings.campaign not in changes
    assert ratings.open not in changes
    assert claim(db, amazon, branded) == branded_task
    assert refused(db, amazon, "select public.claim_task(%s)", ratings.campaign) == (
        "This campaign is not yours to rate."
    )
    assert claim(db, ratings.people["mate"], branded) == branded_task


def test_the_judgments_wanted_can_grow_but_not_fall_below_the_judgments_made(
    db: Session, ratings: Ratings
) -> None:
    campaign = new_campaign(db, ratings.tenant, judgments_per_task=1)
    (only,) = add_tasks(db, ratings.people["manager"], campaign, task())
    claim(db, ratings.people["mate"], campaign)
    judge(db, ratings.people["mate"], only)
    assert status(db, only) == ("completed", 1)
    db.run("update public.campaigns set judgments_per_task = 2 where id = %s", campaign)
    assert status(db, only) == ("in_progress", 1)
    claim(db, ratings.people["rater"], campaign)
    judge(db, ratings.people["rater"], only)
    fewer = db.refusal("update public.campaigns set judgments_per_task = 1 where id = %s", campaign)
    assert message(fewer) == "Some tasks have more judgments than that already."


@pytest.mark.parametrize("share", [0, 1])
def test_gold_tasks_come_at_the_campaign_s_share(db: Session, ratings: Ratings, share: int) -> None:
    campaign = new_campaign(db, ratings.tenant, gold_share=share)
    plain, gold = add_tasks(
        db, ratings.people["manager"], campaign, task(priority=share), task(gold_verdict="B")
    )
    assert claim(db, ratings.people["mate"], campaign) == (gold if share else plain)


def test_tasks_are_added_all_or_none_and_only_once(db: Session, ratings: Ratings) -> None:
    manager = ratings.people["manager"]
    add = "select public.create_rating_tasks(%s, %s)"
    good, bad = task(), {**task(), "prompt": " "}
    refusal = refused(db, manager, add, ratings.campaign, json.dumps([good, bad]))
    assert refusal == "Task 2 needs a type, a prompt, two candidates and their names."
    db.act_as(manager)
    for _ in range(2):
        rows = db.value(add, ratings.campaign, json.dumps([good]))
        assert isinstance(rows, list)
        assert [row["id"] for row in rows] == [good["id"]]
    db.act_as_owner()
    assert db.value("select count(*) from public.rating_tasks where id = %s", good["id"]) == 1
    only_sql = new_campaign(db, ratings.tenant, task_types='["sql"]')
    refusal = refused(db, manager, add, only_sql, json.dumps([task()]))
    assert refusal == "Task 1 is of a type that this campaign does not take."
    for person in ("rater", "stranger", "admin"):
        refusal = refused(db, ratings.people[person], add, ratings.campaign, json.dumps([good]))
        assert refusal == "Only a manager of the tenant can add tasks to its campaigns."
