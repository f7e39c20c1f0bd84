"""Every write of this app, and writes past the app that it must follow too."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from db.agents import requests as agent_requests
from db.agents import runs as agent_runs
from db.agents.models import AgentRun
from db.auth.accounts import SignedIn
from db.columns import Record
from db.errors import ConflictError, EventFullError
from db.hub import event_messages, events, private_messages, rsvps, tavern_messages, users
from db.hub.models import Role, RsvpStatus
from publish import SyncAgentEventPublisher
from tests.verify.cast import Cast

Result = tuple[str, Record, SignedIn]
"""A table, a row that a write to it returned, and the writer, whose own tab shows the row at once."""

Act = Callable[[Cast], list[Result]]


@dataclass(frozen=True, slots=True)
class WritePath:
    """One way to write, and the functions of `db` that it covers."""

    act: Act
    covers: Sequence[Callable[..., object]]

    def __str__(self) -> str:
        return self.act.__name__.replace("_", " ")


PATHS: list[WritePath] = []


def path(*covers: Callable[..., object]) -> Callable[[Act], Act]:
    """Register the decorated function as a write path."""

    def register(act: Act) -> Act:
        PATHS.append(WritePath(act, covers))
        return act

    return register


def new_id() -> str:
    """Return a new id, as the app makes it."""
    return str(uuid.uuid4())


def draft(capacity: int | None = None) -> events.EventDraft:
    """Return an event of tomorrow."""
    begin = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    return events.EventDraft(
        "Quiz night", "Six rounds.", begin, begin + timedelta(hours=2), "Europe/Berlin", "Roof", capacity
    )


def new_event(me: SignedIn, capacity: int | None = None) -> str:
    """Create an event; return its id."""
    event = new_id()
    events.create(me, event, draft(capacity))
    return event


def version_of(record: Record) -> int:
    """Return the version of a row that was just written."""
    version = record["version"]
    assert isinstance(version, int)
    return version


@path()
def somebody_signs_up(cast: Cast) -> list[Result]:
    cast.sign_up("Eve")
    return []


@path(users.change)
def a_profile_is_edited(cast: Cast) -> list[Result]:
    me = cast.sign_up("Fay")
    profile = users.change(me, me.user_id, {"bio": "<b>Hello</b>", "avatar": "🦉"}, version=1)
    profile = users.change(me, me.user_id, {"display_name": "Fay II"}, version=version_of(profile))
    return [("users", profile, me)]


@path(users.set_role)
def an_admin_gives_a_role(cast: Cast) -> list[Result]:
    organizer = users.set_role(cast.ada, cast.sign_up("Gil").user_id, Role.ORGANIZER, version=1)
    return [("users", organizer, cast.ada)]


@path(events.create)
def an_event_is_created(cast: Cast) -> list[Result]:
    return [("events", events.create(cast.bo, new_id(), draft(capacity=10)), cast.bo)]


@path(events.create)
def an_event_is_created_twice_under_one_id(cast: Cast) -> list[Result]:
    event, what = new_id(), draft()
    return [("events", events.create(cast.bo, event, what), cast.bo) for _ in range(2)]


@path(events.change)
def an_event_is_changed(cast: Cast) -> list[Result]:
    event = new_event(cast.bo)
    record = events.change(cast.bo, event, {"location": "Kitchen", "capacity": 3}, version=1)
    return [("events", record, cast.bo)]


@path(events.change)
def two_people_change_an_event_and_one_is_late(cast: Cast) -> list[Result]:
    event = new_event(cast.bo)
    record = events.change(cast.ada, event, {"title": "From Ada"}, version=1)
    with contextlib.suppress(ConflictError):
        events.change(cast.bo, event, {"title": "From Bo"}, version=1)
    return [("events", record, cast.ada)]


@path(events.cancel, events.reinstate)
def an_event_is_cancelled_and_reinstated(cast: Cast) -> list[Result]:
    event = new_event(cast.bo)
    cancelled = events.cancel(cast.bo, event, version=1)
    back = events.reinstate(cast.bo, event, version=version_of(cancelled))
    events.cancel(cast.bo, new_event(cast.bo), version=1)
    # The older row comes last. It must not replace the newer one.
    return [("events", back, cast.bo), ("events", cancelled, cast.bo)]


@path(events.add_cohost, events.change)
def a_cohost_is_added_and_edits(cast: Cast) -> list[Result]:
    event = new_event(cast.bo)
    cohost = events.add_cohost(cast.bo, event, cast.cy.user_id)
    record = events.change(cast.cy, event, {"title": "From the co-host"}, version=1)
    return [("event_cohosts", cohost, cast.bo), ("events", record, cast.cy)]


@path(events.add_cohost, events.remove_cohost)
def a_cohost_is_removed_and_added_again(cast: Cast) -> list[Result]:
    event = new_event(cast.bo)
    events.add_cohost(cast.bo, event, cast.cy.user_id)
    events.add_cohost(cast.bo, event, cast.dee.user_id)
    events.remove_cohost(cast.bo, event, cast.cy.user_id)
    events.remove_cohost(cast.bo, event, cast.dee.user_id)
    return [("event_cohosts", events.add_cohost(cast.bo, event, cast.cy.user_id), cast.bo)]


@path(rsvps.answer)
def an_answer_is_given_and_changed(cast: Cast) -> list[Result]:
    event = new_event(cast.bo)
    statuses = (RsvpStatus.GOING, RsvpStatus.MAYBE, RsvpStatus.DECLINED)
    answers = [rsvps.answer(cast.cy, event, status) for status in statuses]
    return [("rsvps", answer, cast.cy) for answer in reversed(answers)]


@path(rsvps.answer, rsvps.withdraw)
def an_answer_is_withdrawn(cast: Cast) -> list[Result]:
    event = new_event(cast.bo)
    rsvps.answer(cast.cy, event, RsvpStatus.GOING)
    rsvps.withdraw(cast.cy, event)
    return []


@path(rsvps.answer, rsvps.withdraw)
def an_answer_is_withdrawn_and_given_again(cast: Cast) -> list[Result]:
    event = new_event(cast.bo)
    for status in (RsvpStatus.GOING, RsvpStatus.MAYBE, RsvpStatus.GOING):
        rsvps.answer(cast.cy, event, status)
    rsvps.withdraw(cast.cy, event)
    return [("rsvps", rsvps.answer(cast.cy, event, RsvpStatus.MAYBE), cast.cy)]


@path(rsvps.answer, rsvps.withdraw)
def somebody_joins_the_waitlist_behind_another(cast: Cast) -> list[Result]:
    event = new_event(cast.bo, capacity=1)
    for person, status in ((cast.bo, RsvpStatus.GOING), (cast.dee, RsvpStatus.WAITLISTED)):
        rsvps.answer(person, event, status)
    waiting = rsvps.answer(cast.cy, event, RsvpStatus.WAITLISTED)
    rsvps.withdraw(cast.bo, event)
    return [("rsvps", waiting, cast.cy)]


@path(rsvps.answer)
def the_last_place_is_taken(cast: Cast) -> list[Result]:
    event = new_event(cast.bo, capacity=1)
    answer = rsvps.answer(cast.bo, event, RsvpStatus.GOING)
    with contextlib.suppress(EventFullError):
        rsvps.answer(cast.cy, event, RsvpStatus.GOING)
    return [("rsvps", answer, cast.bo)]


@path(tavern_messages.post)
def a_message_is_posted(cast: Cast) -> list[Result]:
    message = tavern_messages.post(cast.bo, new_id(), "Hello <script>alert(1)</script> 👋\n" + "x" * 1900)
    return [("tavern_messages", message, cast.bo)]


@path(tavern_messages.edit)
def a_message_is_edited(cast: Cast) -> list[Result]:
    message = new_id()
    tavern_messages.post(cast.bo, message, "Helo")
    return [("tavern_messages", tavern_messages.edit(cast.bo, message, "Hello", version=1), cast.bo)]


@path(tavern_messages.remove)
def a_message_is_deleted(cast: Cast) -> list[Result]:
    message = new_id()
    tavern_messages.post(cast.bo, message, "Never mind")
    tavern_messages.remove(cast.bo, message)
    return []


@path(tavern_messages.hide)
def a_message_is_hidden(cast: Cast) -> list[Result]:
    message = new_id()
    tavern_messages.post(cast.bo, message, "Something rude")
    return [("tavern_messages", tavern_messages.hide(cast.ada, message, version=1), cast.ada)]


@path(tavern_messages.hide, tavern_messages.unhide)
def a_message_is_hidden_and_shown_again(cast: Cast) -> list[Result]:
    message = new_id()
    tavern_messages.post(cast.bo, message, "Not so rude after all")
    hidden = tavern_messages.hide(cast.ada, message, version=1)
    shown = tavern_messages.unhide(cast.ada, message, version=version_of(hidden))
    return [("tavern_messages", shown, cast.ada), ("tavern_messages", hidden, cast.ada)]


@path(*(getattr(event_messages, name) for name in ("post", "edit", "hide", "unhide", "remove")))
def messages_about_an_event_are_posted_edited_hidden_and_deleted(cast: Cast) -> list[Result]:
    event, message, gone = new_event(cast.bo), new_id(), new_id()
    event_messages.post(cast.cy, message, event, "Helo")
    event_messages.post(cast.cy, gone, event, "Never mind")
    event_messages.edit(cast.cy, message, "Hello", version=1)
    hidden = event_messages.hide(cast.bo, message, version=2)
    shown = event_messages.unhide(cast.bo, message, version=3)
    event_messages.remove(cast.cy, gone)
    return [("event_messages", shown, cast.bo), ("event_messages", hidden, cast.bo)]


@path(private_messages.send)
def a_private_message_is_sent(cast: Cast) -> list[Result]:
    message = private_messages.send(cast.bo, new_id(), cast.cy.user_id, "For you alone")
    return [("private_messages", message, cast.bo)]


@path(private_messages.send, private_messages.mark_read)
def private_messages_are_read(cast: Cast) -> list[Result]:
    sent = [new_id() for _ in range(3)]
    for message in sent:
        private_messages.send(cast.bo, message, cast.cy.user_id, f"Message {message}")
    read = private_messages.mark_read(cast.cy, sent)
    assert len(read) == 3
    return [("private_messages", record, cast.cy) for record in read]


@path(private_messages.send, private_messages.remove)
def a_private_message_is_deleted(cast: Cast) -> list[Result]:
    message = new_id()
    private_messages.send(cast.cy, message, cast.bo.user_id, "Wrong window")
    private_messages.remove(cast.cy, message)
    return []


@path()
def an_admin_gets_a_private_message(cast: Cast) -> list[Result]:
    message = private_messages.send(cast.bo, new_id(), cast.ada.user_id, "A word, please")
    return [("private_messages", message, cast.bo)]


DRAFT = agent_runs.RunDraft("<b>tester</b>", "t-1", "task_123")


@path(agent_runs.start)
def a_run_is_started(cast: Cast) -> list[Result]:
    return [("agent_runs", agent_runs.start(cast.bo, new_id(), DRAFT), cast.bo)]


@path(agent_runs.start)
def an_admin_starts_a_run(cast: Cast) -> list[Result]:
    return [("agent_runs", agent_runs.start(cast.ada, new_id(), DRAFT), cast.ada)]


@path(agent_requests.create, agent_requests.newest, agent_runs.history)
def a_program_creates_a_run(cast: Cast) -> list[Result]:
    created = agent_requests.create(
        cast.bo, new_id(), agent_requests.NewRun("Tester", "t-1", metadata={"a": 1})
    )
    assert agent_requests.newest(cast.bo, agent_requests.RunFilter(1, agent_name="Tester"))[0] == created
    assert next(agent_runs.history(cast.bo)) == created
    return [("agent_runs", created, cast.bo)]


@path(agent_runs.cancel, agent_runs.retry)
def a_run_is_cancelled_and_retried(cast: Cast) -> list[Result]:
    run = new_id()
    request = agent_requests.NewRun("Tester", "t-1", metadata={"options": {"pattern": "docs/*"}})
    agent_requests.create(cast.bo, run, request)
    cancelled = agent_runs.cancel(cast.bo, run)
    again = agent_runs.retry(cast.bo, new_id(), AgentRun.from_record(cancelled))
    assert (again["retry_of"], again["metadata"]) == (run, cancelled["metadata"])
    return [("agent_runs", cancelled, cast.bo), ("agent_runs", again, cast.bo)]


@path(agent_runs.cancel, agent_runs.find, agent_runs.events_of)
def an_admin_cancels_somebody_elses_run(cast: Cast) -> list[Result]:
    run = new_id()
    agent_runs.start(cast.bo, run, DRAFT)
    cancelled = agent_runs.cancel(cast.ada, run)
    assert agent_runs.find(cast.cy, run) is None
    assert agent_runs.events_of(cast.cy, run) == []
    assert [event["message"] for event in agent_runs.events_of(cast.bo, run)] == ["cancelled", "pending"]
    return [("agent_runs", cancelled, cast.ada)]


@path()
def a_publisher_reports_on_a_run(cast: Cast) -> list[Result]:
    settings = cast.bo.clients.settings
    with SyncAgentEventPublisher(settings.url, settings.key, cast.bo.access_token) as publisher:
        run = publisher.start_run(agent_name="tester", metadata={"x": [1, None]})
        publisher.update_progress(run, "Reading", 33.3, tokens=10**12, cost_usd=Decimal("0.1234567"))
        publisher.log(run, "<script>alert(1)</script>")
        for status in ("awaiting_verification", "verification_in_progress", "verification_failed"):
            publisher.update_status(run, status, evidence={"seen": status})
        publisher.update_status(run, "in_progress")
        publisher.complete_run(run, {"answer": 42.5})
    return []


@path()
def an_account_is_deleted_with_all_its_rows(cast: Cast) -> list[Result]:
    leaving = cast.sign_up("Hal")
    event = new_event(leaving)
    passed_on = new_event(leaving)
    events.add_cohost(leaving, passed_on, cast.cy.user_id)
    rsvps.answer(cast.bo, event, RsvpStatus.GOING)
    rsvps.answer(leaving, passed_on, RsvpStatus.GOING)
    tavern_messages.post(leaving, new_id(), "Goodbye")
    private_messages.send(leaving, new_id(), cast.bo.user_id, "Goodbye")
    private_messages.send(cast.cy, new_id(), leaving.user_id, "Stay!")
    agent_runs.start(leaving, new_id(), DRAFT)
    cast.by_sql(
        "insert into public.routing_metrics (user_id, request_id, provider, model)"
        " values (%s, 'r', 'acme', 'small')",
        leaving.user_id,
    )
    cast.by_sql("delete from auth.users where id = %s", leaving.user_id)
    return []


@path()
def rows_are_changed_by_sql(cast: Cast) -> list[Result]:
    event = new_event(cast.bo)
    cast.by_sql("update public.events set location = 'Moved by SQL' where id = %s", event)
    cast.by_sql("insert into public.tavern_messages (author_id, body) values (%s, 'By SQL')", cast.bo.user_id)
    return []


@path()
def an_event_is_deleted_by_sql(cast: Cast) -> list[Result]:
    event = new_event(cast.bo)
    events.add_cohost(cast.bo, event, cast.cy.user_id)
    rsvps.answer(cast.cy, event, RsvpStatus.GOING)
    cast.by_sql("delete from public.events where id = %s", event)
    return []


@path()
def many_rows_in_one_transaction(cast: Cast) -> list[Result]:
    cast.by_sql(
        "insert into public.tavern_messages (author_id, body)"
        " select %s, 'Message ' || n from generate_series(1, 30) as n",
        cast.bo.user_id,
    )
    cast.by_sql("delete from public.tavern_messages where body like 'Message %%'")
    return []


@path()
def an_answer_is_replaced_in_one_transaction_by_sql(cast: Cast) -> list[Result]:
    event = new_event(cast.bo)
    rsvps.answer(cast.cy, event, RsvpStatus.GOING)
    cast.by_sql(
        "delete from public.rsvps where event_id = %s;"
        " insert into public.rsvps (event_id, user_id, status) values (%s, %s, 'maybe')",
        event,
        event,
        cast.cy.user_id,
    )
    return []
