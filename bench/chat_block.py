"""What it costs to build the block of 80 messages, relative to f-strings with an escape at every value.

The block is built once for each change and time zone. The f-strings below are its lower bound: the same HTML
without the guarantee that nothing was left unescaped.
"""

from __future__ import annotations

import html
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from bench.figures import Figure
from db.hub.models import Role, TavernMessage, User
from ui.base import times
from ui.base.people import FindUser, name_of
from ui.base.region import Region
from ui.base.text import tidy
from ui.messages.room import GROUPED_WITHIN, build_room

_MESSAGES = 80
_ROUNDS = 150
_REGION = Region(ZoneInfo("Europe/Berlin"))
_NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
_TODAY = _NOW.date()


def main() -> Iterator[Figure]:
    """Build both blocks in turns, and compare their medians."""
    people = [_user(number) for number in range(6)]
    find = {user.id: user for user in people}.get
    messages = [_message(number, people[number // 3 % len(people)]) for number in range(_MESSAGES)]

    def with_templates() -> str:
        return "".join(build_room(messages, find, _REGION, _TODAY, frozenset(), tail=0))

    def with_f_strings() -> str:
        return "".join(_blocks(messages, find, _TODAY))

    assert html.unescape(with_templates()) == html.unescape(with_f_strings())
    templates, f_strings = [], []
    for _ in range(_ROUNDS):  # in turns, so that other load on the machine meets both
        templates.append(_seconds(with_templates))
        f_strings.append(_seconds(with_f_strings))
    ratio = statistics.median(templates) / statistics.median(f_strings)
    yield Figure(
        f"block of {_MESSAGES} messages from templates, against f-strings",
        f"{ratio:.2f} x ({statistics.median(templates) * 1000:.2f} ms)",
        "about 1 x",
    )


def _seconds(build: Callable[[], str]) -> float:
    began = time.thread_time()
    build()
    return time.thread_time() - began


def _user(number: int) -> User:
    name, role = f"Person <{number}>", Role.ADMIN if number == 0 else Role.MEMBER
    return User(f"user-{number}", name, "", None, None, role, 1, _NOW, _NOW, None)


def _message(number: int, author: User) -> TavernMessage:
    moment = _NOW + timedelta(minutes=number)
    body = f'Message {number}: what is said here has <b>no</b> "markup", & about as many words as usual.'
    edited = moment if number % 10 == 0 else None
    return TavernMessage(f"message-{number}", author.id, body, edited, None, None, 1, moment, moment)


def _blocks(messages: Sequence[TavernMessage], find: FindUser, today: date) -> Iterator[str]:
    previous: TavernMessage | None = None
    for message in messages:
        day = message.created_at.astimezone(_REGION.zone).date()
        new_day = previous is None or previous.created_at.astimezone(_REGION.zone).date() != day
        if new_day:
            name = times.day_name(message.created_at, _REGION, today)
            yield f'<div class="tv-day"><span>{name}</span></div>'
        following = not new_day and previous is not None and _is_grouped(message, previous)
        yield _message_html(message, find(message.author_id), following=following)
        previous = message


def _is_grouped(message: TavernMessage, previous: TavernMessage) -> bool:
    close = message.created_at - previous.created_at < GROUPED_WITHIN
    return close and message.author_id == previous.author_id


def _message_html(message: TavernMessage, author: User | None, *, following: bool) -> str:
    exactly = _escaped(times.full(message.created_at, _REGION))
    time_html = f'<time title="{exactly}">{times.clock(message.created_at, _REGION)}</time>'
    link = f'<a class="tv-link" href="person?id={_escaped(message.author_id)}"'
    name = f"<b>{link}><bdi>{_escaped(name_of(author))}</bdi></a></b>"
    avatar = f'{link} tabindex="-1" aria-hidden="true">{_avatar_html(author)}</a>'
    head = "" if following else f'<div class="tv-head">{name}{_role_html(author)}{time_html}</div>'
    side = f'<div class="tv-side">{time_html if following else avatar}</div>'
    edited = ' <span class="tv-edited">(edited)</span>' if message.edited_at else ""
    body = f'<div class="tv-body" dir="auto">{_escaped(message.body or "")}{edited}</div>'
    return (
        f'<article tabindex="-1" class="tv-message{" following" if following else ""}" '
        f'data-row="{_escaped(message.id)}" data-owner="{_escaped(message.author_id)}">{side}'
        f'<div class="tv-main">{head}{body}</div>{_actions_html()}</article>'
    )


def _avatar_html(user: User | None) -> str:
    assert user is not None
    letter, tint = _escaped(name_of(user)[:1].upper()), sum(user.id.encode()) % 8
    return f'<span class="tv-avatar tint{tint}" aria-hidden="true">{letter}</span>'


def _role_html(user: User | None) -> str:
    if user is None or user.role is Role.MEMBER:
        return ""
    return f'<span class="tv-role {user.role.value}">{user.role.value}</span>'


def _actions_html() -> str:
    buttons = (
        _button("edit", "Edit", "for-owner"),
        _button("delete", "Delete", "for-owner"),
        _button("hide", "Hide", "for-admin"),
    )
    return f'<div class="tv-actions">{"".join(buttons)}</div>'


def _button(action: str, label: str, css: str) -> str:
    return f'<button type="button" class="tv-action {css}" data-action="{action}">{label}</button>'


def _escaped(text: str) -> str:
    return html.escape(tidy(text))
