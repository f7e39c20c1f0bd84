"""Events as one block of HTML, the same for everybody in a time zone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from db.models import Event, EventCohost, Rsvp, RsvpStatus, User
from live.changes import Key
from live.rows import Rows
from live.snapshot import Snapshot
from ui import times
from ui.pending import saving_html
from ui.people import avatar_html, name_of, names_html
from ui.text import as_html, plural

_NAMES = 12
_ANSWERS = ((RsvpStatus.GOING, "Going"), (RsvpStatus.MAYBE, "Maybe"), (RsvpStatus.DECLINED, "Can't go"))


@dataclass(frozen=True, slots=True)
class Answers:
    """Who said what to one event, in the order in which they said it."""

    going: tuple[Rsvp, ...] = ()
    maybe: tuple[Rsvp, ...] = ()
    declined: tuple[Rsvp, ...] = ()


@dataclass(frozen=True, slots=True)
class Viewing:
    """From where and when a list is looked at; two people with the same get the same HTML."""

    zone: ZoneInfo
    minute: datetime

    @property
    def today(self) -> date:
        """The viewer's date."""
        return self.minute.astimezone(self.zone).date()


NOBODY = Answers()


def answers_by_event(rsvps: Snapshot[Rsvp]) -> Mapping[str, Answers]:
    """Return the answers to each event; worked out once for each snapshot."""
    return rsvps.derived("by event", _group)


def _group(rows: Rows[Rsvp]) -> dict[str, Answers]:
    ordered = sorted(rows.values(), key=lambda rsvp: (rsvp.event_id, rsvp.updated_at, rsvp.user_id))
    return {event_id: _split(tuple(each)) for event_id, each in groupby(ordered, lambda rsvp: rsvp.event_id)}


def _split(rsvps: tuple[Rsvp, ...]) -> Answers:
    def having(status: RsvpStatus) -> tuple[Rsvp, ...]:
        return tuple(rsvp for rsvp in rsvps if rsvp.status is status)

    return Answers(having(RsvpStatus.GOING), having(RsvpStatus.MAYBE), having(RsvpStatus.DECLINED))


def upcoming(events: Snapshot[Event], minute: datetime) -> list[Event]:
    """Return what is still to come or on now, soonest first."""
    ordered = events.derived("by start", _by_start)
    return [event for event in ordered if event.ends_at > minute]


def past(events: Snapshot[Event], minute: datetime) -> list[Event]:
    """Return what is over, latest first."""
    ordered = events.derived("by start", _by_start)
    return [event for event in reversed(ordered) if event.ends_at <= minute]


def _by_start(rows: Rows[Event]) -> list[Event]:
    return sorted(rows.values(), key=lambda event: (event.starts_at, event.id))


def cards_html(
    shown: Iterable[Event],
    rsvps: Snapshot[Rsvp],
    users: Snapshot[User],
    cohosts: Mapping[str, tuple[EventCohost, ...]],
    viewing: Viewing,
    pending: frozenset[str] = frozenset(),
) -> str:
    """Show events as cards; those of `pending` with the mark of what is not confirmed yet."""
    answers = answers_by_event(rsvps)
    cards = (
        _card_html(
            event,
            answers.get(event.id, NOBODY),
            users,
            cohosts.get(event.id, ()),
            viewing,
            saving_html(event.id in pending),
        )
        for event in shown
    )
    return f'<div class="tv-events">{"".join(cards)}</div>'


def cohosts_by_event(cohosts: Snapshot[EventCohost]) -> Mapping[str, tuple[EventCohost, ...]]:
    """Return who helps to run each event; worked out once for each snapshot."""
    return cohosts.derived("by event", _cohosts)


def _cohosts(rows: Rows[EventCohost]) -> dict[str, tuple[EventCohost, ...]]:
    grouped: dict[str, list[EventCohost]] = {}
    for cohost in sorted(rows.values(), key=lambda each: each.created_at):
        grouped.setdefault(cohost.event_id, []).append(cohost)
    return {event_id: tuple(each) for event_id, each in grouped.items()}


def _card_html(
    event: Event,
    answers: Answers,
    users: Snapshot[User],
    cohosts: tuple[EventCohost, ...],
    viewing: Viewing,
    saving: str,
) -> str:
    over = event.ends_at <= viewing.minute
    cancelled = event.cancelled_at is not None
    # Version 0: nothing can be done with it before the database has taken it.
    css = "tv-event" + (" over" if over else "") + (" cancelled" if cancelled else "")
    description = (
        f'<p class="tv-text" dir="auto">{as_html(event.description)}</p>' if event.description else ""
    )
    return (
        f'<article class="{css}" data-row="{as_html(event.id)}" data-owner="{as_html(event.organizer_id)}">'
        f"{_leaf_html(event, viewing.zone)}"
        f'<div class="tv-main"><h3><bdi>{as_html(event.title)}</bdi>{_state_html(event, over=over)}'
        f"{saving}</h3>"
        f"{_facts_html(event, users, cohosts, viewing)}{description}{_comers_html(event, answers, users)}"
        f"{_buttons_html(event, answers, over=over) if event.version else ''}</div></article>"
    )


