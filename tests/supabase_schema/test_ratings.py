"""How tasks are given out, judged and counted: the rules that the database keeps."""

from __future__ import annotations

import json

import pytest

from tests.supabase_schema.database import Session, message, new_person
from tests.supabase_schema.ratings import (
    Ratings,
    add_tasks,
    claim,
    judge,
    new_campaign,
    new_rater,
    new_ratings,
    new_tenant,
    task,
)

OVER = "update public.task_leases set expires_at = clock_timestamp() - interval '1 second' where task_id = %s"


@pytest.fixture
def ratings(db: Session) -> Ratings:
    """Give two tenants, in the test's transaction."""
    return new_ratings(db)


def refused(db: Session, person: str, sql: str, *values: object) -> str:
    """Return the words with which this is refused to the person."""
    db.act_as_owner()
    db.act_as(person)
    words = message(db.refusal(sql, *values))
    db.act_as_owner()
    return words


def asked(db: Session, person: str, sql: str, *values: object) -> dict[str, object]:
    """Return the JSON object that the person is answered with."""
    db.act_as_owner()
    db.act_as(person)
    answer = db.value(sql, *values)
    db.act_as_owner()
    assert isinstance(answer, dict)
    return answer


def status(db: Session, task_id: str) -> tuple[object, ...]:
    """Return the status of a task, and its judgments."""
    (row,) = db.rows("select status, judgments_count from public.rating_tasks where id = %s", task_id)
    return row


# Who may join


def sign_up(db: Session, **said: str) -> str:
    """Make an account that says this of itself."""
    person = new_person(db, "Somebody")
    db.run("delete from auth.users where id = %s", person)
    db.run(
        "insert into auth.users (id, email, raw_user_meta_data) values (%s, %s, %s)",
        person,
        f"{person}@people.example",
        json.dumps(said),
    )
    return person


def profile(db: Session, person: str) -> tuple[object, ...] | None:
    """Return whose rater the person is, as whom, and what of it tokens say."""
    rows = db.rows(
        "select tenant_id, rater_id, profile.role, name, raw_app_meta_data ->> 'tenant_id',"
        " raw_app_meta_data ->> 'rater_id' from public.rater_profiles as profile"
        " join auth.users on id = user_id"
        " where user_id = %s",
        person,
    )
    return rows[0] if rows else None


def test_naming_a_tenant_at_sign_up_lets_nobody_in(db: Session, ratings: Ratings) -> None:
    person = sign_up(db, tenant_id=ratings.tenant, rater_id="rater_001", name="Mallory")
    assert profile(db, person) is None
    wrong = sign_up(db, tenant_id=ratings.tenant, invite_code="0" * 24)
    assert profile(db, wrong) is None


def test_an_invitation_lets_in_as_often_as_it_says(db: Session, ratings: Ratings) -> None:
    code = db.value(
        "insert into public.tenant_invites (tenant_id, uses_left) values (%s, 1) returning code",
        ratings.tenant,
    )
    said = {"tenant_id": ratings.tenant, "invite_code": str(code), "name": "John"}
    first = sign_up(db, rater_id="rater_001", **said)
    assert profile(db, first) == ((ratings.tenant, "rater_001", "rater", "John", ratings.tenant, "rater_001"))
    second = sign_up(db, rater_id="rater_002", **said)
    assert profile(db, second) is None
    words = refused(db, second, "select public.join_tenant(null, %s)", code)
    assert words == "This invitation is not valid (any more)."


def test_metadata_that_is_changed_later_counts_for_nothing(db: Session, ratings: Ratings) -> None:
    rater = ratings.people["rater"]
    before = profile(db, rater)
    forged = json.dumps({"tenant_id": "elsewhere", "rater_id": "boss"})
    db.run("update auth.users set raw_user_meta_data = %s where id = %s", forged, rater)
    db.run("update auth.users set raw_app_meta_data = %s where id = %s", forged, rater)
    assert profile(db, rater) == before


def test_open_sign_up_lets_in_as_a_rater(db: Session, ratings: Ratings) -> None:
    db.run("update public.tenants set open_signup = true where id = %s", ratings.tenant)
    person = sign_up(db, tenant_id=ratings.tenant)
    found = profile(db, person)
    assert found is not None
    assert found[2] == "rater"
    db.act_as(person)
    assert (ratings.tenant, "Acme") in db.rows("select id, name from public.open_tenants()")


