"""Private messages as conversations: the list of them, and one of them as a thread."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from db.hub.models import PrivateMessage
from livetables.tables.rows import Rows
from livetables.tables.snapshot import Snapshot
from ui.base import times
from ui.base.feedback import saving_html
from ui.base.html import EMPTY, Markup, Template, join
from ui.base.people import FindUser, avatar_html, name_html
from ui.base.region import Region
from ui.base.text import shortened

_LONGEST_PREVIEW = 60

_LIST = Template('<div class="tv-conversations">{rows}</div>')
_ROW = Template(
    '<div data-row="{other_id}"><button type="button" class="tv-conversation" data-action="open"{current}>'
    '{avatar}<span class="tv-main"><b>{name}</b>'
    '<span class="tv-last" dir="auto">{preview}</span></span>'
    '<span class="tv-aside"><time>{when}</time>{unread}</span></button></div>'
)
_UNREAD = Template('<span class="tv-unread">{count}<span class="tv-spoken"> unread</span></span>')
_THREAD = Template('<div class="tv-thread" role="log" aria-label="Messages">{blocks}</div>')
_DAY = Template('<div class="tv-day"><span>{day}</span></div>')
_MESSAGE = Template(
    '<div class="tv-bubble{css}" data-row="{id}" data-owner="{sender_id}"{unread}>'
    '<div class="tv-body" dir="auto">{body}</div>'
    '<time title="{exactly}">{clock}{state}</time></div>'
)
_STATE = Template(" · {state}")

_CURRENT: Final = Template(' aria-current="true"')()
_UNSEEN: Final = Template(" data-unseen")()
_SENDING: Final = _STATE(state=saving_html(True, "sending…"))
_SENT: Final = _STATE(state="sent")
_READ: Final = _STATE(state="read")


@dataclass(frozen=True, slots=True)
class Conversation:
    """All messages between the viewer and one other person, oldest first."""

    other_id: str
    messages: tuple[PrivateMessage, ...]
    unread: int

    @property
    def newest(self) -> PrivateMessage:
        """The last message."""
        return self.messages[-1]


def conversations(messages: Snapshot[PrivateMessage], me: str) -> Sequence[Conversation]:
    """Return the viewer's conversations, the one with the newest message first."""
    return messages.derived(("conversations", me), lambda rows: _group(rows, me))


def _group(rows: Rows[PrivateMessage], me: str) -> list[Conversation]:
    grouped: dict[str, list[PrivateMessage]] = {}
    for message in sorted(rows.values(), key=lambda each: (each.created_at, each.id)):
        other_id = message.recipient_id if message.sender_id == me else message.sender_id
        grouped.setdefault(other_id, []).append(message)
    found = [
        Conversation(other_id, tuple(each), sum(is_unread(message, me) for message in each))
        for other_id, each in grouped.items()
    ]
    return sorted(found, key=lambda each: each.newest.created_at, reverse=True)


def is_unread(message: PrivateMessage, me: str) -> bool:
    """Tell whether this person received the message and has not read it yet."""
    return message.recipient_id == me and message.read_at is None


def conversation_with(messages: Snapshot[PrivateMessage], me: str, other_id: str) -> Conversation | None:
    """Return the conversation with one person, None when there is no message yet."""
    return next((each for each in conversations(messages, me) if each.other_id == other_id), None)


def list_html(
    shown: Sequence[Conversation], find: FindUser, me: str, chosen: str | None, region: Region, today: date
) -> Markup:
    """Show the conversations as a list to choose from; `chosen` is the other person of the open one."""
    rows: list[Markup] = []
    for conversation in shown:
        newest, other = conversation.newest, find(conversation.other_id)
        preview = shortened(newest.body, _LONGEST_PREVIEW)
        rows.append(
            _ROW(
                other_id=conversation.other_id,
                current=_CURRENT if conversation.other_id == chosen else EMPTY,
                avatar=avatar_html(other),
                name=name_html(other),
                preview=f"You: {preview}" if newest.sender_id == me else preview,
                when=times.short_day(newest.created_at, region, today),
                unread=_UNREAD(count=conversation.unread) if conversation.unread else EMPTY,
            )
        )
    return _LIST(rows=join(rows))


def thread_html(
    conversation: Conversation, me: str, region: Region, today: date, pending: frozenset[str] = frozenset()
) -> Markup:
    """Show the messages of one conversation.

    `pending` are the ids of the messages that the database has not confirmed yet.
    """
    return _THREAD(blocks=join(_blocks(conversation, me, region, today, pending)))


def _blocks(
    conversation: Conversation, me: str, region: Region, today: date, pending: frozenset[str]
) -> Iterator[Markup]:
    day: date | None = None
    for message in conversation.messages:
        if message.created_at.astimezone(region.zone).date() != day:
            day = message.created_at.astimezone(region.zone).date()
            yield _DAY(day=times.day_name(message.created_at, region, today))
        mine = message.sender_id == me
        yield _MESSAGE(
            css=" mine" if mine else "",
            id=message.id,
            sender_id=message.sender_id,
            unread=_UNSEEN if is_unread(message, me) else EMPTY,
            body=message.body,
            exactly=times.full(message.created_at, region),
            clock=times.clock(message.created_at, region),
            state=_state_html(message, pending=message.id in pending) if mine else EMPTY,
        )


def _state_html(message: PrivateMessage, *, pending: bool) -> Markup:
    if pending:
        return _SENDING
    return _READ if message.read_at else _SENT
