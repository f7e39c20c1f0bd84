"""What the database does in every row: versions, times, defaults, profiles, and constraints."""

import json
import uuid

import pytest

from db.constraints import MEANING
from tests.supabase_schema import rating_values, routing_values
from tests.supabase_schema.database import Session, World, message, new_person


def row_of(db: Session, table: str, where: str, *values: object) -> dict[str, object]:
    """Return one row as JSON."""
    found = db.value(f"select to_jsonb(t) from public.{table} as t where {where}", *values)
    assert isinstance(found, dict)
    return found


STAMPS = "version = 77, created_at = 'epoch', updated_at = 'epoch'"


@pytest.mark.parametrize(
    ("table", "person", "changes", "row"),
    [
        ("users", "owner", f"bio = 'x', {STAMPS}", "id = %(owner)s"),
        ("events", "owner", f"location = 'x', {STAMPS}", "id = %(event)s"),
        ("rsvps", "owner", f"status = 'going', {STAMPS}", "user_id = %(owner)s"),
        ("tavern_messages", "owner", f"body = 'x', {STAMPS}", "id = %(chat)s"),
        ("event_messages", "recipient", f"body = 'x', {STAMPS}", "id = %(said)s"),
        ("private_messages", "recipient", "read_at = now()", "id = %(private)s"),
        ("agent_runs", "owner", f"current_step = 'x', {STAMPS}", "id = %(run)s"),
        ("routing_budgets", "owner", f"hard_limit = 30, {STAMPS}", "id = %(budget)s"),
        ("model_prices", "admin", f"input_price = 7, {STAMPS}", "id = %(price)s"),
    ],
)
def test_an_update_raises_the_version_by_one_whatever_version_is_sent(
    db: Session, world: World, table: str, person: str, changes: str, row: str
) -> None:
    where = world.fill(row)
    before = row_of(db, table, where)
    db.act_as(world.people[person])
    assert db.run(f"update public.{table} set {changes} where {where}") == 1
    after = row_of(db, table, where)
    assert (before["version"], after["version"]) == (1, 2)
    assert after["created_at"] == before["created_at"]
    assert str(after["updated_at"]) > "2000"


def test_nobody_sets_the_version_of_a_private_message(db: Session, world: World) -> None:
    db.act_as(world.people["recipient"])
    change = f"update public.private_messages set {STAMPS} where id = %s"
    assert db.refusal(change, world.private).pgcode == "42501"


def test_an_update_of_an_old_version_touches_no_row(db: Session, world: World) -> None:
    db.act_as(world.people["owner"])
    change = "update public.events set location = 'x' where id = %s and version = %s"
    assert db.run(change, world.event, 1) == 1
    assert db.run(change, world.event, 1) == 0
    assert db.run(change, world.event, 2) == 1


def test_a_new_row_has_version_one_the_current_time_and_its_writer(db: Session, world: World) -> None:
    db.act_as(world.people["other"])
    db.run(
        "insert into public.events (title, starts_at, ends_at, version, created_at, updated_at)"
        " values ('Picnic', now(), now() + interval '1 hour', 77, 'epoch', 'epoch')"
    )
    event = row_of(db, "events", "title = 'Picnic' and organizer_id = %s", world.people["other"])
    assert (event["version"], event["organizer_id"]) == (1, world.people["other"])
    assert db.value("select bool_and(created_at = now() and updated_at = now()) from public.events"
                    " where title = 'Picnic' and organizer_id = %s", world.people["other"])  # fmt: skip
    db.run("insert into public.tavern_messages (body) values ('Mine')")
    db.run("insert into public.rsvps (event_id, status) values (%s, 'maybe')", world.event)
    db.run("insert into public.private_messages (recipient_id, body) values (%s, 'x')", world.people["owner"])
    for table, column in (
        ("tavern_messages", "author_id"),
        ("rsvps", "user_id"),
        ("private_messages", "sender_id"),
    ):
        assert (
            db.value(f"select count(*) from public.{table} where {column} = %s", world.people["other"]) == 1
        )


@pytest.mark.parametrize("table", ["events", "tavern_messages", "event_messages", "private_messages"])
def test_an_insert_with_the_same_id_happens_once(db: Session, world: World, table: str) -> None:
    db.act_as(world.people["other"])
    wanted = str(uuid.uuid4())
    columns, values = {
        "events": ("title, starts_at, ends_at", "'Picnic', now(), now() + interval '1 hour'"),
        "tavern_messages": ("body", "'Once'"),
        "event_messages": ("event_id, body", f"'{world.event}', 'Once'"),
        "private_messages": ("recipient_id, body", f"'{world.people['owner']}', 'Once'"),
    }[table]
    # As `upsert(..., ignore_duplicates=True)` sends it.
    insert = f"insert into public.{table} (id, {columns}) values (%s, {values}) on conflict (id) do nothing"
    assert [db.run(insert, wanted), db.run(insert, wanted)] == [1, 0]
    db.act_as_owner()
    assert db.value(f"select count(*) from public.{table} where id = %s", wanted) == 1
    logged = "select count(*) from public.change_log where row_key ->> 'id' = %s"
    assert db.value(logged, wanted) == 1