def test_joining_is_refused_in_words(db: Session, ratings: Ratings) -> None:
    other, rater = ratings.people["other"], ratings.people["rater"]
    join = "select public.join_tenant(%s, null, %s)"
    closed = "This tenant takes nobody without an invitation."
    assert refused(db, other, join, ratings.tenant, "x") == closed
    assert refused(db, other, join, "nobody_is_called_so", "x") == closed
    assert refused(db, rater, join, ratings.tenant, "x") == "You belong to a tenant already."
    assert refused(db, rater, "select public.create_tenant('new_one', 'New')") == (
        "You belong to a tenant already."
    )
    assert refused(db, other, "select public.create_tenant(%s, 'Mine')", ratings.tenant) == (
        "A tenant with this id exists already."
    )
    db.run("update public.tenants set open_signup = true where id = %s", ratings.tenant)
    taken = db.value("select rater_id from public.rater_profiles where user_id = %s", rater)
    assert refused(db, other, join, ratings.tenant, taken) == "This rater id is taken."


def test_the_last_manager_stays_and_who_is_suspended_sees_nothing(db: Session, ratings: Ratings) -> None:
    manager, rater = ratings.people["manager"], ratings.people["rater"]
    set_role = "update public.rater_profiles set role = %s where user_id = %s"
    assert refused(db, manager, set_role, "rater", manager) == "A tenant needs at least one manager."
    db.act_as(manager)
    db.run("update public.rater_profiles set active = false where user_id = %s", rater)
    db.act_as_owner()
    assert db.value("select role from public.rating_roles where user_id = %s", rater) == "none"
    assert db.value("select raw_app_meta_data ->> 'tenant_id' from auth.users where id = %s", rater) is None
    db.act_as(rater)
    for table in ("tenants", "campaigns", "rating_tasks", "judgments", "task_leases", "rating_task_contents"):
        assert db.rows(f"select from public.{table}") == [], table
    assert refused(db, rater, "select public.claim_task(%s)", ratings.campaign) == "Join a tenant first."


# What is given to whom


def test_the_most_urgent_comes_first_and_the_same_until_it_is_done(db: Session, ratings: Ratings) -> None:
    mate = ratings.people["mate"]
    order = [ratings.judged, ratings.claimed, ratings.open]
    for expected in order:
        assert claim(db, mate, ratings.campaign) == expected
        assert claim(db, mate, ratings.campaign) == expected
        judge(db, mate, expected)
    assert claim(db, mate, ratings.campaign) is None


def test_places_are_never_more_than_the_judgments_wanted(db: Session, ratings: Ratings) -> None:
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


def test_a_lease_that_ran_out_returns_to_the_queue_without_anybodys_doing(
    db: Session, ratings: Ratings
) -> None:
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


def test_a_late_judgment_counts_while_nobody_has_taken_the_place(db: Session, ratings: Ratings) -> None:
    rater = ratings.people["rater"]
    db.run(OVER, ratings.claimed)
    judge(db, rater, ratings.claimed, "B")
    assert status(db, ratings.claimed) == ("in_progress", 1)


def test_a_sign_of_life_begins_the_lease_anew(db: Session, ratings: Ratings) -> None:
    rater = ratings.people["rater"]
    for passed in ("500 seconds", "700 seconds"):
        db.run(
            "update public.task_leases set expires_at = expires_at - %s::interval where task_id = %s",
            passed,
            ratings.claimed,
        )
        asked(db, rater, "select public.extend_lease(%s)", ratings.claimed)
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


def test_what_is_skipped_comes_not_again_and_what_is_given_back_comes_last(
    db: Session, ratings: Ratings
) -> None:
    mate = ratings.people["mate"]
    assert claim(db, mate, ratings.campaign) == ratings.judged
    asked(db, mate, "select public.skip_task(%s)", ratings.judged)
    assert claim(db, mate, ratings.campaign) == ratings.claimed
    asked(db, mate, "select public.release_task(%s)", ratings.claimed)
    assert claim(db, mate, ratings.campaign) == ratings.open
    judge(db, mate, ratings.open)
    assert claim(db, mate, ratings.campaign) == ratings.claimed
    judge(db, mate, ratings.claimed)
    assert claim(db, mate, ratings.campaign) is None
    back = asked(db, mate, "select public.resume_task(%s)", ratings.judged)
    assert back["content"]
    judge(db, mate, ratings.judged)
    assert refused(db, mate, "select public.resume_task(%s)", ratings.judged) == (
        "There is nothing to be done for this task any more."
    )


def test_nobody_judges_what_was_not_given_to_them(db: Session, ratings: Ratings) -> None:
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


