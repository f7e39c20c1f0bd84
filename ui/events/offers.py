"""Places that came from a waitlist: telling their people at once, and passing on what nobody confirms."""

from __future__ import annotations

import threading
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from db.clients import Clients
from db.errors import DatabaseError
from db.hub import rsvps
from db.hub.models import Event, Rsvp
from livetables.background import start_daemon
from livetables.engine import Engine
from livetables.faults import FAULTS
from livetables.fragments import live_fragment
from livetables.tables.snapshot import Snapshot
from ui.base import html, session, times
from ui.base.html import Markup, Template, join
from ui.base.links import link_html, to_event
from ui.base.parts import MY_RSVPS, rsvps_of
from ui.base.region import Region
from ui.base.write_queue import WRITES
from ui.events import tables
from ui.events.schedule import attendance_by_event

_OFFERS = Template('<div class="tv-offers" role="status">{offers}</div>')
_OFFER = Template("<p>🎟️ You have a place at {event}, from the waitlist. Confirm it until {until}.</p>")
_TITLE = Template("<b><bdi>{title}</bdi></b>")

_LOOK_AGAIN: Final = 10.0
"""Seconds after which deadlines are looked at again: nobody tells of a change that no open tab shows."""


@live_fragment(
    tables=(MY_RSVPS, "events", WRITES), varies_by=("user", "time_zone", "language"), key="event_offers"
)
def show() -> None:
    """Tell the viewer, on every page, of the places that they have to confirm."""
    mine = rsvps_of(tables.rsvps(), session.my_id())
    offered = [rsvp for rsvp in mine if rsvp.confirm_by is not None]
    if shown := offers_html(offered, tables.events(), session.region()):
        html.show(shown)


def offers_html(offered: list[Rsvp], events: Snapshot[Event], region: Region) -> Markup | None:
    """Show the places to confirm, the next deadline first; None if there is none."""
    known = [(rsvp, event) for rsvp in offered if (event := events.get((rsvp.event_id,)))]
    offers = [
        _OFFER(
            event=link_html(to_event(event.id), _TITLE(title=event.title)),
            until=times.full(rsvp.confirm_by, region),
        )
        for rsvp, event in sorted(known, key=lambda each: (str(each[0].confirm_by), each[1].id))
        if rsvp.confirm_by is not None
    ]
    return _OFFERS(offers=join(offers)) if offers else None


def pass_on_unconfirmed(engine: Engine, clients: Clients) -> None:
    """Ask the database to pass on places whose deadline is over, as long as this process runs.

    Every process does. The database passes on each place once.
    """
    changed = threading.Event()

    def on_change(_sessions: frozenset[str], changed_tables: frozenset[str]) -> None:
        if rsvps.TABLE in changed_tables:
            changed.set()

    def run() -> None:
        while True:
            wait = _LOOK_AGAIN
            with FAULTS.contained("waitlists"):
                wait = min(wait, _settle(engine, clients))
            changed.wait(wait)
            changed.clear()

    engine.listen(on_change)
    start_daemon("waitlists", run)


def _settle(engine: Engine, clients: Clients) -> float:
    """Pass on the places that are due. Return in how many seconds the next ones are."""
    deadline = next_deadline(engine.tables()[rsvps.TABLE])
    if deadline is None:
        return _LOOK_AGAIN
    if (left := (deadline - datetime.now(UTC)).total_seconds()) > 0:
        return left
    with suppress(DatabaseError):  # they stay due
        rsvps.settle_waitlists(clients)
    return _LOOK_AGAIN


def next_deadline(answers: Snapshot[Rsvp]) -> datetime | None:
    """Return when the next place has to be confirmed for which somebody waits; None if there is none."""
    return answers.derived("next deadline", lambda _rows: _next_deadline(answers))


def _next_deadline(answers: Snapshot[Rsvp]) -> datetime | None:
    wanted = [each for each in attendance_by_event(answers).values() if each.waiting]
    deadlines = [rsvp.confirm_by for each in wanted for rsvp in each.going if rsvp.confirm_by is not None]
    return min(deadlines, default=None)
