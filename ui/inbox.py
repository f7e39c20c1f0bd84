"""Private messages as conversations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from db.models import PrivateMessage, User
from live.rows import Rows
from live.snapshot import Snapshot
from ui import times
from ui.pending import saving_html
from ui.people import avatar_html, name_of
from ui.text import as_html, shortened

Find = Callable[[str], User | None]


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
        other = message.recipient_id if message.sender_id == me else message.sender_id
        grouped.setdefault(other, []).append(message)
    found = [
        Conversation(
            other, tuple(each), sum(1 for one in each if one.recipient_id == me and one.read_at is None)
        )
        for other, each in grouped.items()
    ]
    return sorted(found, key=lambda each: each.newest.created_at, reverse=True)


def is_unread(message: PrivateMessage, me: str) -> bool:
    """Tell whether a message waits for this person."""
    return message.recipient_id == me and message.read_at is None


def conversation_with(messages: Snapshot[PrivateMessage], me: str, other_id: str) -> Conversation | None:
    """Return the conversation with one person, None when there is no message yet."""
    return next((each for each in conversations(messages, me) if each.other_id == other_id), None)


def list_html(
    shown: Sequence[Conversation], find: Find, me: str, chosen: str | None, zone: ZoneInfo, today: date
) -> str:
    """Show the conversations as a list to choose from."""
    rows = (_row_html(each, find(each.other_id), me, each.other_id == chosen, zone, today) for each in shown)
    return f'<div class="tv-conversations">{"".join(rows)}</div>'


def _row_html(
    conversation: Conversation, other: User | None, me: str, chosen: bool, zone: ZoneInfo, today: date
) -> str:
    newest = conversation.newest
    when = times.short_day(newest.created_at, zone, today)
    mine = "You: " if newest.sender_id == me else ""
    unread = f'<span class="tv-unread">{conversation.unread}</span>' if conversation.unread else ""
    name = as_html(name_of(other))
    current = ' aria-current="true"' if chosen else ""
    return (
        f'<div data-row="{as_html(conversation.other_id)}">'
        f'<button type="button" class="tv-conversation" data-action="open"{current} '
        f'aria-label="Conversation with {name}">{avatar_html(other)}'
        f'<span class="tv-main"><b><bdi>{name}</bdi></b>'
        f'<span class="tv-last" dir="auto">{mine}{as_html(shortened(newest.body, 60))}</span></span>'
        f'<span class="tv-aside"><time>{when}</time>{unread}</span>'
        "</button></div>"
    )


def thread_html(
    conversation: Conversation, me: str, zone: ZoneInfo, today: date, pending: frozenset[str] = frozenset()
) -> str:
    """Show the messages of one conversation; those of `pending` as not confirmed yet."""
    parts: list[str] = []
    day: date | None = None
    for message in conversation.messages:
        if message.created_at.astimezone(zone).date() != day:
            day = message.created_at.astimezone(zone).date()
            parts.append(
                f'<div class="tv-day"><span>{times.day_name(message.created_at, zone, today)}</span></div>'
            )
        parts.append(_message_html(message, me, zone, pending=message.id in pending))
    return f'<div class="tv-thread" role="log" aria-label="Messages">{"".join(parts)}</div>'


def _message_html(message: PrivateMessage, me: str, zone: ZoneInfo, *, pending: bool) -> str:
    mine = message.sender_id == me
    state = (" · read" if message.read_at else " · sent") if mine else ""
    if mine and pending:
        state = f" · {saving_html(True, 'sending…')}"
    return (
        f'<div class="tv-bubble{" mine" if mine else ""}" data-row="{as_html(message.id)}">'
        f'<div class="tv-body" dir="auto">{as_html(message.body)}</div>'
        f'<time title="{as_html(times.full(message.created_at, zone))}">'
        f"{times.clock(message.created_at, zone)}{state}</time></div>"
    )
