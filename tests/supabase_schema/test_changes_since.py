"""`changes_since()`: it loses no change, and returns a person only keys they may know of."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.supabase_schema.database import Session, World, new_event, new_person, new_world, session

Connect = Callable[[], Session]


@pytest.fixture
def connect(dsn: str) -> Iterator[Connect]:
    """Give a function that opens more connections. Deleting the test's people removes what they commit."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(session(dsn))


@pytest.fixture
def person(connect: Connect) -> Iterator[str]:
    """Give a committed person; delete them with all their rows after the test."""
    owner = connect()
    somebody = new_person(owner, "Committed")
    owner.commit()
    yield somebody
    owner.rollback()
    owner.run("delete from auth.users where id = %s", somebody)
    owner.commit()


def say(db: Session, author: str, body: str = "Hello") -> str:
    """Insert a chat message as the owner."""
    return str(
        db.value(
            "insert into public.tavern_messages (author_id, body) values (%s, %s) returning id", author, body
        )
    )


def write_to(db: Session, sender: str, recipient: str) -> str:
    """Insert a private message as the owner."""
    return str(
        db.value(
            "insert into public.private_messages (sender_id, recipient_id, body)"
            " values (%s, %s, 'Psst') returning id",
            sender,
            recipient,
        )
    )


def cursor_of(db: Session) -> str:
    """Return the current cursor."""
    answer = db.changes_since(None)
    assert answer["resync"] is False
    assert answer["changes"] == []
    assert isinstance(answer["cursor"], str)
    return answer["cursor"]


def changed(db: Session, cursor: str | None, table: str) -> dict[str, str]:
    """Return the id and operation of every change of a table that the caller gets."""
    answer = db.changes_since(cursor)
    assert answer["resync"] is False
    changes = answer["changes"]
    assert isinstance(changes, list)
    return {change["key"]["id"]: change["op"] for change in changes if change["table"] == table}


def test_a_transaction_that_commits_late_is_not_lost(connect: Connect, person: str) -> None:
    slow, quick, reader = connect(), connect(), connect()
    late = say(slow, person, "written first, committed last")
    early = say(quick, person, "written last, committed first")
    quick.commit()
    before = cursor_of(reader)
    reader.commit()
    assert late not in changed(reader, before, "tavern_messages")
    cursor = str(reader.changes_since(before)["cursor"])
    reader.commit()
    slow.commit()
    assert changed(reader, cursor, "tavern_messages") == {late: "INSERT", early: "INSERT"}


def test_the_cursor_moves_past_committed_changes(connect: Connect, person: str) -> None:
    writer, reader = connect(), connect()
    first = say(writer, person)
    writer.commit()
    cursor = cursor_of(reader)
    reader.commit()
    assert first not in changed(reader, cursor, "tavern_messages")
    second = say(writer, person)
    writer.commit()
    reader.commit()
    assert changed(reader, cursor, "tavern_messages") == {second: "INSERT"}


def test_a_change_that_was_rolled_back_is_not_returned(connect: Connect, person: str) -> None:
    writer, reader = connect(), connect()
    cursor = cursor_of(reader)
    reader.commit()
    message = say(writer, person)
    writer.rollback()
    assert message not in changed(reader, cursor, "tavern_messages")


def test_many_changes_of_a_row_are_returned_once_with_the_last_operation(db: Session, world: World) -> None:
    cursor = cursor_of(db)
    message = say(db, world.people["owner"])
    db.run("update public.tavern_messages set body = 'Again' where id = %s", message)
    assert changed(db, cursor, "tavern_messages")[message] == "UPDATE"
    db.run("delete from public.tavern_messages where id = %s", message)
    assert changed(db, cursor, "tavern_messages")[message] == "DELETE"


def test_a_change_has_only_table_key_and_operation(db: Session, world: World) -> None:
    cursor = cursor_of(db)
    db.run("update public.rsvps set status = 'going' where user_id = %s", world.people["owner"])
    changes = db.changes_since(cursor)["changes"]
    assert isinstance(changes, list)
    key = {"event_id": world.event, "user_id": world.people["owner"]}
    # All in one transaction, in which the answer to the event was written too.
    assert {"table": "rsvps", "key": key, "op": "UPDATE"} in changes
    assert {frozenset(change) for change in changes} == {frozenset({"table", "key", "op"})}


def test_deleting_an_account_is_returned_row_by_row_to_those_who_could_see_the_rows(
    db: Session, world: World
) -> None:
    cursor = cursor_of(db)
    db.run("delete from auth.users where id = %s", world.people["owner"])
    db.act_as(None)
    assert changed(db, cursor, "users")[world.people["owner"]] == "DELETE"
    assert changed(db, cursor, "tavern_messages")[world.chat] == "DELETE"
    assert changed(db, cursor, "private_messages") == {}
    db.act_as_owner()
    db.act_as(world.people["recipient"])
    assert changed(db, cursor, "private_messages") == {world.private: "DELETE"}


