"""After a flood, admins see who has written how much, and delete it. Nobody else does."""

from __future__ import annotations

import pytest

from tests.supabase_schema.database import Session, World, message

COUNT = "select public.clean_up(%s, %s, now() + interval '1 s')"
DELETE = "select public.clean_up(%s, %s, now() + interval '1 s', true)"
WRITES = "select written, deleted from public.writes_by_person() where user_id = %s and table_name = %s"
RUN = (
    "insert into public.agent_runs"
    " (user_id, agent_name, agent_id, status, completed_at, retry_of, created_at)"
    " values (%s, 'flood', 'flood', %s, case when %s <> 'pending' then now() end, %s, now() - %s::interval)"
    " returning id"
)


def new_run(db: Session, person: str, status: str, retry_of: object = None, age: str = "0") -> object:
    """Insert a run as the owner of the database; return its id."""
    return db.value(RUN, person, status, status, retry_of, age)


def test_only_admins_may(db: Session, world: World) -> None:
    for person in (world.people["owner"], world.people["other"], None):
        db.act_as(person)
        for call in (DELETE, COUNT):
            assert db.refusal(call, world.people["owner"], "tavern_messages").pgcode == "42501"
        assert db.refusal("select * from public.writes_by_person()").pgcode == "42501"
        db.act_as_owner()


def test_admins_see_numbers_by_person_and_table(db: Session, world: World) -> None:
    flooder = world.people["other"]
    db.act_as(flooder)
    db.run("insert into public.tavern_messages (body) select 'x' from generate_series(1, 40)")
    db.run("delete from public.tavern_messages where author_id = %s and body = 'x'", flooder)
    db.act_as(world.people["admin"])
    [(written, deleted)] = db.rows(WRITES, flooder, "tavern_messages")
    assert isinstance(written, int)
    assert written >= 40
    assert deleted == 40


@pytest.mark.parametrize(
    ("table", "rows"),
    [
        ("tavern_messages", "insert into public.tavern_messages (author_id, body) select %s, 'x'"),
        (
            "event_messages",
            "insert into public.event_messages (event_id, author_id, body)"
            " select (select max(id::text)::uuid from public.events), %s, 'x'",
        ),
        (
            "private_messages",
            "insert into public.private_messages (sender_id, recipient_id, body) select %s, %s, 'x'",
        ),
        (
            "routing_metrics",
            "insert into public.routing_metrics (user_id, request_id, provider, model)"
            " select %s, gen_random_uuid(), 'p', 'm'",
        ),
    ],
)
def test_admins_count_and_delete_what_one_person_wrote(
    db: Session, world: World, table: str, rows: str
) -> None:
    flooder, victim, admin = (world.people[name] for name in ("other", "owner", "admin"))
    values = (flooder, victim) if rows.count("%s") == 2 else (flooder,)
    db.run(f"{rows} from generate_series(1, 30)", *values)
    before = db.value(f"select count(*) from public.{table}")
    db.act_as(admin)
    count = db.value(COUNT, flooder, table)
    assert isinstance(count, int)
    assert count >= 30
    assert db.value(DELETE, flooder, table) == count
    assert db.value(COUNT, flooder, table) == 0
    db.act_as_owner()
    assert db.value(f"select count(*) from public.{table}") == int(str(before)) - count


def test_runs_that_go_on_stay_with_those_that_they_try_again(db: Session, world: World) -> None:
    flooder = world.people["other"]
    first = new_run(db, flooder, "failed", age="4 minutes")
    second = new_run(db, flooder, "failed", first, "3 minutes")
    running = new_run(db, flooder, "pending", second, "2 minutes")
    gone = new_run(db, flooder, "failed", age="2 minutes")
    gone_too = new_run(db, flooder, "failed", gone, "1 minute")
    db.act_as(world.people["admin"])
    assert db.value(DELETE, flooder, "agent_runs") == db.value("select 2")
    db.act_as_owner()
    left = {row[0] for row in db.rows("select id from public.agent_runs where user_id = %s", flooder)}
    assert {first, second, running} <= left
    assert left.isdisjoint({gone, gone_too})


@pytest.mark.parametrize("table", ["users", "change_log", "auth.users", None])
def test_nothing_else_is_deleted(db: Session, world: World, table: str | None) -> None:
    db.act_as(world.people["admin"])
    refused = db.refusal(DELETE, world.people["other"], table)
    assert message(refused) == "Choose a person, one of the tables and a time."
