"""Rules of events that hold when many people act at the same time."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg2
import pytest

from tests.supabase_schema.database import Session, World, message, new_event, new_person, session
from tests.support.wait import wait_for

ANSWER = "insert into public.rsvps (event_id, user_id, status) values (%s, %s, %s)"
UPSERT = ANSWER + " on conflict (event_id, user_id) do update set status = excluded.status"


@contextmanager
def committed_people(dsn: str, count: int) -> Iterator[list[str]]:
    """Commit new people; delete them with all their rows after the block."""
    with session(dsn) as owner:
        people = [new_person(owner, f"Guest {number}") for number in range(count)]
        owner.commit()
        try:
            yield people
        finally:
            owner.rollback()
            owner.run("delete from auth.users where id = any (%s::uuid[])", people)
            owner.commit()


def attempt(dsn: str, person: str, sql: str, *values: object) -> str:
    """Execute a statement as a person in its own transaction; return "" or the message of its refusal."""
    with session(dsn) as mine:
        mine.act_as(person)
        try:
            mine.run(sql, *values)
            mine.commit()
        except psycopg2.Error as error:
            return message(error)
    return ""


def is_blocked(owner: Session) -> bool:
    """Whether a transaction waits for another one in this database."""
    waiting = owner.value(
        "select count(*) from pg_stat_activity"
        " where datname = current_database() and wait_event_type = 'Lock'"
    )
    owner.rollback()
    return waiting == 1


def all_at_once(actions: list[Callable[[], str]]) -> list[str]:
    """Run each action in its own thread."""
    with ThreadPoolExecutor(len(actions)) as pool:
        return list(pool.map(lambda action: action(), actions))


@pytest.mark.parametrize("capacity", [1, 10])
def test_of_thirty_people_as_many_get_a_place_as_there_are(dsn: str, capacity: int) -> None:
    with committed_people(dsn, 30) as people, session(dsn) as owner:
        event = new_event(owner, people[0], capacity=capacity)
        owner.commit()
        answers = all_at_once(
            [lambda p=person: attempt(dsn, p, UPSERT, event, p, "going") for person in people]  # type: ignore[misc]
        )
        going = owner.value(
            "select count(*) from public.rsvps where event_id = %s and status = 'going'", event
        )
        assert going == capacity
        assert sorted(answers) == [""] * capacity + ["This event is full."] * (30 - capacity)


def test_the_capacity_shrinks_while_a_place_is_taken(dsn: str) -> None:
    with committed_people(dsn, 3) as people, session(dsn) as organizer, session(dsn) as owner:
        event = new_event(owner, people[0], capacity=2)
        owner.run(ANSWER, event, people[1], "going")
        owner.commit()
        organizer.act_as(people[0])
        organizer.run("update public.events set capacity = 1 where id = %s", event)
        with ThreadPoolExecutor(1) as pool:
            claim = pool.submit(attempt, dsn, people[2], ANSWER, event, people[2], "going")
            wait_for(lambda: is_blocked(owner), what="the claim to wait for the organizer")
            organizer.commit()
            assert claim.result(30) == "This event is full."


def test_a_full_event_refuses_another_answer(db: Session, world: World) -> None:
    event = new_event(db, world.people["owner"], capacity=1)
    db.run(ANSWER, event, world.people["other"], "going")
    refusal = db.refusal(ANSWER, event, world.people["admin"], "going")
    assert (refusal.pgcode, message(refusal)) == ("23514", "This event is full.")
    assert refusal.diag.message_hint == "1 of 1 places are taken."
    db.run(ANSWER, event, world.people["admin"], "maybe")
    assert message(db.refusal(UPSERT, event, world.people["admin"], "going")) == "This event is full."


def test_a_person_who_is_going_can_answer_again_when_it_is_full(db: Session, world: World) -> None:
    event = new_event(db, world.people["owner"], capacity=1)
    db.run(ANSWER, event, world.people["other"], "going")
    assert db.run(UPSERT, event, world.people["other"], "going") == 1


def test_a_place_is_free_again_after_its_answer_is_withdrawn(db: Session, world: World) -> None:
    event = new_event(db, world.people["owner"], capacity=1)
    db.run(ANSWER, event, world.people["other"], "going")
    db.run(UPSERT, event, world.people["other"], "declined")
    assert db.run(ANSWER, event, world.people["admin"], "going") == 1


def test_the_capacity_cannot_fall_below_the_number_of_people_going(db: Session, world: World) -> None:
    event = new_event(db, world.people["owner"])
    for role in ("other", "admin"):
        db.run(ANSWER, event, world.people[role], "going")
    refusal = db.refusal("update public.events set capacity = 1 where id = %s", event)
    assert refusal.pgcode == "23514"
    assert message(refusal) == "2 people are going already: the capacity cannot be lower than that."
    assert db.run("update public.events set capacity = 2 where id = %s", event) == 1
    assert db.run("update public.events set capacity = null where id = %s", event) == 1


@pytest.mark.parametrize(
    ("when", "refusal"), [("cancelled", "This event was cancelled."), ("over", "This event is over.")]
)
def test_after_an_event_has_ended_a_person_can_only_withdraw(
    db: Session, world: World, when: str, refusal: str
) -> None:
    event = new_event(db, world.people["owner"], starts_in="-2 hours" if when == "over" else "2 hours")
    going, new = world.people["other"], world.people["recipient"]
    db.run(ANSWER, event, going, "going")
    if when == "cancelled":
        db.run("update public.events set cancelled_at = now() where id = %s", event)
    for answer in ("going", "maybe", "declined"):
        db.act_as(new)
        assert message(db.refusal(ANSWER, event, new, answer)) == refusal
        db.act_as_owner()
    db.act_as(going)
    assert message(db.refusal(UPSERT, event, going, "maybe")) == refusal
    assert db.run(UPSERT, event, going, "declined") == 1
    assert db.run("delete from public.rsvps where event_id = %s and user_id = %s", event, going) == 1


def test_an_isolation_level_that_could_overbook_is_refused(dsn: str) -> None:
    with committed_people(dsn, 1) as (person,), session(dsn) as owner:
        event = new_event(owner, person, capacity=1)
        owner.commit()
        owner.run("set transaction isolation level repeatable read")
        assert owner.refusal(ANSWER, event, person, "going").pgcode == "0A000"


def test_two_admins_cannot_demote_each_other_at_once(dsn: str) -> None:
    with committed_people(dsn, 2) as people, session(dsn) as owner:
        others = "role = 'admin' and id <> all (%s::uuid[])"
        restore = [row[0] for row in owner.rows(f"select id::text from public.users where {others}", people)]
        owner.run(f"update public.users set role = 'member' where {others}", people)
        owner.run("update public.users set role = 'admin' where id = any (%s::uuid[])", people)
        owner.commit()
        try:
            demote = "update public.users set role = 'member' where id = %s"
            with session(dsn) as first, ThreadPoolExecutor(1) as pool:
                first.act_as(people[0])
                first.run(demote, people[1])
                second = pool.submit(attempt, dsn, people[1], demote, people[0])
                wait_for(lambda: is_blocked(owner), what="the second admin to wait for the first")
                first.commit()
                assert second.result(30) == "Only an admin can change a role."
            assert owner.value("select count(*) from public.users where role = 'admin'") == 1
        finally:
            owner.rollback()
            owner.run("update public.users set role = 'admin' where id = any (%s::uuid[])", restore)
            owner.commit()
