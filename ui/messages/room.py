"""The common room as one block of HTML, the same for everybody in a region."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Final, Self

from db.hub.models import TavernMessage, User
from livetables.tables.rows import Rows
from livetables.tables.snapshot import Snapshot
from ui.base import times
from ui.base.feedback import saving_html
from ui.base.html import EMPTY, Markup, Template, join
from ui.base.html_cache import shared_html
from ui.base.people import FindUser, finder, linked_avatar_html, linked_name_html, role_html
from ui.base.region import Region

GROUPED_WITHIN = timedelta(minutes=7)
"""Messages of one person that are closer than this stand under one name."""

_ROOM = Template('<div class="tv-room" role="log" aria-label="Messages">{blocks}</div>')
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
            _BUTTON(css="for-admin", action="hide", label="Hide"),
        )
    )
)
_ACTIONS_OF_HIDDEN: Final = _ACTIONS(buttons=_BUTTON(css="for-admin", action="unhide", label="Show again"))


@dataclass(frozen=True, slots=True)
class _Author:
    """How the author of messages is shown; built once a block."""

    avatar: Markup
    name: Markup

    @classmethod
    def of(cls, user: User | None) -> Self:
        return cls(linked_avatar_html(user), _AUTHOR(name=linked_name_html(user), role=role_html(user)))


def newest(messages: Snapshot[TavernMessage], count: int) -> Sequence[TavernMessage]:
    """Return the newest messages, oldest of them first."""
    return messages.derived("in order", _in_order)[-count:]


def _in_order(rows: Rows[TavernMessage]) -> list[TavernMessage]:
    return sorted(rows.values(), key=lambda message: (message.created_at, message.id))


def room_html(
    messages: Snapshot[TavernMessage],
    users: Snapshot[User],
    count: int,
    region: Region,
    today: date,
    pending: frozenset[str] = frozenset(),
) -> Markup:
    """Show the newest messages by day and person; built once for all viewers in a region.

    `pending` are the ids of the messages that the database has not confirmed yet.
    """
    return shared_html(
        ("room", messages, users, count, region, today, pending),
        lambda: build_room(newest(messages, count), finder(users), region, today, pending),
    )


def build_room(
    messages: Sequence[TavernMessage], find: FindUser, region: Region, today: date, pending: frozenset[str]
) -> Markup:
    """Build the block that `room_html` caches."""
    return _ROOM(blocks=join(_blocks(messages, find, region, today, pending)))


def _blocks(
    messages: Sequence[TavernMessage], find: FindUser, region: Region, today: date, pending: frozenset[str]
) -> Iterator[Markup]:
    author_of = cache(lambda user_id: _Author.of(find(user_id)))
    previous: TavernMessage | None = None
    day: date | None = None
    for message in messages:
        new_day = message.created_at.astimezone(region.zone).date() != day
        if new_day:
            day = message.created_at.astimezone(region.zone).date()
            yield _DAY(day=times.day_name(message.created_at, region, today))
        following = not new_day and previous is not None and _is_grouped(message, previous)
        end = _SENDING if message.id in pending else _actions_html(message)
        if following:
            yield _following_html(message, region, end)
        else:
            yield _first_html(message, author_of(message.author_id), region, end)
        previous = message


def _is_grouped(message: TavernMessage, previous: TavernMessage) -> bool:
    close = message.created_at - previous.created_at < GROUPED_WITHIN
    return close and message.author_id == previous.author_id


def _first_html(message: TavernMessage, author: _Author, region: Region, end: Markup) -> Markup:
    """Show a message under its author's name."""
    return _FIRST(
        id=message.id,
        author_id=message.author_id,
        avatar=author.avatar,
        name=author.name,
        exactly=times.full(message.created_at, region),
        clock=times.clock(message.created_at, region.zone),
        body=_body_html(message),
        end=end,
    )


def _following_html(message: TavernMessage, region: Region, end: Markup) -> Markup:
    """Show a message below another one of the same author."""
    return _FOLLOWING(
        id=message.id,
        author_id=message.author_id,
        exactly=times.full(message.created_at, region),
        clock=times.clock(message.created_at, region.zone),
        body=_body_html(message),
        end=end,
    )


def _body_html(message: TavernMessage) -> Markup:
    if message.hidden_at is not None or message.body is None:
        return _HIDDEN
    return _BODY(text=message.body, edited=_EDITED if message.edited_at else EMPTY)


def _actions_html(message: TavernMessage) -> Markup:
    return _ACTIONS_OF_VISIBLE if message.hidden_at is None else _ACTIONS_OF_HIDDEN
