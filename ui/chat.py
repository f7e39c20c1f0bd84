"""The common room as one block of HTML, the same for everybody in a time zone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from db.models import TavernMessage, User
from live.rows import Rows
from live.snapshot import Snapshot
from ui import times
from ui.pending import saving_html
from ui.people import avatar_html, finder, name_of, role_html
from ui.shared import shared_html
from ui.text import as_html

TOGETHER = timedelta(minutes=7)
"""Messages of one person that are closer than this stand under one name."""

Find = Callable[[str], User | None]


def newest(messages: Snapshot[TavernMessage], count: int) -> Sequence[TavernMessage]:
    """Return the newest messages, oldest of them first."""
    return messages.derived("in order", _in_order)[-count:]


def _in_order(rows: Rows[TavernMessage]) -> list[TavernMessage]:
    return sorted(rows.values(), key=lambda message: (message.created_at, message.id))


def room_html(
    messages: Snapshot[TavernMessage],
    users: Snapshot[User],
    count: int,
    zone: ZoneInfo,
    today: date,
    pending: frozenset[str] = frozenset(),
) -> str:
    """Show the newest messages by day and person; worked out once for all who look from the same zone.

    Those of `pending` are marked as not confirmed yet.
    """
    return shared_html(
        ("room", messages, users, count, zone.key, today, pending),
        lambda: "".join(_blocks(newest(messages, count), finder(users), zone, today, pending)),
    )


def _blocks(
    messages: Sequence[TavernMessage], find: Find, zone: ZoneInfo, today: date, pending: frozenset[str]
) -> Iterator[str]:
    yield '<div class="tv-room" role="log" aria-label="Messages">'
    previous: TavernMessage | None = None
    for message in messages:
        day = message.created_at.astimezone(zone).date()
        new_day = previous is None or previous.created_at.astimezone(zone).date() != day
        if new_day:
            yield f'<div class="tv-day"><span>{times.day_name(message.created_at, zone, today)}</span></div>'
        goes_on = not new_day and previous is not None and _belongs_to(message, previous)
        yield _message_html(
            message, find(message.author_id), zone, goes_on=goes_on, pending=message.id in pending
        )
        previous = message
    yield "</div>"


def _belongs_to(message: TavernMessage, previous: TavernMessage) -> bool:
    return message.author_id == previous.author_id and message.created_at - previous.created_at < TOGETHER


def _message_html(
    message: TavernMessage, author: User | None, zone: ZoneInfo, *, goes_on: bool, pending: bool
) -> str:
    time = (
        f'<time title="{as_html(times.full(message.created_at, zone))}">'
        f"{times.clock(message.created_at, zone)}</time>"
    )
    name = f"<b><bdi>{as_html(name_of(author))}</bdi></b>"
    head = "" if goes_on else f'<div class="tv-head">{name}{role_html(author)}{time}</div>'
    side = f'<div class="tv-side">{time if goes_on else avatar_html(author)}</div>'
    # Nothing can be done with it until the database has answered.
    end = saving_html(pending, "Sending…") or _actions_html(message)
    return (
        f'<article tabindex="-1" class="tv-message{" goes-on" if goes_on else ""}" '
        f'data-row="{as_html(message.id)}" data-owner="{as_html(message.author_id)}">{side}'
        f'<div class="tv-main">{head}{_body_html(message)}</div>{end}</article>'
    )


def _body_html(message: TavernMessage) -> str:
    if message.hidden_at is not None or message.body is None:
        return '<div class="tv-body hidden">This message was hidden by a moderator.</div>'
    edited = ' <span class="tv-edited">(edited)</span>' if message.edited_at else ""
    return f'<div class="tv-body" dir="auto">{as_html(message.body)}{edited}</div>'


def _actions_html(message: TavernMessage) -> str:
    if message.hidden_at is not None:
        return f'<div class="tv-actions">{_button("unhide", "Show again", "for-admin")}</div>'
    buttons = (
        _button("edit", "Edit", "for-owner"),
        _button("delete", "Delete", "for-owner"),
        _button("hide", "Hide", "for-admin"),
    )
    return f'<div class="tv-actions">{"".join(buttons)}</div>'


def _button(action: str, label: str, css: str) -> str:
    return f'<button type="button" class="tv-action {css}" data-action="{action}">{label}</button>'
