"""The access table of the design, proven: every table x role x verb, as PostgREST acts for a token."""

import re
from dataclasses import dataclass

import psycopg2
import pytest

from tests.supabase_schema import test_ratings_access
from tests.supabase_schema.database import Session, World
from tests.support.stack import PROJECT

# `owner` is whose row it is: the person of a profile, the organizer, who answered, the author, the sender.
# `insert` is in one's own name, `forge` in somebody else's. "users.role" names what is changed.
ACCESS = """
    table                        role       select  insert  forge  update  delete
    users                        anon       yes     no      no     no      no
    users                        owner      yes     yes     no     yes     no
    users                        other      yes     yes     no     no      no
    users                        admin      yes     yes     no     no      no
    users.role                   anon       -       -       -      no      -
    users.role                   owner      -       -       -      no      -
    users.role                   other      -       -       -      no      -
    users.role                   admin      -       -       -      yes     -
    events                       anon       yes     no      no     no      no
    events                       owner      yes     yes     no     yes     yes
    events                       cohost     yes     yes     no     yes     yes
    events                       other      yes     yes     no     no      no
    events                       admin      yes     yes     no     yes     yes
    events.organizer_id          owner      -       -       -      no      -
    events.organizer_id          cohost     -       -       -      no      -
    events.organizer_id          admin      -       -       -      no      -
    event_cohosts                anon       yes     no      no     no      no
    event_cohosts                owner      yes     yes     -      no      yes
    event_cohosts                cohost     yes     no      no     no      yes
    event_cohosts                other      yes     no      no     no      no
    event_cohosts                admin      yes     yes     -      no      yes
    rsvps                        anon       yes     no      no     no      no
    rsvps                        owner      yes     yes     no     yes     yes
    rsvps                        cohost     yes     yes     no     no      no
    rsvps                        other      yes     yes     no     no      no
    rsvps                        admin      yes     yes     no     no      no
    tavern_messages              anon       yes     no      no     no      no
    tavern_messages              owner      yes     yes     no     yes     yes
    tavern_messages              other      yes     yes     no     no      no
    tavern_messages              admin      yes     yes     no     no      no
    tavern_messages.hidden_at    anon       -       -       -      no      -
    tavern_messages.hidden_at    owner      -       -       -      no      -
    tavern_messages.hidden_at    other      -       -       -      no      -
    tavern_messages.hidden_at    admin      -       -       -      yes     -
    tavern_messages.author_id    owner      -       -       -      no      -
    tavern_messages.author_id    admin      -       -       -      no      -
    private_messages             anon       no      no      no     no      no
    private_messages             owner      yes     yes     no     no      yes
    private_messages             recipient  yes     yes     no     no      no
    private_messages             other      no      yes     no     no      no
    private_messages             admin      no      yes     no     no      no
    private_messages.read_at     anon       -       -       -      no      -
    private_messages.read_at     owner      -       -       -      no      -
    private_messages.read_at     recipient  -       -       -      yes     -
    private_messages.read_at     other      -       -       -      no      -
    private_messages.read_at     admin      -       -       -      no      -
    change_log                   anon       no      no      -      no      no
    change_log                   owner      no      no      -      no      no
    change_log                   other      no      no      -      no      no
    change_log                   admin      yes     no      -      no      no
    change_log.private           anon       no      -       -      -       -
    change_log.private           owner      no      -       -      -       -
    change_log.private           recipient  no      -       -      -       -
    change_log.private           admin      no      -       -      -       -
    change_log.agent_runs        anon       no      -       -      -       -
    change_log.agent_runs        owner      no      -       -      -       -
    change_log.agent_runs        admin      no      -       -      -       -
    ended_sessions               anon       no      no      no     no      no
    ended_sessions               owner      yes     no      no     no      no
    ended_sessions               other      no      no      no     no      no
    ended_sessions               admin      no      no      no     no      no
    agent_runs                   anon       no      no      no     no      no
    agent_runs                   owner      yes     yes     no     yes     no
    agent_runs                   other      no      yes     no     no      no
    agent_runs                   admin      yes     yes     no     no      no
    agent_runs.status            anon       -       -       -      no      -
    agent_runs.status            owner      -       -       -      yes     -
    agent_runs.status            other      -       -       -      no      -
    agent_runs.status            admin      -       -       -      yes     -
    agent_runs.user_id           owner      -       -       -      no      -
    agent_runs.user_id           admin      -       -       -      no      -
    agent_run_events             anon       no      no      no     no      no
    agent_run_events             owner      yes     yes     no     no      no
    agent_run_events             other      no      no      no     no      no
    agent_run_events             admin      yes     no      no     no      no
    routing_metrics              anon       no      no      no     no      no
    routing_metrics              owner      yes     yes     no     no      no
    routing_metrics              other      no      yes     no     no      no
    routing_metrics              admin      yes     yes     no     no      no
    routing_daily                anon       no      no      no     no      no
    routing_daily                owner      yes     no      no     no      no
    routing_daily                other      no      no      no     no      no
    routing_daily                admin      yes     no      no     no      no
    routing_budgets              anon       no      no      no     no      no
    routing_budgets              owner      yes     yes     no     yes     yes
    routing_budgets              other      no      yes     no     no      no
    routing_budgets              admin      no      yes     no     no      no
    routing_budgets.user_id      owner      -       -       -      no      -
    model_prices                 anon       no      no      -      no      no
    model_prices                 owner      yes     no      -      no      no
    model_prices                 other      yes     no      -      no      no
    model_prices                 admin      yes     yes     -      yes     yes
    change_log.routing_metrics   anon       no      -       -      -       -
    change_log.routing_metrics   owner      no      -       -      -       -
    change_log.routing_metrics   admin      no      -       -      -       -
    change_log.routing_budgets   admin      no      -       -      -       -
"""