@pytest.mark.parametrize(
    ("meta", "email", "name"),
    [
        ({"display_name": "  Ada  Lovelace "}, "x@y.example", "Ada Lovelace"),
        ({"display_name": "n" * 80}, "x@y.example", "n" * 60),
        ({"display_name": "\t\n\u202e"}, "grace.h@y.example", None),
        ({"display_name": "Cy\u202eber"}, "x@y.example", "Cy ber"),
        ({"display_name": 7}, "x@y.example", "7"),
        ({}, "grace.h@y.example", None),
        (None, "grace.h@y.example", None),
        (None, None, None),
        ({"display_name": "<script>alert(1)</script>"}, None, "<script>alert(1)</script>"),
    ],
)
def test_an_account_gets_a_profile(
    db: Session, meta: dict[str, object] | None, email: str | None, name: str | None
) -> None:
    account = str(uuid.uuid4())
    name = name or f"Guest {account[:4]}"
    email = email and f"{email}.{account}"
    db.run(
        "insert into auth.users (id, email, raw_user_meta_data) values (%s, %s, %s)",
        account,
        email,
        None if meta is None else json.dumps(meta),
    )
    profile = row_of(db, "users", "id = %s", account)
    assert (profile["display_name"], profile["role"], profile["bio"]) == (name, "member", "")


def test_deleting_an_account_deletes_its_private_rows(db: Session, world: World) -> None:
    db.run("delete from auth.users where id = %s", world.people["recipient"])
    assert db.value("select count(*) from public.private_messages where id = %s", world.private) == 0
    db.run("delete from auth.users where id = %s", world.people["owner"])
    assert db.value("select count(*) from public.tavern_messages where id = %s", world.chat) == 0
    assert (
        db.value("select organizer_id::text from public.events where id = %s", world.event)
        == (world.people["cohost"])
    )
    assert db.value("select count(*) from public.event_cohosts where event_id = %s", world.event) == 0


def test_the_last_admin_keeps_the_role(db: Session, world: World) -> None:
    admin = world.people["admin"]
    db.run("update public.users set role = 'member' where id <> %s", admin)
    db.act_as(admin)
    refusal = db.refusal("update public.users set role = 'member' where id = %s", admin)
    assert message(refusal) == "Tavern needs at least one admin."
    assert db.run("update public.users set role = 'admin' where id = %s", world.people["other"]) == 1
    assert db.run("update public.users set role = 'member' where id = %s", admin) == 1
    refusal = db.refusal("update public.users set role = 'admin' where id = %s", admin)
    assert message(refusal) == "Only an admin can change a role."


def test_nobody_signs_up_as_an_admin(db: Session, world: World) -> None:
    me = world.people["other"]
    db.run("delete from public.users where id = %s", me)
    db.act_as(me)
    insert = "insert into public.users (id, display_name, role) values (%s, 'Me', 'admin')"
    assert message(db.refusal(insert, me)) == "Only an admin can change a role."


def test_the_database_sets_when_a_message_was_read(db: Session, world: World) -> None:
    db.act_as(world.people["recipient"])
    read = "update public.private_messages set read_at = %s where id = %s"
    db.run(read, "2001-01-01", world.private)
    assert (
        db.value("select read_at = now() from public.private_messages where id = %s", world.private) is True
    )
    db.run(read, None, world.private)
    assert db.value("select read_at from public.private_messages where id = %s", world.private) is None


NEW_RUN = "insert into agent_runs (user_id, agent_name, agent_id, task_id)"
DEEP = "[" * 101 + "]" * 101
HUGE = '{"a": [-1e5000]}'
NEW_EVENT = "insert into agent_run_events (run_id, user_id, kind, message)"

