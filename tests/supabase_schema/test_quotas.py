"""Nobody can flood a table that they may write, and nobody who works notices."""

from __future__ import annotations

import pytest

from tests.supabase_schema.database import Session, World, new_person, session

DEFAULT = (
    "update private.quotas set rows_per_minute = 240, rows_at_once = 600, bytes_per_minute = 2000000,"
    " bytes_at_once = 5000000 where table_name = 'tavern_messages'"
)
"""The quota of the migration. The stack of the tests has a wider one."""
SAY = "insert into public.tavern_messages (body) select 'x' from generate_series(1, %s)"


@pytest.fixture(autouse=True)
def default_quota(db: Session) -> None:
    """Give the messages of this transaction the quota that they have outside of tests."""
    db.run(DEFAULT)


def test_a_flood_is_refused_whole_and_says_to_send_less(db: Session, world: World) -> None:
    db.act_as(world.people["other"])
    refused = db.refusal(SAY, 12_000)
    assert (refused.pgcode, refused.diag.message_primary) == (
        "PT429",
        "That is too much at once. Please send it in smaller parts.",
    )
    assert db.run(SAY, 3) == 3


def test_a_flood_is_refused_at_the_first_row_too_many(db: Session, world: World) -> None:
    db.act_as(world.people["other"])
    # The next rows would fail, but they are not read any more.
    flood = (
        "insert into public.tavern_messages (body) select 'x' || 1 / (700 - n) from generate_series(1, %s) n"
    )
    assert db.refusal(flood, 900).pgcode == "PT429"


def test_changes_of_too_many_rows_are_refused_at_the_first_one_too_many(db: Session, world: World) -> None:
    db.act_as_owner()
    said = "insert into public.tavern_messages (author_id, body) select %s, n from generate_series(1, %s) n"
    db.run(said, world.people["other"], 900)
    db.act_as(world.people["other"])
    edit = "update public.tavern_messages set body = (1 / (700 - body::int))::text where author_id = %s"
    assert db.refusal(edit, world.people["other"]).pgcode == "PT429"


def test_each_statement_counts_its_own_rows(db: Session, world: World) -> None:
    db.act_as(world.people["other"])
    assert [db.run(SAY, 200) for _ in range(3)] == [200, 200, 200]
    db.act_as_owner()
    db.run("update private.quota_use set refilled_at = refilled_at - interval '1 day'")
    db.act_as(world.people["other"])
    assert db.run(SAY, 600) == 600
    db.act_as_owner()
    sql = "insert into public.tavern_messages (author_id, body) select %s, 'x' from generate_series(1, 2000)"
    assert db.run(sql, world.people["other"]) == 2000


def test_a_used_up_bucket_names_the_wait_in_seconds(db: Session, world: World) -> None:
    db.act_as(world.people["other"])
    assert db.run(SAY, 600) == 600
    refused = db.refusal(SAY, 40)
    wait = int(refused.diag.message_detail or "")
    assert refused.diag.message_primary == f"A little slower, please: try again in {wait} s."
    assert 1 <= wait <= 10  # 240 rows a minute


def test_a_bucket_fills_evenly(db: Session, world: World) -> None:
    db.act_as(world.people["other"])
    db.run(SAY, 600)
    db.act_as_owner()
    db.run("update private.quota_use set refilled_at = refilled_at - interval '15 s'")
    db.act_as(world.people["other"])
    assert db.run(SAY, 60) == 60
    assert db.refusal(SAY, 60).pgcode == "PT429"


def test_bytes_count_too(db: Session, world: World) -> None:
    db.act_as_owner()
    few = "update private.quotas set bytes_at_once = 20000, bytes_per_minute = 9 where table_name = %s"
    db.run(few, "tavern_messages")
    db.act_as(world.people["other"])
    said = "insert into public.tavern_messages (body) select repeat('ab', 500) from generate_series(1, %s)"
    assert db.run(said, 10) == 10
    assert db.refusal(said, 30).pgcode == "PT429"


def test_changes_count_as_new_rows_do(db: Session, world: World) -> None:
    db.act_as(world.people["other"])
    db.run(SAY, 400)
    edit = "update public.tavern_messages set body = 'y' where author_id = %s"
    assert db.refusal(edit, world.people["other"]).pgcode == "PT429"


def test_rows_that_are_there_already_use_nothing_up(db: Session, world: World) -> None:
    """A program that sends its rows again, because an answer was lost, is not held up."""
    db.act_as(world.people["other"])
    again = (
        "insert into public.tavern_messages (id, body) select md5('sent ' || n)::uuid, 'x'"
        " from generate_series(1, %s) n on conflict (id) do nothing"
    )
    assert db.run(again, 590) == 590
    assert [db.run(again, 590) for _ in range(3)] == [0, 0, 0]
    assert db.run(again, 595) == 5
    assert db.refusal(again, 601).pgcode == "PT429"  # only of one statement they count, before they are read
    assert db.run(again, 600) == 5
    assert db.refusal(again.replace("sent", "new"), 600).pgcode == "PT429"


