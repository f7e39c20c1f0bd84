"""Every session that ends has a row for its person, and no fault keeps it from ending."""

import uuid

from tests.supabase_schema.database import Session, new_person


def open_session(db: Session, person: str) -> str:
    """Create a session as the Auth service does; return its id."""
    session = str(uuid.uuid4())
    db.run("insert into auth.sessions (id, user_id) values (%s, %s)", session, person)
    return session


def ended_sessions(db: Session) -> set[object]:
    """Return the ended sessions that the acting person may read."""
    return {session for (session,) in db.rows("select session_id::text from public.ended_sessions")}


def test_only_its_person_reads_that_a_session_has_ended(db: Session) -> None:
    nia, other = new_person(db, "Nia"), new_person(db, "Other", "admin")
    ended, active = open_session(db, nia), open_session(db, nia)
    cursor = str(db.changes_since(None)["cursor"])
    db.run("delete from auth.sessions where id = %s", ended)
    for person, readable in ((nia, {ended}), (other, set()), (None, set())):
        db.act_as(person)
        assert ended_sessions(db) & {ended, active} == readable
        changes = db.changes_since(cursor)["changes"]
        assert isinstance(changes, list)
        keys = [change["key"] for change in changes if change["table"] == "ended_sessions"]
        assert keys == ([{"session_id": ended}] if readable else [])


def test_deleting_an_account_ends_its_sessions(db: Session) -> None:
    nia = new_person(db, "Nia")
    session = open_session(db, nia)
    db.run("delete from auth.users where id = %s", nia)
    db.act_as(nia)
    assert ended_sessions(db) == {session}


def test_a_fault_in_the_trigger_does_not_keep_a_session_from_ending(db: Session) -> None:
    session = open_session(db, new_person(db, "Nia"))
    db.run("alter table public.ended_sessions add constraint in_the_way check (false) not valid")
    assert db.run("delete from auth.sessions where id = %s", session) == 1


def test_rows_older_than_a_month_are_deleted(db: Session) -> None:
    nia = new_person(db, "Nia")
    first, second = open_session(db, nia), open_session(db, nia)
    db.run("delete from auth.sessions where id = %s", first)
    db.run("alter table public.ended_sessions disable trigger user")
    db.run("update public.ended_sessions set created_at = now() - interval '31 days'")
    db.run("alter table public.ended_sessions enable trigger user")
    db.run("delete from auth.sessions where id = %s", second)
    assert ended_sessions(db) == {second}
