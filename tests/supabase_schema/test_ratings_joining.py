"""Who gets into a tenant, and in which role."""

from __future__ import annotations

import json

from tests.supabase_schema.database import Session, new_person
from tests.supabase_schema.ratings import Ratings, refused


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