def test_a_campaign_gives_tasks_while_it_is_active(db: Session, ratings: Ratings) -> None:
    rater, mate = ratings.people["rater"], ratings.people["mate"]
    db.run("update public.campaigns set status = 'paused' where id = %s", ratings.campaign)
    closed = "This campaign is not open for rating at the moment."
    assert refused(db, mate, "select public.claim_task(%s)", ratings.campaign) == closed
    assert claim(db, rater, ratings.campaign) == ratings.claimed
    judge(db, rater, ratings.claimed)
    db.run("update public.campaigns set status = 'completed' where id = %s", ratings.campaign)
    assert refused(db, rater, "select public.claim_task(%s)", ratings.campaign) == closed


def test_a_withdrawn_task_is_nobodys(db: Session, ratings: Ratings) -> None:
    rater, manager = ratings.people["rater"], ratings.people["manager"]
    db.act_as(manager)
    db.run("update public.rating_tasks set status = 'withdrawn' where id = %s", ratings.claimed)
    words = refused(db, rater, "select public.submit_judgment(%s, 'A')", ratings.claimed)
    assert words == "This task was withdrawn. Go on with the next one."
    assert claim(db, rater, ratings.campaign) == ratings.open
    db.act_as_owner()
    db.act_as(manager)
    db.run("update public.rating_tasks set status = 'completed' where id = %s", ratings.claimed)
    db.act_as_owner()
    assert status(db, ratings.claimed) == ("pending", 0)


def test_raters_of_a_brand_see_its_campaigns_alone(db: Session, ratings: Ratings) -> None:
    branded = new_campaign(db, ratings.tenant, brand_id="amazon")
    (branded_task,) = add_tasks(db, ratings.people["manager"], branded, task())
    amazon = new_rater(db, ratings.tenant, "Amy", brand="amazon")
    db.act_as(amazon)
    cursor = str(db.changes_since(None)["cursor"])
    assert db.rows("select id::text from public.campaigns") == [(branded,)]
    assert db.rows("select id::text from public.rating_tasks") == [(branded_task,)]
    told = str(db.changes_since(cursor)["changes"])
    assert branded in told
    assert branded_task in told
    assert ratings.campaign not in told
    assert ratings.open not in told
    assert claim(db, amazon, branded) == branded_task
    assert refused(db, amazon, "select public.claim_task(%s)", ratings.campaign) == (
        "This campaign is not yours to rate."
    )
    assert claim(db, ratings.people["mate"], branded) == branded_task


def test_more_judgments_can_be_wanted_and_never_fewer_than_there_are(db: Session, ratings: Ratings) -> None:
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
def test_gold_tasks_come_as_often_as_the_campaign_says(db: Session, ratings: Ratings, share: int) -> None:
    campaign = new_campaign(db, ratings.tenant, gold_share=share)
    plain, gold = add_tasks(
        db, ratings.people["manager"], campaign, task(priority=share), task(gold_verdict="B")
    )
    assert claim(db, ratings.people["mate"], campaign) == (gold if share else plain)


# Blind until voted


def test_before_the_vote_nothing_tells_who_is_who_or_what_others_said(db: Session, ratings: Ratings) -> None:
    mate = ratings.people["mate"]
    assert claim(db, mate, ratings.campaign) == ratings.judged
    for table in ("rating_task_secrets", "judgments", "candidate_tallies"):
        assert db.rows(f"select from public.{table}") == [], table
    content = db.rows("select * from public.rating_task_contents") + db.rows(
        "select * from public.rating_tasks"
    )
    assert len(content) == 4
    for secret in ("adapter v1", "secret-model-a", "Better"):
        assert secret not in str(content)
    assert refused(db, mate, "select public.reveal_task(%s)", ratings.judged) == "Judge the task first."
    judge(db, mate, ratings.judged, "B")
    # The rater went on to the next task, which did not make the first judgment final: only a vote would.
    assert asked(db, mate, "select public.reveal_task(%s)", ratings.judged) == {
        "name_a": "base",
        "name_b": "adapter v1",
        "model_a": "secret-model-a",
        "model_b": None,
        "gold_verdict": None,
        "gold_reason": None,
        "judgments": [
            {"rater_id": rater_id, "verdict": "B", "comment": ""}
            for (rater_id,) in db.rows("select rater_id from public.rater_profiles where user_id = %s", mate)
        ],
    }


