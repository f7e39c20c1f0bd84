"""The waitlist of an event: nobody is lost, the order is kept, and no place is given twice."""

from __future__ import annotations

from dataclasses import dataclass, field

import psycopg2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.supabase_schema.database import Session, World, message, new_event, new_person, session
from tests.supabase_schema.test_capacity import all_at_once, attempt, committed_people

ANSWER = (
    "insert into public.rsvps (event_id, user_id, status, guests) values (%s, %s, %s, %s)"
    " on conflict (event_id, user_id) do update set status = excluded.status, guests = excluded.guests"
)
CAPACITY = "update public.events set capacity = %s where id = %s"
WITHDRAW = "delete from public.rsvps where event_id = %s and user_id = %s"


def answers(db: Session, event: str) -> dict[str, tuple[str, int]]:
    """Return what each person has answered, and with how many guests."""
    found = db.rows("select user_id::text, status, guests from public.rsvps where event_id = %s", event)
    return {str(person): (str(status), int(str(guests))) for person, status, guests in found}


def line(db: Session, event: str) -> list[str]:
    """Return who waits, first in line first."""
    waiting = "select user_id::text from public.rsvps where event_id = %s and status = 'waitlisted'"
    return [str(person) for (person,) in db.rows(f"{waiting} order by waitlisted_at, user_id", event)]


def people(db: Session, count: int) -> list[str]:
    """Return new people."""
    return [new_person(db, f"Guest {number}") for number in range(count)]


def make_late(db: Session, person: str) -> None:
    """Let the time go by in which a person had to confirm a place."""
    db.run("select set_config('waitlist.moves_up', 'yes', true)")
    db.run("update public.rsvps set confirm_by = now() - interval '1 minute' where user_id = %s", person)
    db.run("select set_config('waitlist.moves_up', '', true)")


def test_a_freed_place_goes_to_the_first_in_line(db: Session, world: World) -> None:
    event = new_event(db, world.people["owner"], capacity=1)
    going, first, second = people(db, 3)
    for person, status in ((going, "going"), (first, "waitlisted"), (second, "waitlisted")):
        db.run(ANSWER, event, person, status, 0)
    assert line(db, event) == [first, second]
    db.act_as(going)
    db.run(WITHDRAW, event, going)
    db.act_as_owner()
    assert answers(db, event) == {first: ("going", 0), second: ("waitlisted", 0)}
    confirm = "select confirm_by > now() from public.rsvps where user_id = %s"
    assert (db.value(confirm, first), db.value(confirm, second)) == (True, None)


def test_whoever_waits_for_a_free_place_has_it_at_once(db: Session, world: World) -> None:
    event = new_event(db, world.people["owner"], capacity=2)
    (person,) = people(db, 1)
    db.run(ANSWER, event, person, "waitlisted", 1)
    assert answers(db, event) == {person: ("going", 1)}
    assert db.value("select confirm_by is null from public.rsvps where user_id = %s", person) is True


def test_guests_take_places_and_those_that_do_not_fit_are_refused_with_what_is_left(
    db: Session, world: World
) -> None:
    event = new_event(db, world.people["owner"], capacity=4)
    host, other = people(db, 2)
    db.run(ANSWER, event, host, "going", 1)
    refusal = db.refusal(ANSWER, event, other, "going", 2)
    assert message(refusal) == "2 places are left: you can bring up to one guest."
    assert (refusal.diag.column_name, refusal.diag.message_hint) == ("guests", "2 of 4 places are taken.")
    db.run(ANSWER, event, other, "going", 1)
    assert message(db.refusal(CAPACITY, 3, event)).startswith("4 people are going already")


def test_whoever_moves_up_brings_as_many_guests_as_fit(db: Session, world: World) -> None:
    event = new_event(db, world.people["owner"], capacity=2)
    going, waiting = people(db, 2)
    db.run(ANSWER, event, going, "going", 1)
    db.run(ANSWER, event, waiting, "waitlisted", 3)
    db.run(ANSWER, event, going, "going", 0)
    assert answers(db, event) == {going: ("going", 0), waiting: ("going", 0)}


