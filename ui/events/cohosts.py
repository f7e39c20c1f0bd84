"""The co-hosts of an event, chosen in the dialog to edit it and written with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Self

import streamlit as st

from db.auth.accounts import SignedIn
from db.hub import events
from db.hub.models import Event, EventCohost
from livetables.engine import Engine
from livetables.faults import FAULTS
from ui.base import session
from ui.base.drafts import Draft
from ui.base.people import by_name, option_of
from ui.base.write_queue import Expected
from ui.events import tables

TABLE: Final = "event_cohosts"
_NAME: Final = "_cohosts"


@dataclass(frozen=True, slots=True)
class Offer:
    """Whom the dialog offers, and who was a co-host when it was opened. It stays so while it is open."""

    people: tuple[str, ...]
    known: frozenset[str]

    @classmethod
    def for_event(cls, event: Event) -> Self | None:
        """Return the offer for the signed-in person; None if they may not choose co-hosts."""
        if not (session.is_admin() or event.organizer_id == session.my_id()):
            return None
        people = tuple(user.id for user in by_name(session.users()) if user.id != event.organizer_id)
        return cls(people, of_event(event.id).intersection(people))


@dataclass(frozen=True, slots=True)
class Change:
    """The co-hosts that this person adds and removes. All others are left alone."""

    event_id: str
    added: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()

    def expected(self) -> list[Expected]:
        """Return the rows as the change will make them."""
        now = datetime.now(UTC)
        new = [EventCohost(self.event_id, user_id, 0, now, now) for user_id in sorted(self.added)]
        return [
            *(Expected(TABLE, (each.event_id, each.user_id), each, new=True) for each in new),
            *(Expected(TABLE, (self.event_id, user_id), None) for user_id in sorted(self.removed)),
        ]

    def write(self, me: SignedIn, engine: Engine) -> None:
        """Write it. Doing it again changes nothing."""
        for user_id in sorted(self.added):
            record = events.add_cohost(me, self.event_id, user_id)
            with FAULTS.contained(f"rows of {TABLE}"):
                engine.apply_written(TABLE, record, me.user_id)
        for user_id in sorted(self.removed):
            events.remove_cohost(me, self.event_id, user_id)
            with FAULTS.contained(f"rows of {TABLE}"):
                engine.apply_deleted(TABLE, (self.event_id, user_id), user_id=me.user_id)


def texts(offer: Offer | None) -> Mapping[str, str]:
    """Return what the field shows when nobody has touched it, by the rest of its key."""
    if offer is None:
        return {}
    names = _names(offer)
    return {_NAME: "\n".join(names[user_id] for user_id in offer.people if user_id in offer.known)}


def _names(offer: Offer) -> Mapping[str, str]:
    users = session.users()
    return {user_id: option_of(users.get((user_id,))) for user_id in offer.people}


def of_event(event_id: str) -> frozenset[str]:
    """Return the ids of the co-hosts as they are now."""
    return frozenset(each.user_id for each in tables.cohosts() if each.event_id == event_id)


def change_to(event_id: str, offer: Offer, chosen: Iterable[str]) -> Change:
    """Return what makes the co-hosts of the offer the chosen ones."""
    return Change(event_id, frozenset(chosen) - offer.known, offer.known - frozenset(chosen))


def field(event_id: str, offer: Offer | None, draft: Draft) -> Change:
    """Show the field inside the form, and return what the person changes.

    The draft holds names, because the browser knows no ids.
    """
    if offer is None:
        return Change(event_id)
    names, kept = _names(offer), draft.several(_NAME)
    chosen = st.multiselect(
        "Co-hosts",
        offer.people,
        [
            user_id
            for user_id in offer.people
            if (user_id in offer.known if kept is None else names[user_id] in kept)
        ],
        format_func=names.__getitem__,
        key=f"{draft.key}{_NAME}",
        help="Co-hosts can edit this event too. They are saved with the form.",
    )
    return change_to(event_id, offer, chosen)
