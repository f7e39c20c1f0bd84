"""What quick search finds: pages, people, events and messages, each as one line that leads somewhere.

People and events go to the browser once, when somebody opens the search, so that each key is answered there.
Messages are looked for here, because they are many.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from db.hub.models import Event, PrivateMessage, TavernMessage, User
from db.hub.search import FoundMessages
from livetables.tables.rows import Rows
from livetables.tables.snapshot import Snapshot
from ui.base import folding, times
from ui.base.links import to_event, to_inbox, to_person, to_room_message
from ui.base.navigation import Place
from ui.base.people import FindUser, by_name, name_of
from ui.base.text import one_line
from ui.events import schedule
from ui.events.cards import Viewing

LONGEST_QUERY: Final = 200
SHORTEST_QUERY: Final = 2
"""Characters from which on messages are looked for."""
MOST: Final = 2_000
"""How many people, and how many events, a browser is sent."""
_MOST_FOUND: Final = 8
"""How many of each kind the server answers."""
_BEFORE: Final = 30
_SNIPPET: Final = 90
"""Characters of a message that are shown, and how many of them stand before the first word that was found."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line: where it leads, what it says, and for the search what else it is found by."""

    href: str
    title: str
    detail: str = ""
    more: str = ""

    @property
    def folded(self) -> str:
        """The text in which it is looked for."""
        return folding.fold(f"{self.title} {self.more}")

    @property
    def values(self) -> tuple[str, ...]:
        """What the browser is sent. It makes small letters of plain text itself."""
        searched = f"{self.title} {self.more}"
        return self.href, self.title, self.detail, "" if searched.isascii() and not self.more else self.folded


@dataclass(frozen=True, slots=True)
class Said:
    """A message, wherever it was written."""

    id: str
    author_id: str
    other_id: str | None
    """The other person of a conversation; None for the common room."""
    body: str
    created_at: datetime


# ---------------------------------------------------------------- people and events


def people(users: Snapshot[User]) -> list[Entry]:
    """Return everybody, by name; computed once a snapshot."""
    return users.derived("search", lambda _: [_person(user) for user in by_name(users)])


def _person(user: User) -> Entry:
    return Entry(to_person(user.id), name_of(user), one_line(user.bio)[:_SNIPPET])


def events(found: Snapshot[Event], viewing: Viewing) -> list[Entry]:
    """Return all events: what comes first, then what is over, the latest first."""
    ordered = (*schedule.upcoming(found, viewing.minute), *schedule.past(found, viewing.minute))
    return [_event(event, viewing) for event in ordered]


def _event(event: Event, viewing: Viewing) -> Entry:
    when = times.span(event.starts_at, event.ends_at, viewing.region, viewing.today)
    state = ("Cancelled",) if event.cancelled_at is not None else ()
    place = (one_line(event.location),) if event.location else ()
    return Entry(
        to_event(event.id), one_line(event.title), " · ".join((*state, when, *place)), event.location
    )


def matching(entries: Iterable[Entry], query: str) -> list[Entry]:
    """Return the first lines with all words of a query."""
    found = (entry for entry in entries if folding.has_words(entry.folded, query))
    return [entry for entry, _ in zip(found, range(_MOST_FOUND), strict=False)]


# ---------------------------------------------------------------- messages


def loaded(
    query: str, room: Snapshot[TavernMessage], private: Snapshot[PrivateMessage], me: str | None
) -> list[Said]:
    """Return the loaded messages with all words of a query."""
    texts = (
        *room.derived("searched", _of_room),
        *private.derived(("searched", me), lambda rows: _own(rows, me)),
    )
    return [said for said, folded in texts if folding.has_words(folded, query)]


def _of_room(rows: Rows[TavernMessage]) -> Sequence[tuple[Said, str]]:
    return [
        (Said(row.id, row.author_id, None, row.body, row.created_at), folding.fold(row.body))
        for row in rows.values()
        if row.body is not None
    ]


def _own(rows: Rows[PrivateMessage], me: str | None) -> Sequence[tuple[Said, str]]:
    return [
        (
            _private(row.id, (row.sender_id, row.recipient_id), me, row.body, row.created_at),
            folding.fold(row.body),
        )
        for row in rows.values()
    ]


def _private(
    message_id: str, parties: tuple[str, str], me: str | None, body: str, created_at: datetime
) -> Said:
    sender, recipient = parties
    return Said(message_id, sender, recipient if sender == me else sender, body, created_at)


def stored(found: FoundMessages, me: str | None) -> list[Said]:
    """Return the messages that the database has found."""
    room = [Said(row.id, row.author_id, None, row.body, row.created_at) for row in found.room]
    private = [
        _private(row.id, (row.sender_id, row.recipient_id), me, row.body, row.created_at)
        for row in found.private
    ]
    return room + private


def messages(
    found: Iterable[Said], query: str, find: FindUser, me: str | None, viewing: Viewing
) -> list[Entry]:
    """Show the newest messages, each once."""
    once = {said.id: said for said in found}
    newest = sorted(once.values(), key=lambda said: (said.created_at, said.id), reverse=True)[:_MOST_FOUND]
    return [_message(said, query, find, me, viewing) for said in newest]


def _message(said: Said, query: str, find: FindUser, me: str | None, viewing: Viewing) -> Entry:
    when = times.short_day(said.created_at, viewing.region, viewing.today)
    author = "You" if said.author_id == me else name_of(find(said.author_id))
    if said.other_id is None:
        title, href = f"{author} in the common room", to_room_message(said.id)
    else:
        to = f" to {name_of(find(said.other_id))}" if said.author_id == me else ""
        title, href = f"{author}{to}", to_inbox(said.other_id, said.id)
    return Entry(href, f"{title} · {when}", snippet(said.body, query))


def snippet(body: str, query: str) -> str:
    """Return the part of a message in which the first word of a query stands, on one line."""
    line = one_line(body)
    # The plain text may be longer, as `ss` is for `ß`, so the place is near, not exact.
    places = [place for word in folding.fold(query).split() if (place := folding.fold(line).find(word)) >= 0]
    begin = max(0, min(places, default=0) - _BEFORE)
    if begin and (space := line.find(" ", begin, begin + _BEFORE)) >= 0:
        begin = space + 1
    end = begin + _SNIPPET
    return ("…" if begin else "") + line[begin:end].rstrip() + ("…" if end < len(line) else "")


# ---------------------------------------------------------------- pages


def pages(names: Mapping[Place, str]) -> list[Entry]:
    """Return the pages of the menu."""
    return [Entry(place.value, name) for place, name in names.items()]


Groups = Mapping[str, Sequence[tuple[str, ...]]]
"""Lines as the browser is sent them, by the name of their group."""


def grouped(**lines: Iterable[Entry]) -> Groups:
    """Return lines as the browser is sent them."""
    return {name: [entry.values for entry in entries] for name, entries in lines.items()}