@pytest.mark.parametrize("operation", ["INSERT", "UPDATE", "DELETE"])
def test_only_the_two_parties_get_private_keys(db: Session, world: World, operation: str) -> None:
    if operation != "INSERT":
        db.run("delete from public.change_log where table_name = 'private_messages'")
    cursor = cursor_of(db)
    match operation:
        case "UPDATE":
            db.run("update public.private_messages set read_at = now() where id = %s", world.private)
        case "DELETE":
            db.run("delete from public.private_messages where id = %s", world.private)
    for role in ("owner", "recipient"):
        db.act_as(world.people[role])
        assert changed(db, cursor, "private_messages") == {world.private: operation}
        db.act_as_owner()
    for role in ("other", "admin", "visitor"):
        db.act_as(world.people.get(role))
        assert changed(db, cursor, "private_messages") == {}
        db.act_as_owner()


def test_the_old_and_the_new_person_of_a_row_get_its_change(db: Session, world: World) -> None:
    db.run("drop trigger guard_content on public.private_messages")
    db.run("delete from public.change_log where table_name = 'private_messages'")
    cursor = cursor_of(db)
    db.run(
        "update public.private_messages set recipient_id = %s where id = %s",
        world.people["other"],
        world.private,
    )
    for role in ("owner", "recipient", "other"):
        db.act_as(world.people[role])
        assert changed(db, cursor, "private_messages") == {world.private: "UPDATE"}
        db.act_as_owner()
    db.act_as(world.people["admin"])
    assert changed(db, cursor, "private_messages") == {}


def test_the_log_has_no_private_content(db: Session, world: World) -> None:
    db.run("update public.private_messages set read_at = now() where id = %s", world.private)
    db.run("delete from public.private_messages where id = %s", world.private)
    logged = db.rows("select old, new from public.change_log where table_name = 'private_messages'")
    assert set(logged) == {(None, None)}
    assert "Psst" not in str(db.rows("select entry::text from public.change_log as entry"))


def test_the_log_has_the_actor_and_the_values(db: Session, world: World) -> None:
    db.act_as(world.people["owner"])
    db.run("update public.events set location = 'Roof' where id = %s", world.event)
    db.act_as_owner()
    (entry,) = db.rows(
        "select actor::text, old ->> 'location', new ->> 'location', audience from public.change_log"
        " where table_name = 'events' and row_key ->> 'id' = %s and op = 'UPDATE'",
        world.event,
    )
    assert entry == (world.people["owner"], "", "Roof", None)


@pytest.mark.parametrize(
    "cursor",
    ["", "yesterday", "-1", "1e3", " 7", "12abc", "99999999999999999999", "0x10", "7.", "7.x", "7,8"],
)
def test_a_text_that_is_no_cursor_means_resync(db: Session, cursor: str) -> None:
    answer = db.changes_since(cursor)
    assert answer["resync"] is True
    assert answer["changes"] == []
    assert db.changes_since(str(answer["cursor"]))["resync"] is False


def test_a_cursor_from_the_future_of_a_restored_database_means_resync(db: Session) -> None:
    following = db.value("select (pg_snapshot_xmax(pg_current_snapshot())::text::bigint + 1)::text")
    assert db.changes_since(str(following))["resync"] is True


def test_a_cursor_from_before_the_log_means_resync(db: Session) -> None:
    began = db.value("select (complete_from::text::bigint - 1)::text from private.change_log_state")
    assert db.changes_since(str(began))["resync"] is True


def test_too_many_changes_mean_resync(db: Session) -> None:
    cursor = cursor_of(db)
    change = (
        "insert into public.change_log (table_name, row_key, op)"
        " select 'events', jsonb_build_object('id', number), 'UPDATE' from generate_series(%s, %s) as number"
    )
    db.run(change, 1, 10_000)
    db.run(change, 1, 10_000)  # a key that changed twice counts once
    answer = db.changes_since(cursor)
    assert answer["resync"] is False
    assert isinstance(changes := answer["changes"], list)
    assert len(changes) == 10_000
    db.run(change, 10_001, 10_001)
    answer = db.changes_since(cursor)
    assert (answer["resync"], answer["changes"]) == (True, [])


def test_a_cursor_older_than_the_log_means_resync(connect: Connect, person: str) -> None:
    writer, reader = connect(), connect()
    cursor = cursor_of(reader)
    say(writer, person)
    writer.run("update public.change_log set changed_at = now() - interval '31 days' where actor is null")
    writer.commit()
    reader.commit()
    assert reader.changes_since(cursor)["resync"] is False
    fresh = cursor_of(reader)
    reader.commit()
    pruned = writer.value("select public.prune_change_log()")
    assert isinstance(pruned, int)
    assert pruned > 0
    writer.commit()
    assert reader.changes_since(cursor)["resync"] is True
    assert reader.changes_since(fresh)["resync"] is False