def test_a_judgment_is_undone_in_time_and_not_after_it_taught_something(
    db: Session, ratings: Ratings
) -> None:
    rater = ratings.people["rater"]
    judge(db, rater, ratings.claimed, "A")
    # With it the earlier judgment became final.
    late = "It is too late to undo this judgment."
    undo = "select public.undo_judgment(%s)"
    assert refused(db, rater, undo, ratings.judged) == late
    undone = asked(db, rater, undo, ratings.claimed)
    assert undone["judgment"]
    assert status(db, ratings.claimed) == ("in_progress", 0)
    assert claim(db, rater, ratings.campaign) == ratings.claimed
    judge(db, rater, ratings.claimed, "B")
    asked(db, rater, "select public.reveal_task(%s)", ratings.claimed)
    assert refused(db, rater, undo, ratings.claimed) == late
    assert refused(db, rater, undo, ratings.open) == "This task was not given to you."
    claim(db, rater, ratings.campaign)
    judge(db, rater, ratings.open, "A")
    db.run(
        "update public.judgments set judged_at = judged_at - interval '61 seconds' where task_id = %s",
        ratings.open,
    )
    assert refused(db, rater, undo, ratings.open) == late


def test_the_same_judgment_again_is_the_same_and_another_one_is_refused(
    db: Session, ratings: Ratings
) -> None:
    rater = ratings.people["rater"]
    submit = "select public.submit_judgment(%s, %s, 'Why')"
    once = asked(db, rater, submit, ratings.claimed, "A")
    assert asked(db, rater, submit, ratings.claimed, "A") == once
    assert refused(db, rater, submit, ratings.claimed, "B") == "You have judged this task already."


def test_a_final_judgment_is_final_for_everybody(db: Session, ratings: Ratings) -> None:
    db.run("update public.judgments set sealed_at = clock_timestamp() where task_id = %s", ratings.judged)
    for change in ("verdict = 'B'", "undone_at = now()", "sealed_at = null"):
        refusal = db.refusal(f"update public.judgments set {change} where task_id = %s", ratings.judged)
        assert message(refusal) == "This judgment is final."


# What is counted


def counts(db: Session, person: str) -> tuple[object, ...]:
    """Return judgments, pairs compared and alike, gold tasks and right ones, streak."""
    (row,) = db.rows(
        "select total_judgments, compared, agreed, gold_total, gold_correct, streak, best_streak"
        " from public.rater_profiles where user_id = %s",
        person,
    )
    return row


def test_agreement_gold_and_rankings_count_final_judgments(db: Session, ratings: Ratings) -> None:
    campaign = new_campaign(db, ratings.tenant)
    names = {"name_a": "zeta", "name_b": "alpha"}
    plain, gold = add_tasks(
        db, ratings.people["manager"], campaign, task(priority=1, **names), task(gold_verdict="A", **names)
    )
    raters = [new_rater(db, ratings.tenant, f"R{number}") for number in range(3)]
    for rater, verdict in zip(raters, ("A", "A", "tie"), strict=True):
        assert claim(db, rater, campaign) == plain
        judge(db, rater, plain, verdict)
        assert claim(db, rater, campaign) == gold
    # Nothing of it is final yet.
    assert [counts(db, rater) for rater in raters] == [(1, 0, 0, 0, 0, 1, 1)] * 3
    for rater, verdict in zip(raters, ("A", "B", "A"), strict=True):
        judge(db, rater, gold, verdict)
    assert [counts(db, rater)[:5] for rater in raters] == [(2, 2, 1, 0, 0), (2, 2, 1, 0, 0), (2, 2, 0, 0, 0)]
    db.run("update public.campaigns set status = 'completed' where id = %s", campaign)
    assert [counts(db, rater)[:5] for rater in raters] == [(2, 4, 2, 1, 1), (2, 4, 1, 1, 0), (2, 4, 1, 1, 1)]
    tally = "select first, second, first_wins, second_wins, ties, both_bad from public.candidate_tallies"
    assert db.rows(f"{tally} where campaign_id = %s", campaign) == [("alpha", "zeta", 0, 2, 1, 0)]
    db.act_as(raters[0])
    assert db.rows(f"{tally} where campaign_id = %s", campaign) != []


def test_what_nobody_can_undo_any_more_is_settled_when_somebody_asks(db: Session, ratings: Ratings) -> None:
    db.act_as(ratings.people["mate"])
    db.value("select public.settle_judgments(%s)", ratings.campaign)
    db.act_as_owner()
    sealed = "select sealed_at is not null from public.judgments where task_id = %s"
    assert db.value(sealed, ratings.judged) is False
    db.run(
        "update public.judgments set judged_at = judged_at - interval '61 seconds' where task_id = %s",
        ratings.judged,
    )
    db.act_as(ratings.people["mate"])
    db.value("select public.settle_judgments(%s)", ratings.campaign)
    db.act_as_owner()
    assert db.value(sealed, ratings.judged) is True
    assert refused(db, ratings.people["stranger"], "select public.settle_judgments(%s)", ratings.campaign)


