"""The sections of the home page that concern one person: what waits for them, and their events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Self

from db.hub.models import Event, EventCohost, PrivateMessage, Rsvp, RsvpStatus
from livetables.tables.snapshot import Snapshot
from ui.base import times
from ui.base.html import EMPTY, Markup, Template, join
from ui.base.links import link_html, to_event, to_inbox
from ui.base.navigation import Place
from ui.base.parts import rsvps_of
from ui.base.people import FindUser, avatar_html, name_html
from ui.base.region import Region
from ui.base.text import ordinal, plural
from ui.events import cards, schedule
from ui.events.cards import Viewing
from ui.events.schedule import NO_RSVPS
from ui.messages import inbox
from ui.shell.home import (
    line_html,
    lines_html,
    note_html,
    said_html,
    section_html,
    sign_html,
    when_html,
)

_MOST_EVENTS: Final = 8
_MOST_PEOPLE_WRITING: Final = 5

_UNREAD = Template("{name} · {count}")


@dataclass(frozen=True, slots=True)
class Mine:
    """What concerns one person: their answers by event, within those of all, and the co-hosts of events."""

    user_id: str
    answers: Mapping[str, Rsvp]
    rsvps: Snapshot[Rsvp]
    cohosts: Snapshot[EventCohost]

    @classmethod
    def of(cls, user_id: str, rsvps: Snapshot[Rsvp], cohosts: Snapshot[EventCohost]) -> Self:
        """Find what concerns a person."""
        answers = {answer.event_id: answer for answer in rsvps_of(rsvps, user_id)}
        return cls(user_id, answers, rsvps, cohosts)

    def hosts(self, event: Event) -> bool:
        """Tell whether the person runs an event."""
        return schedule.is_host(event, self.cohosts, self.user_id)

    def takes_part(self, event: Event) -> bool:
        """Tell whether the person runs an event, comes, may come, or waits for a place."""
        answer = self.answers.get(event.id)
        return self.hosts(event) or (answer is not None and answer.status is not RsvpStatus.DECLINED)

    def standing(self, event: Event, region: Region) -> str:
        """Say how the person stands with an event; empty if they have nothing to do with it."""
        parts = ["You host"] if self.hosts(event) else []
        if (answer := self.answers.get(event.id)) is not None:
            parts.append(self._answered(answer, region))
        return " · ".join(parts)

    def _answered(self, answer: Rsvp, region: Region) -> str:
        guests = f" with {plural(answer.guests, 'guest')}" if answer.guests else ""
        match answer.status:
            case RsvpStatus.WAITLISTED:
                attendance = schedule.attendance_by_event(self.rsvps).get(answer.event_id, NO_RSVPS)
                place = attendance.place_in_line(self.user_id)
                return f"You are {ordinal(place)} on the waitlist{guests}"
            case RsvpStatus.GOING if answer.confirm_by is not None:
                return f"Confirm your place{guests} until {times.full(answer.confirm_by, region)}"
            case RsvpStatus.GOING:
                return f"You are going{guests}"
            case RsvpStatus.MAYBE:
                return f"You said maybe{guests}"
            case RsvpStatus.DECLINED:
                return "You can't go"


def notes(mine: Mine, events: Iterable[Event], region: Region) -> Mapping[str, str]:
    """Return how the viewer stands with the events, by id."""
    standings = {event.id: mine.standing(event, region) for event in events}
    return {event_id: standing for event_id, standing in standings.items() if standing}


def my_events_html(mine: Mine, events: Snapshot[Event], viewing: Viewing) -> Markup:
    """Show the viewer's next events, cancelled ones too."""
    shown = [event for event in schedule.upcoming(events, viewing.minute) if mine.takes_part(event)]
    lines = [
        line_html(
            to_event(event.id),
            cards.leaf_html(event, viewing.region.zone),
            cards.plain_title_html(event),
            times.span(event.starts_at, event.ends_at, viewing.region, viewing.today),
            note_html(mine.standing(event, viewing.region)),
            cards.state_html(event, over=False),
        )
        for event in shown[:_MOST_EVENTS]
    ]
    all_of_them = f"{plural(len(shown), 'event')} in all"
    return section_html(
        "Your events",
        lines_html(lines, "None yet. Answer an event, or plan one, and it stands here."),
        link_html(Place.EVENTS.value, all_of_them) if len(shown) > _MOST_EVENTS else EMPTY,
    )


def for_you_html(
    mine: Mine, events: Snapshot[Event], messages: Snapshot[PrivateMessage], find: FindUser, viewing: Viewing
) -> Markup:
    """Show what waits for the viewer: places to confirm, the next deadline first, and unread messages."""
    lines = [*_offers(mine, events, viewing), *_letters(mine, messages, find, viewing)]
    return section_html("For you", lines_html(lines, "You are up to date: nothing waits for you."))


def _offers(mine: Mine, events: Snapshot[Event], viewing: Viewing) -> list[Markup]:
    offered = [
        (answer.confirm_by, event)
        for answer in mine.answers.values()
        if answer.confirm_by is not None and (event := events.get((answer.event_id,))) is not None
    ]
    return [
        line_html(
            to_event(event.id),
            sign_html("🎟️"),
            cards.plain_title_html(event),
            "You have a place, from the waitlist.",
            note_html(f"Confirm it until {times.full(until, viewing.region)}"),
        )
        for until, event in sorted(offered, key=lambda each: (each[0], each[1].id))
    ]


def _letters(
    mine: Mine, messages: Snapshot[PrivateMessage], find: FindUser, viewing: Viewing
) -> list[Markup]:
    unread = [each for each in inbox.conversations(messages, mine.user_id) if each.unread]
    lines = [
        line_html(
            to_inbox(conversation.other_id),
            avatar_html(find(conversation.other_id), "small"),
            _UNREAD(
                name=name_html(find(conversation.other_id)),
                count=plural(conversation.unread, "unread message"),
            ),
            said_html(conversation.newest.body),
            when_html(conversation.newest, viewing),
        )
        for conversation in unread[:_MOST_PEOPLE_WRITING]
    ]
    if (more := len(unread) - _MOST_PEOPLE_WRITING) > 0:
        people = plural(more, "more person has", "more people have")
        lines.append(
            line_html(
                Place.INBOX.value,
                sign_html("✉️"),
                join((f"{people} written to you",)),
                "All unread messages are in your inbox.",
            )
        )
    return lines