@pytest.mark.parametrize("reader", ["visitor", "owner"])
def test_truncating_a_table_means_resync(db: Session, world: World, reader: str) -> None:
    cursor = cursor_of(db)
    db.run("truncate public.private_messages")
    db.act_as(world.people.get(reader))
    answer = db.changes_since(cursor)
    assert (answer["resync"], answer["changes"]) == (True, [])


def test_while_a_transaction_is_open_a_truncated_table_means_resync_once(connect: Connect) -> None:
    slow, quick, reader = connect(), connect(), connect()
    slow.run("select pg_current_xact_id()")
    before = cursor_of(reader)
    reader.commit()
    quick.run("truncate public.ended_sessions")
    quick.commit()
    resynced = reader.changes_since(before)
    reader.commit()
    again = reader.changes_since(str(resynced["cursor"]))
    first_rows = reader.value("select public.first_rows('[]') ->> 'cursor'")
    assert resynced["resync"] is True
    assert again["resync"] is False
    assert again["cursor"] == resynced["cursor"] == first_rows
    reader.commit()
    quick.run("truncate public.ended_sessions")
    quick.commit()
    assert reader.changes_since(str(resynced["cursor"]))["resync"] is True


def test_a_truncated_table_is_in_nobodys_activity(db: Session, world: World) -> None:
    truncated = (
        "select count(*) from public.change_log where table_name = 'private_messages' and op = 'TRUNCATE'"
    )
    db.run("truncate public.private_messages")
    assert db.value(truncated) == 1
    db.act_as(world.people["admin"])
    assert db.value(truncated) == 0


def test_truncating_the_log_itself_means_resync(connect: Connect, person: str) -> None:
    owner, reader = connect(), connect()
    before = cursor_of(reader)
    reader.commit()
    say(owner, person)
    owner.commit()
    owner.run("truncate public.change_log")
    owner.commit()
    answer = reader.changes_since(before)
    assert answer["resync"] is True
    assert reader.changes_since(str(answer["cursor"]))["resync"] is False


def test_pruning_deletes_old_entries_and_returns_their_number(db: Session, world: World) -> None:
    db.run(
        "delete from public.change_log where table_name <> 'events' or row_key ->> 'id' <> %s", world.event
    )
    assert db.value("select public.prune_change_log('1 day')") == 0
    db.run("update public.change_log set changed_at = now() - interval '2 days'")
    assert db.value("select public.prune_change_log('3 days')") == 0
    assert db.value("select public.prune_change_log('1 day')") == 1
    assert db.refusal("select public.prune_change_log('-1 day')").pgcode == "22023"
    assert db.refusal("select public.prune_change_log(null)").pgcode == "22023"


def test_pruning_repairs_a_log_restored_from_another_cluster(db: Session, world: World) -> None:
    db.run("update private.change_log_state set complete_from = '999999999999'")
    cursor = cursor_of(db)
    assert db.changes_since(cursor)["resync"] is False
    db.run("select public.prune_change_log()")
    assert db.changes_since(cursor)["resync"] is False
    assert db.changes_since("3")["resync"] is True


def test_ordinary_writes_prune_the_log_now_and_then(db: Session, world: World) -> None:
    db.run("update public.change_log set changed_at = now() - interval '31 days'")
    # The chance that none of 5,000 changes prunes is below 1 in 20,000.
    db.run(
        "do $$ begin for i in 1..5000 loop"
        " insert into public.change_log (table_name, row_key, op) values ('events', '{}', 'DELETE');"
        " end loop; end $$"
    )
    old = db.value("select count(*) from public.change_log where changed_at < now() - interval '30 days'")
    assert old == 0


def test_the_log_is_read_by_its_index(db: Session, world: World) -> None:
    db.run("set local enable_seqscan = off")
    plan = db.rows("explain select from public.change_log where xid >= '100' and audience is null")
    assert "change_log_xid_idx" in str(plan)


def test_an_event_that_passes_to_a_cohost_is_returned(db: Session) -> None:
    world = new_world(db)
    cursor = cursor_of(db)
    lonely = new_event(db, world.people["owner"])
    db.run("delete from auth.users where id = %s", world.people["owner"])
    assert changed(db, cursor, "events") == {world.event: "UPDATE", lonely: "DELETE"}
    organizer = db.value("select organizer_id::text from public.events where id = %s", world.event)
    assert organizer == world.people["cohost"]


def test_a_caller_without_a_profile_gets_no_private_keys(db: Session, world: World) -> None:
    cursor = cursor_of(db)
    db.act_as(str(uuid.uuid4()))
    assert changed(db, cursor, "private_messages") == {}