def _leaf_html(event: Event, zone: ZoneInfo) -> str:
    local = event.starts_at.astimezone(zone)
    return (
        f'<div class="tv-leaf" aria-hidden="true"><span>{local:%b}</span><b>{local.day}</b>{local:%a}</div>'
    )


def _state_html(event: Event, *, over: bool) -> str:
    if event.cancelled_at is not None:
        return '<span class="tv-state bad">Cancelled</span>'
    return '<span class="tv-state">Over</span>' if over else ""


def _facts_html(
    event: Event, users: Snapshot[User], cohosts: tuple[EventCohost, ...], viewing: Viewing
) -> str:
    when = times.span(event.starts_at, event.ends_at, viewing.zone, viewing.today)
    exactly = times.full(event.starts_at, times.zone_named(event.time_zone))
    hosts = [users.get((event.organizer_id,)), *(users.get((each.user_id,)) for each in cohosts)]
    names = ", ".join(f"<bdi>{as_html(name_of(host))}</bdi>" for host in hosts)
    facts = [f'<span title="{as_html(exactly)}">🕖 {as_html(when)}</span>']
    if event.location:
        facts.append(f"<span>📍 <bdi>{as_html(event.location)}</bdi></span>")
    facts.append(f"<span>{avatar_html(hosts[0], 'small')}<span>{names}</span></span>")
    return f'<p class="tv-facts">{"".join(facts)}</p>'


def _comers_html(event: Event, answers: Answers, users: Snapshot[User]) -> str:
    counts = [f"<b>{len(answers.going)} going</b>"]
    if answers.maybe:
        counts.append(f"{len(answers.maybe)} maybe")
    if answers.declined:
        counts.append(f"{len(answers.declined)} can't")
    if event.capacity is not None:
        counts.append(_places(event.capacity - len(answers.going)))
    chips = names_html((users.get((rsvp.user_id,)) for rsvp in answers.going), _NAMES)
    perhaps = names_html((users.get((rsvp.user_id,)) for rsvp in answers.maybe), _NAMES)
    return (
        f'<div class="tv-comers"><span class="tv-counts">{" · ".join(counts)}</span>'
        f'<span class="tv-names">{chips}</span>'
        + (f'<span class="tv-names maybe" title="Maybe">{perhaps}</span>' if perhaps else "")
        + "</div>"
    )


def _places(left: int) -> str:
    return "full" if left <= 0 else f"{plural(left, 'place')} left"


def _buttons_html(event: Event, answers: Answers, *, over: bool) -> str:
    buttons: list[str] = []
    if not over and event.cancelled_at is None:
        full = event.capacity is not None and len(answers.going) >= event.capacity
        buttons += [
            f'<button type="button" class="tv-action" data-action="{status.value}" data-mark="{status.value}"'
            f"{' data-full' if full and status is RsvpStatus.GOING else ''}>{as_html(text)}</button>"
            for status, text in _ANSWERS
        ]
    buttons.append('<span class="tv-gap"></span>')
    buttons.append(_host_button("edit", "Edit"))
    if event.cancelled_at is not None:
        buttons.append(_host_button("reinstate", "Put back on"))
    elif not over:
        buttons.append(_host_button("cancel", "Cancel event"))
    # Heard before the buttons, which are the same on every card.
    return (
        f'<div class="tv-buttons" role="group" aria-label="{as_html(event.title)}">{"".join(buttons)}</div>'
    )


def _host_button(action: str, label: str) -> str:
    return f'<button type="button" class="tv-action for-host" data-action="{action}">{label}</button>'


def may_change(event: Event, user_id: str | None, cohosts: Iterable[EventCohost], *, admin: bool) -> bool:
    """Tell whether to offer changing an event; the database decides."""
    if user_id is None:
        return False
    return admin or event.organizer_id == user_id or any(each.user_id == user_id for each in cohosts)


def my_marks(
    rsvps: Snapshot[Rsvp], cohosts: Snapshot[EventCohost], user_id: str | None
) -> dict[str, list[str]]:
    """Return how the viewer's answers, and the events they help to run, are marked on the cards."""
    if user_id is None:
        return {}
    marks = {rsvp.event_id: [rsvp.status.value] for rsvp in _mine(rsvps.rows, user_id)}
    for cohost in cohosts:
        if cohost.user_id == user_id:
            marks.setdefault(cohost.event_id, []).append("host")
    return marks


def _mine(rows: Mapping[Key, Rsvp], user_id: str) -> Iterable[Rsvp]:
    return (rsvp for rsvp in rows.values() if rsvp.user_id == user_id)


def this_minute() -> datetime:
    """Return the time to the minute: what is derived from it is shared for that long."""
    return datetime.now(UTC).replace(second=0, microsecond=0)