def test_a_person_sets_nothing_of_the_waitlist_but_confirms_a_place(db: Session, world: World) -> None:
    event = new_event(db, world.people["owner"], capacity=1)
    first, second, third = people(db, 3)
    db.run(ANSWER, event, first, "going", 0)
    db.run(ANSWER, event, second, "waitlisted", 0)
    db.act_as(third)
    db.run(
        "insert into public.rsvps (event_id, user_id, status, waitlisted_at, confirm_by)"
        " values (%s, %s, 'waitlisted', '2000-01-01', '2100-01-01')",
        event,
        third,
    )
    db.run("update public.rsvps set waitlisted_at = '2000-01-01' where user_id = %s", third)
    db.act_as_owner()
    assert line(db, event) == [second, third]
    db.run(WITHDRAW, event, first)
    db.act_as(second)
    deadline = "select confirm_by from public.rsvps where user_id = %s"
    given_until = db.value(deadline, second)
    db.run("update public.rsvps set confirm_by = '2100-01-01' where user_id = %s", second)
    assert db.value(deadline, second) == given_until
    db.run("update public.rsvps set confirm_by = null where user_id = %s", second)
    assert db.value(deadline, second) is None


def test_a_place_that_was_not_confirmed_in_time_goes_to_the_next_in_line(db: Session, world: World) -> None:
    event = new_event(db, world.people["owner"], capacity=1)
    going, late, next_ = people(db, 3)
    db.run(ANSWER, event, going, "going", 0)
    db.run(ANSWER, event, late, "waitlisted", 0)
    db.run(WITHDRAW, event, going)
    make_late(db, late)
    db.act_as(going)
    assert db.value("select public.settle_waitlists()") == 0, "nobody waits for the place"
    db.act_as_owner()
    assert answers(db, event)[late] == ("going", 0)
    db.run(ANSWER, event, next_, "waitlisted", 0)
    assert answers(db, event) == {late: ("waitlisted", 0), next_: ("going", 0)}


def test_a_raised_capacity_and_an_event_put_back_on_let_people_move_up(db: Session, world: World) -> None:
    event = new_event(db, world.people["owner"], capacity=1)
    everybody = people(db, 5)
    for person in everybody:
        db.run(ANSWER, event, person, "going" if person == everybody[0] else "waitlisted", 0)
    db.run(CAPACITY, 3, event)
    assert line(db, event) == everybody[3:]
    db.run("update public.events set cancelled_at = now() where id = %s", event)
    db.run(WITHDRAW, event, everybody[0])
    assert line(db, event) == everybody[3:], "nobody moves up in a cancelled event"
    db.run("update public.events set cancelled_at = null where id = %s", event)
    assert line(db, event) == everybody[4:]
    db.run(CAPACITY, None, event)
    assert line(db, event) == []


def test_a_deleted_account_frees_its_place(db: Session, world: World) -> None:
    event = new_event(db, world.people["owner"], capacity=1)
    going, waiting = people(db, 2)
    db.run(ANSWER, event, going, "going", 0)
    db.run(ANSWER, event, waiting, "waitlisted", 0)
    db.run("delete from auth.users where id = %s", going)
    assert answers(db, event) == {waiting: ("going", 0)}


def test_anybody_may_settle_what_is_due(db: Session, world: World) -> None:
    event = new_event(db, world.people["owner"], capacity=1)
    going, late, next_ = people(db, 3)
    db.run(ANSWER, event, going, "going", 0)
    for person in (late, next_):
        db.run(ANSWER, event, person, "waitlisted", 0)
    db.run(WITHDRAW, event, going)
    make_late(db, late)
    db.act_as(None)
    assert db.value("select public.settle_waitlists()") == 1
    assert db.value("select public.settle_waitlists()") == 0
    assert answers(db, event) == {late: ("waitlisted", 0), next_: ("going", 0)}


def test_of_thirty_people_at_once_ten_get_a_place_and_the_others_keep_their_order(dsn: str) -> None:
    with committed_people(dsn, 30) as everybody, session(dsn) as owner:
        event = new_event(owner, everybody[0], capacity=10)
        owner.commit()
        joined = all_at_once(
            [lambda p=one: attempt(dsn, p, ANSWER, event, p, "waitlisted", 0) for one in everybody]  # type: ignore[misc]
        )
        assert joined == [""] * 30
        statuses = [status for status, _ in answers(owner, event).values()]
        assert (statuses.count("going"), statuses.count("waitlisted")) == (10, 20)
        order = line(owner, event)
        going = [person for person, (status, _) in answers(owner, event).items() if status == "going"]
        owner.commit()
        left = all_at_once(
            [lambda p=one: attempt(dsn, p, WITHDRAW, event, p) for one in going]  # type: ignore[misc]
        )
        assert left == [""] * 10
        assert line(owner, event) == order[10:]
        assert {person for person, (status, _) in answers(owner, event).items() if status == "going"} == set(
            order[:10]
        )


