"""`diagnostics()`: what it returns, and who may call it."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.supabase_schema.database import Session, World, message

ASK = "select public.diagnostics()"


def test_an_admin_gets_the_facts(db: Session, world: World) -> None:
    published = {
        str(name)
        for (name,) in db.rows(
            "select tablename from pg_publication_tables where pubname = 'supabase_realtime'"
        )
    }
    db.act_as(world.people["admin"])
    facts = db.value(ASK)
    assert isinstance(facts, dict)
    assert {"users", "events", "change_log"} <= set(facts["published"]) == published
    assert abs(datetime.fromisoformat(facts["server_time"]) - datetime.now(UTC)) < timedelta(minutes=1)
    assert facts["server_version"][0].isdigit()
    assert facts["migrations"] is None or "20261120090000" in facts["migrations"]


@pytest.mark.parametrize("person", ["owner", "cohost", "other"])
def test_a_signed_in_person_who_is_no_admin_is_refused(db: Session, world: World, person: str) -> None:
    db.act_as(world.people[person])
    refused = db.refusal(ASK)
    assert (refused.pgcode, message(refused)) == ("42501", "Only an admin can run the diagnostics.")


@pytest.mark.parametrize("role", ["anon", "service_role"])
def test_no_other_role_may_call_it(db: Session, world: World, role: str) -> None:
    db.act_as(None, role)
    assert db.refusal(ASK).pgcode == "42501"


def test_a_former_admin_is_refused(db: Session, world: World) -> None:
    db.run("update public.users set role = 'member' where id = %s", world.people["admin"])
    db.act_as(world.people["admin"])
    assert db.refusal(ASK).pgcode == "42501"
