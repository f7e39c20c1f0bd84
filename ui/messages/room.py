"""The common room, or the discussion of an event, as pieces of HTML, the same for everybody in a region.

The newest messages are a piece each, and all before them are one. So a new message sends one small piece to
every tab. When the pieces are used up, the messages in them join those before.
"""

from __future__ import annotations

import threading
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache, lru_cache
from typing import Final, Self

from db.hub.models import User
from livetables.tables.rows import Rows
from livetables.tables.snapshot import Snapshot
from ui.base import times
from ui.base.feedback import saving_html
from ui.base.html import EMPTY, Markup, Template, join
from ui.base.html_cache import shared_html
from ui.base.people import FindUser, finder, linked_avatar_html, linked_name_html, role_html
from ui.base.region import Region
from ui.messages.kinds import Message, event_of

PIECES: Final = 32
"""How many of the newest messages are a piece each, at most."""

GROUPED_WITHIN = timedelta(minutes=7)
"""Messages of one person that are closer than this stand under one name."""

_DAY = Template('<div class="tv-day"><span>{day}</span></div>')
_FIRST = Template(
    '<article tabindex="-1" class="tv-message" data-row="{id}" data-owner="{author_id}">'
    '<div class="tv-side">{avatar}</div><div class="tv-main">'
    '<div class="tv-head">{name}<time title="{exactly}">{clock}</time></div>{body}</div>{end}</article>'
)
_FOLLOWING = Template(
    '<article tabindex="-1" class="tv-message following" data-row="{id}" data-owner="{author_id}">'
    '<div class="tv-side"><time title="{exactly}">{clock}</time></div>'
    '<div class="tv-main">{body}</div>{end}</article>'
)
_AUTHOR = Template("<b>{name}</b>{role}")
_BODY = Template('<div class="tv-body" dir="auto">{text}{edited}</div>')
_ACTIONS = Template('<div class="tv-actions">{buttons}</div>')
_BUTTON = Template('<button type="button" class="tv-action {css}" data-action="{action}">{label}</button>')

# The same for every message, so they are built once.
_EDITED: Final = Template(' <span class="tv-edited">(edited)</span>')()
_HIDDEN: Final = Template('<div class="tv-body hidden">This message was hidden by a moderator.</div>')()
_SENDING: Final = saving_html(True, "Sending…")
_ACTIONS_OF_VISIBLE: Final = _ACTIONS(
    buttons=join(
        (
            _BUTTON(css="for-owner", action="edit", label="Edit"),
            _BUTTON(css="for-owner", action="delete", label="Delete"),
            _BUTTON(css="for-moderator", action="hide", label="Hide"),
        )
    )
)
_ACTIONS_OF_HIDDEN: Final = _ACTIONS(
    buttons=_BUTTON(css="for-moderator", action="unhide", label="Show again")
)


@dataclass(frozen=True, slots=True)
class _Author:
    """How the author of messages is shown; built once a block."""

    avatar: Markup
    name: Markup

    @classmethod
    def of(cls, user: User | None) -> Self:
        return cls(linked_avatar_html(user), _AUTHOR(name=linked_name_html(user), role=role_html(user)))


@dataclass(frozen=True, slots=True)
class Newest:
    """At least so many of the newest messages about an event; without one, of the common room."""

    count: int
    event_id: str = ""


def in_order(messages: Snapshot[Message], event_id: str = "") -> Sequence[Message]:
    """Return the loaded messages about an event, or of the common room, the oldest first."""
    return messages.derived(("in order", event_id), lambda rows: _in_order(rows, event_id))


def _in_order(rows: Rows[Message], event_id: str) -> list[Message]:
    # One's own messages to other places may be among the rows, until they are written.
    return sorted((message for message in rows.values() if event_of(message) == event_id), key=_place)


