"""Sessions that end are noted for their person, and nothing keeps them from ending."""

import uuid

from tests.supabase_schema.database import Session, new_person


def open_session(db: Session, person: str) -> str:
    """Sign somebody in as the Auth service does, and return the session's id."""
    session = str(uuid.uuid4())
    db.run("insert into auth.sessions (id, user_id) values (%s, %s)", session, person)
    return session


def noted(db: Session) -> set[object]:
    """Return the sessions that whoever acts is told of."""
    return {session for (session,) in db.rows("select session_id::text from public.ended_sessions")}


def test_a_session_that_ends_is_told_to_its_person_alone(db: Session) -> None:
    nia, other = new_person(db, "Nia"), new_person(db, "Other", "admin")
    gone, kept = open_session(db, nia), open_session(db, nia)
    cursor = str(db.changes_since(None)["cursor"])
    db.run("delete from auth.sessions where id = %s", gone)
    for person, told in ((nia, {gone}), (other, set()), (None, set())):
        db.act_as(person)
        assert noted(db) & {gone, kept} == told
        changes = db.changes_since(cursor)["changes"]
        assert isinstance(changes, list)
        keys = [change["key"] for change in changes if change["table"] == "ended_sessions"]
        assert keys == ([{"session_id": gone}] if told else [])


def test_the_sessions_of_an_account_that_is_deleted_are_noted(db: Session) -> None:
    nia = new_person(db, "Nia")
    session = open_session(db, nia)
    db.run("delete from auth.users where id = %s", nia)
    db.act_as(nia)
    assert noted(db) == {session}


def test_nothing_keeps_a_session_from_ending(db: Session) -> None:
    session = open_session(db, new_person(db, "Nia"))
    db.run("alter table public.ended_sessions add constraint in_the_way check (false) not valid")
    assert db.run("delete from auth.sessions where id = %s", session) == 1


def test_what_is_older_than_a_month_is_forgotten(db: Session) -> None:
    nia = new_person(db, "Nia")
    first, second = open_session(db, nia), open_session(db, nia)
    db.run("delete from auth.sessions where id = %s", first)
    db.run("alter table public.ended_sessions disable trigger user")
    db.run("update public.ended_sessions set created_at = now() - interval '31 days'")
    db.run("alter table public.ended_sessions enable trigger user")
    db.run("delete from auth.sessions where id = %s", second)
    assert noted(db) == {second}
