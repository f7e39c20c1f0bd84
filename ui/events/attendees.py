"""Who has answered an event, as a file for its hosts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import streamlit as st

from db.hub.models import Event, Rsvp, User
from livetables.tables.snapshot import Snapshot
from ui.base.export import csv_text
from ui.base.people import name_of
from ui.events.schedule import NO_RSVPS, Attendance, attendance_by_event

COLUMNS: Final = ("name", "answer", "guests", "place_in_line", "updated_at")


def show_export(event: Event, rsvps: Snapshot[Rsvp], users: Snapshot[User]) -> None:
    """Offer all answers to an event as a file, if there are any."""
    attendance = attendance_by_event(rsvps).get(event.id, NO_RSVPS)
    if attendance == NO_RSVPS:
        return
    # Streamlit makes the file on demand and outside the session, so the function holds all that it needs.
    st.download_button(
        "Export answers", lambda: as_csv(attendance, users), f"answers-{event.id[:8]}.csv", "text/csv",
        icon=":material/download:", on_click="ignore", key="event_answers_export",
        help="Everybody who has answered, as CSV, with their guests",
    )  # fmt: skip


def as_csv(attendance: Attendance, users: Snapshot[User]) -> str:
    """Return the answers as CSV: who comes, who waits in the order of the line, then the others."""
    return csv_text(COLUMNS, _rows(attendance, users))


def _rows(attendance: Attendance, users: Snapshot[User]) -> Iterator[tuple[object, ...]]:
    lines = {rsvp.user_id: place for place, rsvp in enumerate(attendance.waiting, 1)}
    for rsvp in (*attendance.going, *attendance.waiting, *attendance.maybe, *attendance.declined):
        name, place = name_of(users.get((rsvp.user_id,))), lines.get(rsvp.user_id, "")
        yield name, rsvp.status.value, rsvp.guests, place, rsvp.updated_at.isoformat()