class _Tail:
    """Where the pieces of single messages begin, for all sessions of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._newest_before: tuple[datetime, str] | None = None

    def length(self, messages: Sequence[Message]) -> int:
        """Return how many of the newest messages are a piece each."""
        with self._lock:
            before = self._newest_before
            length = PIECES + 1 if before is None else _count_after(messages, before)
            if length <= PIECES:
                return length
            self._newest_before = _place(messages[-1]) if messages else None
            return 0


def _count_after(messages: Sequence[Message], place: tuple[datetime, str]) -> int:
    return len(messages) - bisect_right(messages, place, key=_place)


def _place(message: Message) -> tuple[datetime, str]:
    return message.created_at, message.id


@lru_cache(maxsize=256)
def _tail_of(event_id: str) -> _Tail:
    # One that is forgotten and made anew only draws its page anew.
    return _Tail()


def _tail_length(rows: Rows[Message], event_id: str) -> int:
    # Not pure, but computed once for a snapshot: all sessions show it in the same pieces.
    return _tail_of(event_id).length(_in_order(rows, event_id))


def newest_until(messages: Snapshot[Message], event_id: str, message_id: str) -> int | None:
    """Return how many of the newest messages reach back to this one; None if it is not loaded there."""
    message = messages.get((message_id,))
    if message is None or event_of(message) != event_id:
        return None
    ordered = in_order(messages, event_id)
    return len(ordered) - bisect_left(ordered, _place(message), key=_place)


def room_pieces(
    messages: Snapshot[Message],
    users: Snapshot[User],
    newest: Newest,
    region: Region,
    today: date,
    pending: frozenset[str] = frozenset(),
) -> Sequence[Markup]:
    """Show the newest messages by day and person; built once for all viewers in a region.

    At least as many as `newest` says are shown, and at most `PIECES` more. Returns `PIECES + 1` pieces in
    order; those at the end may be empty. `pending` are the ids of the messages that the database has not
    confirmed yet.
    """
    return shared_html(
        ("room", messages, users, newest, region, today, pending),
        lambda: _build_pieces(messages, users, newest, region, today, pending),
    )


def _build_pieces(
    messages: Snapshot[Message],
    users: Snapshot[User],
    newest: Newest,
    region: Region,
    today: date,
    pending: frozenset[str],
) -> list[Markup]:
    event_id = newest.event_id
    ordered = in_order(messages, event_id)
    tail = messages.derived(("tail", event_id), lambda rows: _tail_length(rows, event_id))
    # Not the newest `count`: else each new message would take one away from the first piece, and change it.
    shown = ordered[max(0, len(ordered) - tail - newest.count) :]
    return build_room(shown, finder(users), region, today, pending, tail=tail)


def build_room(
    messages: Sequence[Message],
    find: FindUser,
    region: Region,
    today: date,
    pending: frozenset[str],
    *,
    tail: int,
) -> list[Markup]:
    """Build the pieces that `room_pieces` caches; the newest `tail` messages are a piece each."""
    blocks = list(_blocks(messages, find, region, today, pending))
    before = max(0, len(blocks) - tail)
    pieces = [join(blocks[:before]), *blocks[before:]]
    return pieces + [EMPTY] * (PIECES + 1 - len(pieces))


def _blocks(
    messages: Sequence[Message], find: FindUser, region: Region, today: date, pending: frozenset[str]
) -> Iterator[Markup]:
    """Show each message, with a line before the first one of a day."""
    author_of = cache(lambda user_id: _Author.of(find(user_id)))
    previous: Message | None = None
    day: date | None = None
    for message in messages:
        new_day = message.created_at.astimezone(region.zone).date() != day
        line = EMPTY
        if new_day:
            day = message.created_at.astimezone(region.zone).date()
            line = _DAY(day=times.day_name(message.created_at, region, today))
        following = not new_day and previous is not None and _is_grouped(message, previous)
        end = _SENDING if message.id in pending else _actions_html(message)
        if following:
            yield _following_html(message, region, end)
        else:
            yield join((line, _first_html(message, author_of(message.author_id), region, end)))
        previous = message


def _is_grouped(message: Message, previous: Message) -> bool:
    close = message.created_at - previous.created_at < GROUPED_WITHIN
    return close and message.author_id == previous.author_id


def _first_html(message: Message, author: _Author, region: Region, end: Markup) -> Markup:
    """Show a message under its author's name."""
    return _FIRST(
        id=message.id,
        author_id=message.author_id,
        avatar=author.avatar,
        name=author.name,
        exactly=times.full(message.created_at, region),
        clock=times.clock(message.created_at, region),
        body=_body_html(message),
        end=end,
    )


def _following_html(message: Message, region: Region, end: Markup) -> Markup:
    """Show a message below another one of the same author."""
    return _FOLLOWING(
        id=message.id,
        author_id=message.author_id,
        exactly=times.full(message.created_at, region),
        clock=times.clock(message.created_at, region),
        body=_body_html(message),
        end=end,
    )


def _body_html(message: Message) -> Markup:
    if message.hidden_at is not None or message.body is None:
        return _HIDDEN
    return _BODY(text=message.body, edited=_EDITED if message.edited_at else EMPTY)


def _actions_html(message: Message) -> Markup:
    return _ACTIONS_OF_VISIBLE if message.hidden_at is None else _ACTIONS_OF_HIDDEN