# How the row of the table is reached, and what an update sets.
ROWS = {
    "users": "id = %(owner)s",
    "events": "id = %(event)s",
    "event_cohosts": "event_id = %(event)s and user_id = %(cohost)s",
    "rsvps": "event_id = %(event)s and user_id = %(owner)s",
    "tavern_messages": "id = %(chat)s",
    "private_messages": "id = %(private)s",
    "change_log": "table_name = 'events' and row_key ->> 'id' = %(event)s",
    "change_log.private": "table_name = 'private_messages' and row_key ->> 'id' = %(private)s",
    "change_log.agent_runs": "table_name = 'agent_runs' and row_key ->> 'id' = %(run)s",
    "ended_sessions": "user_id = %(owner)s",
    "agent_runs": "id = %(run)s",
    "agent_run_events": "run_id = %(run)s",
    "routing_metrics": "id = %(metric)s",
    "routing_daily": "user_id = %(owner)s",
    "routing_budgets": "id = %(budget)s",
    "model_prices": "id = %(price)s",
    "change_log.routing_metrics": "table_name = 'routing_metrics' and row_key ->> 'id' = %(metric)s",
    "change_log.routing_budgets": "table_name = 'routing_budgets' and row_key ->> 'id' = %(budget)s",
}
SETS = {
    "users": "bio = 'New here'",
    "users.role": "role = 'organizer'",
    "events": "location = 'Back room'",
    "events.organizer_id": "organizer_id = %(other)s",
    "event_cohosts": "version = 9",
    "rsvps": "status = 'going'",
    "tavern_messages": "body = 'Hello again'",
    "tavern_messages.hidden_at": "hidden_at = now()",
    "tavern_messages.author_id": "author_id = %(other)s",
    "private_messages": "body = 'Not what I said'",
    "private_messages.read_at": "read_at = now()",
    "change_log": "actor = null",
    "ended_sessions": "created_at = now()",
    "agent_runs": "current_step = 'Reading'",
    "agent_runs.status": "status = 'cancelled'",
    "agent_runs.user_id": "user_id = %(other)s",
    "agent_run_events": "message = 'That is not what was said'",
    "routing_metrics": "cost = 0",
    "routing_daily": "cost = 0",
    "routing_budgets": "hard_limit = 30",
    "routing_budgets.user_id": "user_id = %(other)s",
    "model_prices": "input_price = 0",
}
# %(name)s is in whose name: the one who acts, or somebody else.
INSERTS = {
    "users": "insert into public.users (id, display_name) values (%(name)s, 'Back again')",
    "events": "insert into public.events (title, starts_at, ends_at, organizer_id)"
    " values ('Picnic', now(), now() + interval '1 hour', %(name)s)",
    "event_cohosts": "insert into public.event_cohosts (event_id, user_id) values (%(event)s, %(other)s)",
    "rsvps": "insert into public.rsvps (event_id, user_id, status) values (%(event)s, %(name)s, 'going')",
    "tavern_messages": "insert into public.tavern_messages (author_id, body) values (%(name)s, 'Hi')",
    "private_messages": "insert into public.private_messages (sender_id, recipient_id, body)"
    " values (%(name)s, %(third)s, 'Hi')",
    "change_log": "insert into public.change_log (table_name, row_key, op) values ('events', '{}', 'DELETE')",
    "ended_sessions": "insert into public.ended_sessions (session_id, user_id)"
    " values (gen_random_uuid(), %(name)s)",
    "agent_runs": "insert into public.agent_runs (user_id, agent_name, agent_id)"
    " values (%(name)s, 'Tester', 't-1')",
    "agent_run_events": "insert into public.agent_run_events (run_id, user_id, kind, message)"
    " values (%(run)s, %(name)s, 'log', 'Hi')",
    "routing_metrics": "insert into public.routing_metrics (user_id, request_id, provider, model)"
    " values (%(name)s, 'r-2', 'acme', 'small')",
    "routing_daily": "insert into public.routing_daily (user_id, day, provider, model, route, requests,"
    " errors, fallbacks, auto_routed, dropped, input_tokens, output_tokens, cost, latencies)"
    " values (%(name)s, '2026-01-01', 'p', 'm', 'r', 1, 0, 0, 0, 0, 0, 0, 0, '{}')",
    "routing_budgets": "insert into public.routing_budgets (user_id, period, soft_limit, hard_limit)"
    " values (%(name)s, 'day', 1, 2)",
    "model_prices": "insert into public.model_prices (provider, model, input_price, output_price)"
    " values ('acme', gen_random_uuid()::text, 1, 2)",
}