CONSTRAINTS = {
    "users_display_name_length": "update users set display_name = repeat('x', 61) where id = %(owner)s",
    "users_display_name_plain": "update users set display_name = ' x' where id = %(owner)s",
    "users_display_name_visible": "update users set display_name = U&'\\2060' where id = %(owner)s",
    "users_bio_length": "update users set bio = repeat('x', 501) where id = %(owner)s",
    "users_avatar_form": "update users set avatar = 'https://x.example/a.png' where id = %(owner)s",
    "users_role_known": "update users set role = 'king' where id = %(owner)s",
    "events_title_length": "update events set title = '' where id = %(event)s",
    "events_title_not_blank": "update events set title = '  ' where id = %(event)s",
    "events_description_length": "update events set description = repeat('x', 5001) where id = %(event)s",
    "events_ends_after_start": "update events set ends_at = starts_at where id = %(event)s",
    "events_times_finite": "update events set ends_at = 'infinity' where id = %(event)s",
    "events_times_range": "update events set starts_at = '4000-01-01 BC' where id = %(event)s",
    "events_cancelled_at_range": "update events set cancelled_at = 'infinity' where id = %(event)s",
    "events_cancel_reason_length": "update events set cancelled_at = now(),"
    " cancel_reason = repeat('x', 501) where id = %(event)s",
    "events_location_length": "update events set location = repeat('x', 201) where id = %(event)s",
    "events_capacity_range": "update events set capacity = 0 where id = %(event)s",
    "rsvps_status_known": "update rsvps set status = 'late' where user_id = %(owner)s",
    "rsvps_guests_range": "update rsvps set status = 'going', guests = 11 where user_id = %(owner)s",
    "tavern_messages_body_length": "update tavern_messages set body = repeat('x', 2001) where id = %(chat)s",
    "tavern_messages_body_not_blank": "update tavern_messages set body = E' \\n' where id = %(chat)s",
    "tavern_messages_body_or_hidden": "update tavern_messages set body = null where id = %(chat)s",
    "event_messages_body_length": "update event_messages set body = repeat('x', 2001) where id = %(said)s",
    "event_messages_body_not_blank": "update event_messages set body = E' \\n' where id = %(said)s",
    "event_messages_body_or_hidden": "update event_messages set body = null where id = %(said)s",
    "private_messages_body_length": "insert into private_messages (sender_id, recipient_id, body)"
    " values (%(owner)s, %(other)s, repeat('x', 5001))",
    "private_messages_body_not_blank": "insert into private_messages (sender_id, recipient_id, body)"
    " values (%(owner)s, %(other)s, E'\\n')",
    "private_messages_to_somebody_else": "insert into private_messages (sender_id, recipient_id, body)"
    " values (%(owner)s, %(owner)s, 'x')",
    "agent_runs_task_id_length": f"{NEW_RUN} values (%(owner)s, 'a', 'a', repeat('x', 201))",
    "agent_runs_agent_name_length": f"{NEW_RUN} values (%(owner)s, ' ', 'a', null)",
    "agent_runs_agent_id_length": f"{NEW_RUN} values (%(owner)s, 'a', '', null)",
    "agent_runs_status_known": "insert into agent_runs (user_id, agent_name, agent_id, status)"
    " values (%(owner)s, 'a', 'a', 'done')",
    "agent_runs_current_step_length": "update agent_runs set current_step = repeat('x', 301)"
    " where id = %(run)s",
    "agent_runs_progress_percent_range": "update agent_runs set progress_percent = 'nan' where id = %(run)s",
    "agent_runs_result_size": "update agent_runs set result = to_jsonb(repeat('x', 200000))"
    " where id = %(run)s",
    "agent_runs_error_length": "update agent_runs set error = repeat('x', 5001) where id = %(run)s",
    "agent_runs_metadata_form": "update agent_runs set metadata = '[]' where id = %(run)s",
    "agent_runs_verification_evidence_form": "update agent_runs set verification_evidence = '{}'"
    " where id = %(run)s",
    "agent_runs_tokens_range": "update agent_runs set tokens = -1 where id = %(run)s",
    "agent_runs_cost_usd_range": "update agent_runs set cost_usd = 'nan' where id = %(run)s",
    "agent_runs_started_at_range": "insert into agent_runs (user_id, agent_name, agent_id, started_at)"
    " values (%(owner)s, 'a', 'a', '-infinity')",
    "agent_runs_result_readable": f"update agent_runs set result = '{DEEP}' where id = %(run)s",
    "agent_runs_metadata_readable": f"update agent_runs set metadata = '{HUGE}' where id = %(run)s",
    "agent_runs_verification_evidence_readable": f"update agent_runs set verification_evidence = '{DEEP}'"
    " where id = %(run)s",
    "agent_run_events_at_range": "insert into agent_run_events (run_id, user_id, kind, message, at)"
    " values (%(run)s, %(owner)s, 'log', 'x', '4000-01-01 BC')",
    "agent_run_events_data_readable": "insert into agent_run_events (run_id, user_id, kind, message, data)"
    f" values (%(run)s, %(owner)s, 'log', 'x', '{HUGE}')",
    "agent_run_events_kind_known": f"{NEW_EVENT} values (%(run)s, %(owner)s, 'thought', 'x')",
    "agent_run_events_level_known": "insert into agent_run_events (run_id, user_id, kind, message, level)"
    " values (%(run)s, %(owner)s, 'log', 'x', 'loud')",
    "agent_run_events_message_length": f"{NEW_EVENT} values (%(run)s, %(owner)s, 'log', repeat('x', 20001))",
    "agent_run_events_data_size": "insert into agent_run_events (run_id, user_id, kind, message, data)"
    " values (%(run)s, %(owner)s, 'log', 'x', to_jsonb(repeat('x', 20000)))",
    **routing_values.CONSTRAINTS,
}