def test_a_streak_is_of_days_in_a_row(db: Session, ratings: Ratings) -> None:
    rater = ratings.people["rater"]
    days = "update public.judgments set judged_at = judged_at - interval '1 day' where user_id = %s"
    judge(db, rater, ratings.claimed)
    assert counts(db, rater)[5:] == (1, 1)
    claim(db, rater, ratings.campaign)
    db.act_as_owner()
    db.run("alter table public.judgments disable trigger guard_judgment")
    db.run(days, rater)
    judge(db, rater, ratings.open)
    assert counts(db, rater)[5:] == (2, 2)
    db.run("alter table public.judgments enable trigger guard_judgment")
    asked(db, rater, "select public.undo_judgment(%s)", ratings.open)
    assert counts(db, rater)[5:] == (1, 2)


def test_judgments_stay_when_the_account_goes_and_the_rater_id_is_not_given_again(
    db: Session, ratings: Ratings
) -> None:
    rater = ratings.people["rater"]
    name = db.value("select rater_id from public.rater_profiles where user_id = %s", rater)
    db.run("delete from auth.users where id = %s", rater)
    assert db.rows(
        "select user_id, rater_id, verdict from public.judgments where task_id = %s", ratings.judged
    ) == [(None, name, "A")]
    # Its lease went with it, so the task is free at once.
    assert db.value("select leased_until from public.rating_tasks where id = %s", ratings.claimed) == []
    db.run("update public.tenants set open_signup = true where id = %s", ratings.tenant)
    words = refused(
        db, ratings.people["other"], "select public.join_tenant(%s, null, %s)", ratings.tenant, name
    )
    assert words == "This rater id is taken."


# Who is told of what


def test_nobody_outside_is_told_a_key_and_raters_none_of_each_other(db: Session) -> None:
    cursor = str(db.changes_since(None)["cursor"])
    ratings = new_ratings(db)
    told: dict[str, dict[str, list[str]]] = {}
    for name in ("manager", "rater", "mate", "stranger", "admin", "other"):
        db.act_as_owner()
        db.act_as(ratings.people[name])
        changes = db.changes_since(cursor)["changes"]
        assert isinstance(changes, list)
        told[name] = {change["table"]: [] for change in changes}
        for change in changes:
            told[name][change["table"]].append(str(change["key"]))
    theirs = (ratings.tenant, ratings.campaign, ratings.judged, ratings.claimed, ratings.open)
    for name in ("stranger", "admin", "other"):
        assert not any(part in str(told[name]) for part in theirs), name
    assert len(told["manager"]["judgments"]) == 1
    assert len(told["rater"]["judgments"]) == 1
    assert "judgments" not in told["mate"]
    assert "task_leases" not in told["mate"]
    for name in ("rater", "mate"):
        assert not told[name].keys() & {"tenant_invites", "rating_task_secrets", "rating_task_contents"}
        assert ratings.open in str(told[name]["rating_tasks"])
    assert "rating_task_secrets" in told["manager"]


def test_the_activity_feed_of_admins_shows_nothing_of_tenants(db: Session, ratings: Ratings) -> None:
    db.act_as(ratings.people["admin"])
    shown = db.rows("select distinct table_name from public.change_log")
    assert not {str(name) for (name,) in shown} & {
        "tenants", "rating_roles", "rater_profiles", "campaigns", "rating_tasks", "judgments", "task_leases",
    }  # fmt: skip


def test_tasks_are_added_all_or_none_and_once(db: Session, ratings: Ratings) -> None:
    manager = ratings.people["manager"]
    add = "select public.create_rating_tasks(%s, %s)"
    good, bad = task(), {**task(), "prompt": " "}
    words = refused(db, manager, add, ratings.campaign, json.dumps([good, bad]))
    assert words == "Task 2 needs a type, a prompt, two candidates and their names."
    db.act_as(manager)
    for _ in range(2):
        rows = db.value(add, ratings.campaign, json.dumps([good]))
        assert isinstance(rows, list)
        assert [row["id"] for row in rows] == [good["id"]]
    db.act_as_owner()
    assert db.value("select count(*) from public.rating_tasks where id = %s", good["id"]) == 1
    only_sql = new_campaign(db, ratings.tenant, task_types='["sql"]')
    words = refused(db, manager, add, only_sql, json.dumps([task()]))
    assert words == "Task 1 is of a type that this campaign does not take."
    for person in ("rater", "stranger", "admin"):
        words = refused(db, ratings.people[person], add, ratings.campaign, json.dumps([good]))
        assert words == "Only a manager of the tenant can add tasks to its campaigns."