@dataclass
class Line:
    """What an event's answers should be."""

    capacity: int | None
    going: dict[int, int] = field(default_factory=dict)
    """The guests of those who are going."""
    waiting: dict[int, int] = field(default_factory=dict)
    """The guests of those who wait, first in line first."""
    others: dict[int, str] = field(default_factory=dict)

    def left(self, besides: int | None = None) -> float:
        """Return how many places are left for somebody."""
        if self.capacity is None:
            return float("inf")
        return self.capacity - sum(1 + guests for one, guests in self.going.items() if one != besides)

    def answer(self, person: int, status: str, guests: int) -> bool:
        """Answer; return whether that is possible."""
        if status == "waitlisted":
            if person in self.going:
                return False
            others_wait = set(self.waiting) - {person}
            if not others_wait and self.left() > guests:
                self.waiting.pop(person, None)
                self.others.pop(person, None)
                self.going[person] = guests
            else:
                self.others.pop(person, None)
                self.waiting[person] = guests
        elif status == "going":
            known = self.going.get(person)
            if (known is None or guests > known) and self.left(person) <= guests:
                return False
            self._forget(person)
            self.going[person] = guests
        else:
            self._forget(person)
            self.others[person] = status
        self.move_up()
        return True

    def withdraw(self, person: int) -> None:
        """Take an answer back."""
        self._forget(person)
        self.move_up()

    def set_capacity(self, capacity: int | None) -> bool:
        """Change how many places there are; return whether that is possible."""
        if capacity is not None and capacity < sum(1 + guests for guests in self.going.values()):
            return False
        self.capacity = capacity
        self.move_up()
        return True

    def move_up(self) -> None:
        """Give free places to the first in line."""
        while self.waiting and self.left() > 0:
            person = next(iter(self.waiting))
            self.going[person] = int(min(self.waiting.pop(person), self.left() - 1))

    def _forget(self, person: int) -> None:
        for answers_ in (self.going, self.waiting, self.others):
            answers_.pop(person, None)


PERSON = st.integers(0, 6)
ACTS = st.one_of(
    st.tuples(
        st.just("answer"),
        PERSON,
        st.sampled_from(["going", "waitlisted", "maybe", "declined"]),
        st.integers(0, 3),
    ),
    st.tuples(st.just("withdraw"), PERSON),
    st.tuples(st.just("capacity"), st.one_of(st.none(), st.integers(1, 8))),
)


@given(capacity=st.integers(1, 5), acts=st.lists(ACTS, max_size=25))
@settings(max_examples=40, suppress_health_check=list(HealthCheck))
def test_after_any_acts_the_answers_are_those_of_a_simple_model(
    db: Session, world: World, capacity: int, acts: list[tuple[object, ...]]
) -> None:
    db.run("savepoint example")
    event, everybody = new_event(db, world.people["owner"], capacity=capacity), people(db, 7)
    model = Line(capacity)
    for act in acts:
        possible = perform(model, act)
        db.run("savepoint act")
        try:
            perform_in_database(db, event, everybody, act)
            done = True
        except psycopg2.Error:
            db.run("rollback to savepoint act")
            done = False
        assert done == possible, act
        expected = {everybody[one]: ("going", guests) for one, guests in model.going.items()}
        expected |= {everybody[one]: ("waitlisted", guests) for one, guests in model.waiting.items()}
        expected |= {everybody[one]: (status, 0) for one, status in model.others.items()}
        assert answers(db, event) == expected
        assert line(db, event) == [everybody[one] for one in model.waiting]
    db.run("rollback to savepoint example")


def perform(model: Line, act: tuple[object, ...]) -> bool:
    """Perform an act in the model; return whether it is possible."""
    match act:
        case ("answer", int(person), str(status), int(guests)):
            return model.answer(person, status, guests)
        case ("withdraw", int(person)):
            model.withdraw(person)
        case ("capacity", None | int() as capacity):
            return model.set_capacity(capacity)
    return True


def perform_in_database(db: Session, event: str, everybody: list[str], act: tuple[object, ...]) -> None:
    """Perform an act in the database. Raises `psycopg2.Error` if it is refused."""
    match act:
        case ("answer", int(person), str(status), int(guests)):
            db.run(ANSWER, event, everybody[person], status, guests)
        case ("withdraw", int(person)):
            db.run(WITHDRAW, event, everybody[person])
        case ("capacity", capacity):
            db.run(CAPACITY, capacity, event)
