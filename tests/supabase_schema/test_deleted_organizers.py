"""What becomes of events whose organizer's account is deleted, alone or together with those of co-hosts."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations, permutations

import pytest

from tests.supabase_schema.database import Session, new_event, new_person, session
from tests.support.wait import wait_for

ORGANIZER, *COHOSTS = ("organizer", "one co-host", "another co-host")
HOST = "insert into public.event_cohosts (event_id, user_id) values (%s, %s)"


def hosts_of(db: Session, event: str) -> tuple[list[str], set[str]]:
    """Return the organizer of an event, if it is still there, and its co-hosts."""
    organizers = db.rows("select organizer_id from public.events where id = %s", event)
    cohosts = db.rows("select user_id from public.event_cohosts where event_id = %s", event)
    return [str(person) for (person,) in organizers], {str(person) for (person,) in cohosts}


@pytest.mark.parametrize("table", ["auth.users", "public.users"])
@pytest.mark.parametrize("created", list(permutations((ORGANIZER, *COHOSTS))))
def test_an_event_passes_to_a_cohost_who_stays(db: Session, table: str, created: Sequence[str]) -> None:
    for deleted in (some for count in range(3) for some in combinations(COHOSTS, count)):
        people = {name: new_person(db, name) for name in created}
        event = new_event(db, people[ORGANIZER])
        for name in COHOSTS:
            db.run(HOST, event, people[name])
        gone = [people[ORGANIZER], *(people[name] for name in deleted)]
        assert db.run(f"delete from {table} where id = any (%s::uuid[])", gone) == len(gone)
        # All became co-hosts at the same moment, so the first one by id is the heir.
        stay = sorted(people[name] for name in COHOSTS if name not in deleted)
        assert hosts_of(db, event) == (stay[:1], set(stay[1:])), deleted


def test_an_event_passes_by_a_cohost_who_is_deleted_at_the_same_time(dsn: str) -> None:
    delete = "delete from auth.users where id = %s"
    with session(dsn) as owner, session(dsn) as other, ThreadPoolExecutor(1) as pool:
        organizer, *cohosts = sorted(new_person(owner, "Host") for _ in range(3))
        event = new_event(owner, organizer)
        for cohost in cohosts:
            owner.run(HOST, event, cohost)
        owner.commit()
        other.run(delete, cohosts[0])
        deleting = pool.submit(owner.run, delete, organizer)
        blocked = "select count(*) from pg_locks where pid = %s and not granted"
        pid = owner.connection.info.backend_pid
        wait_for(lambda: other.value(blocked, pid) == 1, what="the other deletion")
        other.commit()
        assert deleting.result() == 1
        assert hosts_of(owner, event) == ([cohosts[1]], set())
        owner.run(delete, cohosts[1])
        owner.commit()
