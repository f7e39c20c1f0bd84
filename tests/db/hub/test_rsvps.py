"""Answers to events: one a person, never more than the event has places."""

import contextlib
import threading

import psycopg2
import pytest

from db import errors
from db.auth.accounts import SignedIn
from db.hub import rsvps
from db.hub.models import Rsvp, RsvpStatus
from db.rows import find
from local_supabase.stack.runtime import StackInfo
from tests.db.conftest import SignUp
from tests.db.hub.samples import new_event
from tests.support.wait import wait_for


def test_the_last_place_is_free_again_after_its_answer_is_withdrawn(sign_up: SignUp) -> None:
    me, late = sign_up("Ann"), sign_up("Bob")
    event = new_event(me, capacity=1)
    for status in (RsvpStatus.MAYBE, RsvpStatus.GOING, RsvpStatus.GOING):
        assert Rsvp.from_record(rsvps.answer(me, event.id, status)).status is status
    with pytest.raises(errors.EventFullError):
        rsvps.answer(late, event.id, RsvpStatus.GOING)
    rsvps.withdraw(me, event.id)
    assert Rsvp.from_record(rsvps.answer(late, event.id, RsvpStatus.GOING)).user_id == late.user_id


def test_an_answer_is_written_though_the_database_s_answer_is_lost(lossy: SignedIn) -> None:
    event = new_event(lossy)
    for status in (RsvpStatus.MAYBE, RsvpStatus.GOING):
        assert Rsvp.from_record(rsvps.answer(lossy, event.id, status)).status is status
    rsvps.withdraw(lossy, event.id)
    assert find(lossy, "rsvps", {"event_id": event.id, "user_id": lossy.user_id}) is None


def test_an_answer_is_written_though_another_write_waits_for_it(sign_up: SignUp, stack: StackInfo) -> None:
    """An answer takes its event before its row. Whoever has its row and wants the event waits for it."""
    me = sign_up("Ann")
    event = new_event(me)
    rsvps.answer(me, event.id, RsvpStatus.MAYBE)
    answers: list[Rsvp] = []

    def answer() -> None:
        answers.append(Rsvp.from_record(rsvps.answer(me, event.id, RsvpStatus.GOING)))

    thread = threading.Thread(target=answer)
    database = psycopg2.connect(stack.database_url)
    try:
        # The one that has waited longer is given up, so usually the answer.
        with contextlib.suppress(psycopg2.errors.DeadlockDetected), database, database.cursor() as cursor:
            cursor.execute("select from public.rsvps where event_id = %s for update", (event.id,))
            thread.start()

            def waits() -> bool:
                cursor.execute(
                    "select count(*) from pg_locks where not granted and pid <> pg_backend_pid()"
                    " and transactionid = pg_current_xact_id()::xid"
                )
                return bool(cursor.fetchone()[0])  # type: ignore[index]  # count gives a row

            wait_for(waits, what="the answer to wait for its row")
            cursor.execute("select from public.events where id = %s for update", (event.id,))
    finally:
        database.close()
    thread.join(60)
    assert [each.status for each in answers] == [RsvpStatus.GOING]
