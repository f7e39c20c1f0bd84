"""Judging tasks blindly: what raters see, what is counted, and who gets the changes."""

from __future__ import annotations

from tests.supabase_schema.database import Session, message
from tests.supabase_schema.ratings import (
    Ratings,
    add_tasks,
    answer_of,
    claim,
    judge,
    new_campaign,
    new_rater,
    new_ratings,
    refused,
    status,
    task,
)


def test_before_their_vote_raters_see_neither_candidates_nor_other_verdicts(
    db: Session, ratings: Ratings
) -> None:
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
    # The rater claimed the next task. That does not make the first judgment final; judging it would.
    assert answer_of(db, mate, "select public.reveal_task(%s)", ratings.judged) == {
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


def test_a_judgment_can_be_undone_in_time_unless_it_was_revealed(db: Session, ratings: Ratings) -> None:
    rater = ratings.people["rater"]
    judge(db, rater, ratings.claimed, "A")
    # This made the earlier judgment final.
    late = "It is too late to undo this judgment."
    undo = "select public.undo_judgment(%s)"
    assert refused(db, rater, undo, ratings.judged) == late
    undone = answer_of(db, rater, undo, ratings.claimed)
    assert undone["judgment"]
    assert status(db, ratings.claimed) == ("in_progress", 0)
    assert claim(db, rater, ratings.campaign) == ratings.claimed
    judge(db, rater, ratings.claimed, "B")
    answer_of(db, rater, "select public.reveal_task(%s)", ratings.claimed)
    assert refused(db, rater, undo, ratings.claimed) == late
    assert refused(db, rater, undo, ratings.open) == "This task was not given to you."
    claim(db, rater, ratings.campaign)
    judge(db, rater, ratings.open, "A")
    db.run(
        "update public.judgments set judged_at = judged_at - interval '61 seconds' where task_id = %s",
        ratings.open,
    )
    assert refused(db, rater, undo, ratings.open) == late


def test_the_same_judgment_again_changes_nothing_and_another_one_is_refused(
    db: Session, ratings: Ratings
) -> None:
    rater = ratings.people["rater"]
    submit = "select public.submit_judgment(%s, %s, 'Why')"
    once = answer_of(db, rater, submit, ratings.claimed, "A")
    assert answer_of(db, rater, submit, ratings.claimed, "A") == once
    assert refused(db, rater, submit, ratings.claimed, "B") == "You have judged this task already."


def test_nobody_changes_a_final_judgment(db: Session, ratings: Ratings) -> None:
    db.run("update public.judgments set sealed_at = clock_timestamp() where task_id = %s", ratings.judged)
    for change in ("verdict = 'B'", "undone_at = now()", "sealed_at = null"):
        refusal = db.refusal(f"update public.judgments set {change} where task_id = %s", ratings.judged)
        assert message(refusal) == "This judgment is final."


def counts(db: Session, person: str) -> tuple[object, ...]:
    """Return the counts of judgments, compared and agreed pairs, gold and correct tasks, and the streak."""
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
    # No judgment is final yet.
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


def test_settling_makes_judgments_final_that_cannot_be_undone_any_more(db: Session, ratings: Ratings) -> None:
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


def test_a_streak_counts_days_in_a_row(db: Session, ratings: Ratings) -> None:
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
    answer_of(db, rater, "select public.undo_judgment(%s)", ratings.open)
    assert counts(db, rater)[5:] == (1, 2)


def test_judgments_stay_after_an_account_is_deleted_and_the_rater_id_stays_taken(
    db: Session, ratings: Ratings
) -> None:
    rater = ratings.people["rater"]
    name = db.value("select rater_id from public.rater_profiles where user_id = %s", rater)
    db.run("delete from auth.users where id = %s", rater)
    assert db.rows(
        "select user_id, rater_id, verdict from public.judgments where task_id = %s", ratings.judged
    ) == [(None, name, "A")]
    # The account's lease was deleted with it, so the task is free at once.
    assert db.value("select leased_until from public.rating_tasks where id = %s", ratings.claimed) == []
    db.run("update public.tenants set open_signup = true where id = %s", ratings.tenant)
    refusal = refused(
        db, ratings.people["other"], "select public.join_tenant(%s, null, %s)", ratings.tenant, name
    )
    assert refusal == "This rater id is taken."


def test_outsiders_get_no_key_and_raters_none_of_each_other(db: Session) -> None:
    cursor = str(db.changes_since(None)["cursor"])
    ratings = new_ratings(db)
    returned: dict[str, dict[str, list[str]]] = {}
    for name in ("manager", "rater", "mate", "stranger", "admin", "other"):
        db.act_as_owner()
        db.act_as(ratings.people[name])
        changes = db.changes_since(cursor)["changes"]
        assert isinstance(changes, list)
        returned[name] = {change["table"]: [] for change in changes}
        for change in changes:
            returned[name][change["table"]].append(str(change["key"]))
    theirs = (ratings.tenant, ratings.campaign, ratings.judged, ratings.claimed, ratings.open)
    for name in ("stranger", "admin", "other"):
        assert not any(part in str(returned[name]) for part in theirs), name
    assert len(returned["manager"]["judgments"]) == 1
    assert len(returned["rater"]["judgments"]) == 1
    assert "judgments" not in returned["mate"]
    assert "task_leases" not in returned["mate"]
    for name in ("rater", "mate"):
        assert not returned[name].keys() & {"tenant_invites", "rating_task_secrets", "rating_task_contents"}
        assert ratings.open in str(returned[name]["rating_tasks"])
    assert "rating_task_secrets" in returned["manager"]


def test_the_activity_feed_of_admins_shows_nothing_of_tenants(db: Session, ratings: Ratings) -> None:
    db.act_as(ratings.people["admin"])
    shown = db.rows("select distinct table_name from public.change_log")
    assert not {str(name) for (name,) in shown} & {
        "tenants", "rating_roles", "rater_profiles", "campaigns", "rating_tasks", "judgments", "task_leases",
    }  # fmt: skip


def test_the_activity_feed_shows_no_counters_of_an_admin_who_rates(db: Session, ratings: Ratings) -> None:
    rater = ratings.people["rater"]
    db.run("update public.users set role = 'admin' where id = %s", rater)
    judge(db, rater, ratings.claimed, "A")
    db.act_as(rater)
    shown = {table for (table,) in db.rows("select distinct table_name from public.change_log")}
    assert "users" in shown
    assert not shown & {
        "task_leases",
        "judgments",
        "rater_profiles",
        "rating_tasks",
        "rating_roles",
        "tenants",
    }