@dataclass(frozen=True, slots=True)
class Case:
    """One cell of the table."""

    table: str
    role: str
    verb: str
    allowed: bool

    def __str__(self) -> str:
        return f"{self.table}-{self.role}-{'may' if self.allowed else 'may not'} {self.verb}"


def cells() -> list[Case]:
    """Read the table."""
    header, *lines = (line.split() for line in ACCESS.strip().splitlines())
    return [
        Case(line[0], line[1], verb, answer == "yes")
        for line in lines
        for verb, answer in zip(header[2:], line[2:], strict=True)
        if answer != "-"
    ]


def statement(case: Case) -> str:
    """Return what the person of the cell tries."""
    table = case.table.partition(".")[0]
    where = ROWS.get(case.table) or ROWS[table]
    match case.verb:
        case "select":
            return f"select from public.{table} where {where}"
        case "update":
            return f"update public.{table} set {SETS[case.table]} where {where}"
        case "delete":
            return f"delete from public.{table} where {where}"
        case _:
            return INSERTS[table]


def make_room(db: Session, case: Case, name: str) -> None:
    """Take away the row whose key the insert will use, so that only a right can refuse it."""
    if case.table == "users":
        db.run("delete from public.users where id = %s", name)
    if case.table == "rsvps":
        db.run("delete from public.rsvps where user_id = %s", name)


def touches_a_row(db: Session, sql: str, values: dict[str, str]) -> bool:
    """Tell whether the statement did anything; only a missing right may be the reason when not."""
    try:
        with db.connection.cursor() as cursor:
            cursor.execute(sql, values)
            return cursor.rowcount > 0
    except psycopg2.errors.InsufficientPrivilege:
        return False


@pytest.mark.parametrize("case", cells(), ids=str)
def test_access_table(db: Session, world: World, case: Case) -> None:
    me = world.people.get(case.role)
    name = me or world.people["recipient"]
    if case.verb == "forge":
        name = next(world.people[role] for role in ("other", "recipient") if role != case.role)
    third = next(person for person in world.people.values() if person != name)
    if case.verb in {"insert", "forge"}:
        make_room(db, case, name)
    db.act_as(me)
    assert touches_a_row(db, statement(case), {**world.values, "name": name, "third": third}) is case.allowed


def test_every_table_is_in_the_access_table(db: Session) -> None:
    tables = {name for (name,) in db.rows("select tablename from pg_tables where schemaname = 'public'")}
    assert tables == {case.table for case in cells() if "." not in case.table} | test_ratings_access.TABLES
    for table in tables - test_ratings_access.TABLES:
        verbs = {(case.role, case.verb) for case in cells() if case.table == table}
        for role in ("anon", "owner", "other", "admin"):
            assert {verb for who, verb in verbs if who == role} >= {"select", "insert", "update", "delete"}


def test_an_admin_reads_the_log_of_private_messages_to_them_without_content(
    db: Session, world: World
) -> None:
    admin = world.people["admin"]
    db.run(
        "insert into public.private_messages (sender_id, recipient_id, body) values (%s, %s, 'For you')",
        world.people["owner"],
        admin,
    )
    db.act_as(admin)
    logged = db.rows("select old, new from public.change_log where table_name = 'private_messages'")
    assert logged == [(None, None)]


@pytest.mark.parametrize("name", ["private.is_admin()", "private.via_api()", "private.prune_batch(now(), 1)"])
def test_nobody_reaches_the_helpers_by_name(db: Session, world: World, name: str) -> None:
    for person in (None, world.people["owner"], world.people["admin"]):
        db.act_as_owner()
        db.act_as(person)
        assert db.refusal(f"select {name}").pgcode == "42501"


@pytest.mark.parametrize("call", ["prune_change_log()", "prune_change_log('1 day')"])
def test_only_the_owner_prunes(db: Session, world: World, call: str) -> None:
    db.act_as(world.people["admin"])
    assert db.refusal(f"select public.{call}").pgcode == "42501"
    db.act_as_owner()
    db.act_as(None, role="service_role")
    assert isinstance(db.value(f"select public.{call}"), int)


def test_a_visitor_calls_nothing_but_the_cursor(db: Session) -> None:
    callable_by_visitors = db.rows(
        "select p.proname from pg_proc p where p.pronamespace = 'public'::regnamespace"
        " and has_function_privilege('anon', p.oid, 'execute')"
    )
    assert callable_by_visitors == [("changes_since",)]


def test_the_private_schema_is_not_exposed() -> None:
    schemas = re.search(r"^schemas = (.*)$", (PROJECT / "config.toml").read_text(), re.MULTILINE)
    assert schemas is not None
    assert "private" not in schemas[1]