def test_what_is_refused_uses_nothing_up(db: Session, world: World) -> None:
    db.act_as(world.people["other"])
    for_another = (
        "insert into public.tavern_messages (author_id, body) select %s, 'x' from generate_series(1, %s)"
    )
    assert db.refusal(for_another, world.people["owner"], 600).pgcode == "42501"
    assert db.refusal(SAY.replace("'x'", "''"), 600).pgcode == "23514"
    assert (
        db.run("update public.tavern_messages set body = 'y' where author_id = %s", world.people["owner"])
        == 0
    )
    assert db.run(SAY, 600) == 600


def test_deletions_are_free(db: Session, world: World) -> None:
    db.act_as(world.people["other"])
    db.run(SAY, 600)
    mine = "delete from public.tavern_messages where author_id = %s"
    assert db.run(mine, world.people["other"]) == 600


def test_one_person_s_flood_is_not_another_s(db: Session, world: World) -> None:
    db.act_as(world.people["other"])
    db.run(SAY, 600)
    db.act_as(world.people["cohost"])
    assert db.run(SAY, 600) == 600


def test_what_triggers_write_is_free(db: Session, world: World) -> None:
    db.act_as_owner()
    db.run(
        "update private.quotas set rows_at_once = 1, rows_per_minute = 1 where table_name = %s",
        "agent_run_events",
    )
    db.act_as(world.people["other"])
    start = "insert into public.agent_runs (agent_name, agent_id) values ('Tester', 't-2'), ('Tester', 't-3')"
    assert db.run(start) == 2  # each with a note of its status


def test_deleting_an_event_takes_any_number_of_answers_along(db: Session, world: World) -> None:
    db.act_as_owner()
    db.run("update private.quotas set rows_at_once = 1, rows_per_minute = 1 where table_name = 'rsvps'")
    answer = "insert into public.rsvps (event_id, user_id, status) values (%s, %s, 'maybe')"
    for name in ("other", "recipient"):
        db.run(answer, world.event, world.people[name])
    db.act_as(world.people["owner"])
    assert db.run("delete from public.events where id = %s", world.event) == 1


def test_direct_sql_of_the_owner_is_free(db: Session, world: World) -> None:
    db.act_as_owner()
    sql = "insert into public.tavern_messages (author_id, body) select %s, 'x' from generate_series(1, 2000)"
    assert db.run(sql, world.people["other"]) == 2000


def test_two_statements_at_once_share_one_bucket(dsn: str, db: Session) -> None:
    db.rollback()  # it holds the row of the quota
    with session(dsn) as first, session(dsn) as second:
        person = new_person(first, "Twofold")
        before = first.rows("select * from private.quotas where table_name = 'tavern_messages'")[0]
        first.run(DEFAULT)
        first.commit()
        try:
            first.act_as(person)
            first.run(SAY, 400)
            second.run("set lock_timeout = '100ms'")
            second.act_as(person)
            assert second.refusal(SAY, 400).pgcode == "55P03"  # it waits for the first to end
            first.commit()
            second.rollback()
            second.act_as(person)
            assert second.refusal(SAY, 400).pgcode == "PT429"
        finally:
            second.rollback()
            first.rollback()
            first.run("delete from auth.users where id = %s", person)
            first.run("delete from private.quotas where table_name = 'tavern_messages'")
            first.run("insert into private.quotas values (%s, %s, %s, %s, %s)", *before)
            first.commit()


WRITABLE = """
    select distinct c.relname
    from pg_class c
    join pg_policy p on p.polrelid = c.oid
    where c.relnamespace = 'public'::regnamespace and p.polcmd in ('a', 'w', 'd', '*')
"""


def test_every_table_that_people_write_has_a_quota(db: Session) -> None:
    assert db.rows(f"{WRITABLE} except select table_name from private.quotas") == []


@pytest.mark.parametrize("event", ["insert", "update"])
@pytest.mark.parametrize("name", ["spend_quota", "allow_rows", "allow_row"])
def test_every_quota_is_kept_by_a_trigger(db: Session, name: str, event: str) -> None:
    without = db.rows(
        "select table_name from private.quotas where not exists (select from pg_trigger"
        " where tgrelid = ('public.' || table_name)::regclass and tgname = %s)",
        f"{name}_{event}",
    )
    assert without == []


def test_files_without_content_count_too(db: Session) -> None:
    db.act_as_owner()
    db.run("update private.storage_quota set files_per_tenant = 3")
    room = "select from (select private.tenant_has_room('empty_corp/next') as has_room) t where has_room"
    put = (
        "insert into storage.objects (bucket_id, name, metadata)"
        " select %s, 'empty_corp/' || n, '{\"size\": 0}' from generate_series(1, %s) n"
    )
    db.run(put, "exports", 2)
    assert db.run(room) == 1
    db.run(put, "training-data", 1)
    assert db.run(room) == 0
