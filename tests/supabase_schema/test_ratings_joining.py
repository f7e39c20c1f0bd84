"""Joining a tenant: who may, and in which role."""

from __future__ import annotations

import json

from tests.supabase_schema.database import Session, new_person
from tests.supabase_schema.ratings import Ratings, refused


def sign_up(db: Session, **metadata: str) -> str:
    """Create an account with this metadata."""
    person = new_person(db, "Somebody")
    db.run("delete from auth.users where id = %s", person)
    db.run(
        "insert into auth.users (id, email, raw_user_meta_data) values (%s, %s, %s)",
        person,
        f"{person}@people.example",
        json.dumps(metadata),
    )
    return person


def profile(db: Session, person: str) -> tuple[object, ...] | None:
    """Return the person's tenant, rater id and role, and the claims of their tokens."""
    rows = db.rows(
        "select tenant_id, rater_id, profile.role, name, raw_app_meta_data ->> 'tenant_id',"
        " raw_app_meta_data ->> 'rater_id' from public.rater_profiles as profile"
        " join auth.users on id = user_id"
        " where user_id = %s",
        person,
    )
    return rows[0] if rows else None


def test_naming_a_tenant_at_sign_up_does_not_join_it(db: Session, ratings: Ratings) -> None:
    person = sign_up(db, tenant_id=ratings.tenant, rater_id="rater_001", name="Mallory")
    assert profile(db, person) is None
    wrong = sign_up(db, tenant_id=ratings.tenant, invite_code="0" * 24)
    assert profile(db, wrong) is None


def test_an_invitation_has_a_number_of_uses(db: Session, ratings: Ratings) -> None:
    code = db.value(
        "insert into public.tenant_invites (tenant_id, uses_left) values (%s, 1) returning code",
        ratings.tenant,
    )
    metadata = {"tenant_id": ratings.tenant, "invite_code": str(code), "name": "John"}
    first = sign_up(db, rater_id="rater_001", **metadata)
    assert profile(db, first) == ((ratings.tenant, "rater_001", "rater", "John", ratings.tenant, "rater_001"))
    second = sign_up(db, rater_id="rater_002", **metadata)
    assert profile(db, second) is None
    refusal = refused(db, second, "select public.join_tenant(null, %s)", code)
    assert refusal == "This invitation is not valid (any more)."


def test_metadata_that_is_changed_later_has_no_effect(db: Session, ratings: Ratings) -> None:
    rater = ratings.people["rater"]
    before = profile(db, rater)
    forged = json.dumps({"tenant_id": "elsewhere", "rater_id": "boss"})
    db.run("update auth.users set raw_user_meta_data = %s where id = %s", forged, rater)
    db.run("update auth.users set raw_app_meta_data = %s where id = %s", forged, rater)
    assert profile(db, rater) == before


def test_anybody_joins_a_tenant_with_open_sign_up_as_a_rater(db: Session, ratings: Ratings) -> None:
    db.run("update public.tenants set open_signup = true where id = %s", ratings.tenant)
    person = sign_up(db, tenant_id=ratings.tenant)
    found = profile(db, person)
    assert found is not None
    assert found[2] == "rater"
    db.act_as(person)
    assert (ratings.tenant, "Acme") in db.rows("select id, name from public.open_tenants()")


def test_joining_is_refused_with_a_reason(db: Session, ratings: Ratings) -> None:
    other, rater = ratings.people["other"], ratings.people["rater"]
    join = "select public.join_tenant(%s, null, %s)"
    closed = "This tenant takes nobody without an invitation."
    assert refused(db, other, join, ratings.tenant, "x") == closed
    assert refused(db, other, join, "nobody_is_called_so", "x") == closed
    assert refused(db, rater, join, ratings.tenant, "x") == "You belong to a tenant already."
    assert refused(db, rater, "select public.create_tenant('new_one', 'New')") == (
        "You belong to a tenant already."
    )
    db.run("update public.tenants set open_signup = true where id = %s", ratings.tenant)
    taken = db.value("select rater_id from public.rater_profiles where user_id = %s", rater)
    assert refused(db, other, join, ratings.tenant, taken) == "This rater id is taken."


def test_founding_a_tenant_does_not_tell_that_another_exists(db: Session, ratings: Ratings) -> None:
    db.act_as(ratings.people["other"])
    profile = db.value("select public.create_tenant(%s, 'Mine')", ratings.tenant)
    assert isinstance(profile, dict)
    assert profile["role"] == "manager"
    assert str(profile["tenant_id"]).startswith(f"{ratings.tenant}_")
    assert db.rows("select id from public.tenants") == [(profile["tenant_id"],)]


def test_the_last_manager_cannot_leave_and_a_suspended_member_sees_nothing(
    db: Session, ratings: Ratings
) -> None:
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
    assert refused(db, rater, "select public.claim_task(%s)", ratings.campaign) == (
        "You are no longer a rater. A manager of your tenant can reinstate you."
    )
    db.act_as_owner()
    newcomer = new_person(db, "newcomer")
    assert refused(db, newcomer, "select public.claim_task(%s)", ratings.campaign) == "Join a tenant first."
