"""The events of one person: what they host, where they go, and where they have been."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from db.hub.models import Event, EventCohost, Rsvp
from livetables.tables.snapshot import Snapshot
from ui.base import times
from ui.base.html import Markup, Template, join
from ui.events.cards import Viewing, state_html, title_html
from ui.events.schedule import NO_RSVPS, attendance_by_event, is_host, past, upcoming

_MOST_SHOWN: Final = 30

_PLANS = Template('<section class="tv-plans"><h2>{title}</h2><ul>{rows}</ul></section>')
_ROW = Template("<li>{title}{state} <small>{when}</small></li>")


@dataclass(frozen=True, slots=True)
class Plans:
    """Events that somebody hosts or goes to, soonest first, and those that are over, latest first."""

    hosts: tuple[Event, ...]
    goes: tuple[Event, ...]
    been: tuple[Event, ...]

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self.hosts or self.goes or self.been)


def plans_of(
    user_id: str,
    events: Snapshot[Event],
    rsvps: Snapshot[Rsvp],
    cohosts: Snapshot[EventCohost],
    viewing: Viewing,
) -> Plans:
    """Return the events of a person."""
    answers = attendance_by_event(rsvps)

    def hosts(event: Event) -> bool:
        return is_host(event, cohosts, user_id)

    def goes(event: Event) -> bool:
        return any(rsvp.user_id == user_id for rsvp in answers.get(event.id, NO_RSVPS).going)

    coming, over = upcoming(events, viewing.minute), past(events, viewing.minute)
    return Plans(
        hosts=tuple(filter(hosts, coming)),
        goes=tuple(event for event in coming if goes(event) and not hosts(event)),
        been=tuple(event for event in over if event.cancelled_at is None and (hosts(event) or goes(event))),
    )


def plans_html(plans: Plans, viewing: Viewing) -> Markup:
    """Show them as lists that lead to the events; empty without any."""
    lists = (("Hosts", plans.hosts), ("Goes to", plans.goes), ("Was at", plans.been))
    return join(_list_html(title, events, viewing) for title, events in lists if events)


def _list_html(title: str, events: Sequence[Event], viewing: Viewing) -> Markup:
    return _PLANS(title=title, rows=join(_row_html(event, viewing) for event in events[:_MOST_SHOWN]))


def _row_html(event: Event, viewing: Viewing) -> Markup:
    return _ROW(
        title=title_html(event),
        state=state_html(event, over=False),
        when=times.span(event.starts_at, event.ends_at, viewing.region, viewing.today),
    )