@pytest.mark.parametrize("constraint", CONSTRAINTS)
def test_a_bad_value_is_refused_by_name(db: Session, world: World, constraint: str) -> None:
    sql = world.fill(CONSTRAINTS[constraint])
    refusal = db.refusal(sql.replace("update ", "update public.").replace("into ", "into public."))
    assert (refusal.pgcode, refusal.diag.constraint_name) == ("23514", constraint)


def test_every_constraint_is_tested_above_and_has_a_message(db: Session) -> None:
    found = db.rows(
        "select conname, obj_description(oid, 'pg_constraint') from pg_constraint where contype = 'c'"
        " and connamespace = 'public'::regnamespace and conrelid <> 'public.change_log'::regclass"
    )
    checks = {str(name): str(text) for name, text in found}
    tried = CONSTRAINTS | rating_values.CONSTRAINTS
    by_triggers = {"tavern_messages_hidden_by_whom", "event_messages_hidden_by_whom"}
    assert checks.keys() - tried.keys() == by_triggers
    assert {name: checks[name] for name in tried} == {name: text for name, (_, text) in MEANING.items()}


@pytest.mark.parametrize("value", ["🦉", "👩‍🚀", "🇩🇪", "", None])
def test_an_avatar_is_an_emoji(db: Session, world: World, value: str | None) -> None:
    assert db.run("update public.users set avatar = %s where id = %s", value, world.people["owner"]) == 1


@pytest.mark.parametrize(
    "value",
    [
        "x",
        "<b>",
        "javascript:alert(1)",
        "https://",
        "https://pictures.example/owl.png",
        "//x.example/a.png",
        "🦉" * 17,
    ],
)
def test_any_other_text_is_no_avatar(db: Session, world: World, value: str) -> None:
    refusal = db.refusal("update public.users set avatar = %s where id = %s", value, world.people["owner"])
    assert refusal.diag.constraint_name == "users_avatar_form"


@pytest.mark.parametrize("zone", ["Europe/Berlin", "UTC", "America/Argentina/Buenos_Aires", "Asia/Kathmandu"])
def test_a_time_zone_has_an_iana_name(db: Session, world: World, zone: str) -> None:
    assert db.run("update public.events set time_zone = %s where id = %s", zone, world.event) == 1


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "europe/berlin", "CEST", "UTC+2", "<+02>-2", "Factory"])
def test_any_other_text_is_no_time_zone(db: Session, world: World, zone: str) -> None:
    refusal = db.refusal("update public.events set time_zone = %s where id = %s", zone, world.event)
    assert (refusal.pgcode, message(refusal)) == ("23514", "That time zone is not known.")


@pytest.mark.parametrize(
    ("table", "column", "row"),
    [
        ("users", "id", "id = %(owner)s"),
        ("events", "id", "id = %(event)s"),
        ("event_cohosts", "user_id", "event_id = %(event)s"),
        ("rsvps", "user_id", "user_id = %(owner)s"),
        ("tavern_messages", "id", "id = %(chat)s"),
        ("event_messages", "id", "id = %(said)s"),
        ("event_messages", "event_id", "id = %(said)s"),
        ("private_messages", "recipient_id", "id = %(private)s"),
        ("ended_sessions", "user_id", "user_id = %(owner)s"),
        ("agent_runs", "id", "id = %(run)s"),
        ("agent_runs", "user_id", "id = %(run)s"),
        ("agent_run_events", "id", "run_id = %(run)s"),
    ],
)
def test_nobody_changes_a_key(db: Session, world: World, table: str, column: str, row: str) -> None:
    where = world.fill(row)
    refusal = db.refusal(f"update public.{table} set {column} = %s where {where}", new_person(db, "New"))
    assert refusal.pgcode == "42501"
    assert message(refusal).endswith(("cannot be changed.", "once it is sent."))
