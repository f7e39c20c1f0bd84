"""How a person is shown everywhere: avatar, name, a mark for their role."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import cast

import streamlit as st

from db.hub.models import Role, User
from livetables.rerun import current_session
from livetables.tables.snapshot import Snapshot
from ui.base import folding, lookalikes, pictures
from ui.base.html import EMPTY, Markup, Template, join
from ui.base.links import link_html, second_link_html, to_person
from ui.base.text import as_label, one_line

SOMEBODY = "Somebody"
"""The name to show for a person without a profile, such as one who deleted the account."""

FindUser = Callable[[str], User | None]
"""Looks a person up by id."""

_TINTS = 8

_NOBODY = Template('<span class="tv-avatar{size}" aria-hidden="true">?</span>')
_EMOJI = Template('<span class="tv-avatar{size} emoji" aria-hidden="true">{emoji}{picture}</span>')
_LETTER = Template('<span class="tv-avatar{size} tint{tint}" aria-hidden="true">{letter}{picture}</span>')
_PICTURE = Template('<img src="{address}" alt="" loading="lazy" decoding="async">')
_NAME = Template("<bdi>{name}</bdi>")
_ROLE = Template('<span class="tv-role {role}">{role}</span>')
_CHIP = Template('<a class="tv-link tv-chip" href="{href}">{avatar}{name}</a>')
_CHIP_OF_NOBODY = Template('<span class="tv-chip">{avatar}{name}</span>')
_MORE = Template('<span class="tv-chip more">and {count} more</span>')
_LINK_TO_MORE = Template('<a class="tv-link tv-chip more" href="{href}">and {count} more</a>')


def name_of(user: User | None) -> str:
    """Return the name to show. In a session, a name that looks like another person's has a mark."""
    if user is None:
        return SOMEBODY
    name, mark = one_line(user.display_name) or SOMEBODY, _marks().get(user.id)
    return lookalikes.marked(name, mark) if mark else name


def _marks() -> Mapping[str, str]:
    """Return the marks of all people whose names look like another one's."""
    users = cast("Snapshot[User] | None", st.session_state.get("users")) if current_session() else None
    return users.derived("lookalikes", lambda rows: lookalikes.marks(rows.values())) if users else {}


def label_of(user: User | None) -> str:
    """Return the name, escaped for a label of a Streamlit widget."""
    return as_label(name_of(user))


def option_of(user: User | None) -> str:
    """Return the name for a select box, where people look for it with the letters of their keyboard."""
    return folding.as_option(name_of(user))


def avatar_html(user: User | None, size: str = "") -> Markup:
    """Show a person's picture. `size` is `small`, `large` or empty.

    Below it is their emoji, or the first letter on a color, for who has no picture and until it has come. An
    address in `avatar`, from before those were refused, is not loaded: its host would learn of each viewer.
    """
    css = f" {size}" if size else ""
    if user is None:
        return _NOBODY(size=css)
    address = pictures.address_of(user)
    picture = _PICTURE(address=address) if address else EMPTY
    if user.avatar and not user.avatar.startswith(("http:", "https:")):
        return _EMOJI(size=css, emoji=one_line(user.avatar)[:8], picture=picture)
    tint = sum(user.id.encode()) % _TINTS
    return _LETTER(size=css, tint=tint, letter=name_of(user)[:1].upper(), picture=picture)


def name_html(user: User | None) -> Markup:
    """Show a name; its writing direction does not affect the text around it."""
    return _NAME(name=name_of(user))


def role_html(user: User | None) -> Markup:
    """Show a small mark for everybody who is more than a member."""
    if user is None or user.role is Role.MEMBER:
        return EMPTY
    return _ROLE(role=user.role.value)


def linked_name_html(user: User | None) -> Markup:
    """Show a name that leads to the person."""
    return name_html(user) if user is None else link_html(to_person(user.id), name_html(user))


def linked_avatar_html(user: User | None, size: str = "") -> Markup:
    """Show an avatar that leads to the person, beside a name that does as well."""
    avatar = avatar_html(user, size)
    return avatar if user is None else second_link_html(to_person(user.id), avatar)


def names_html(people: Iterable[User | None], limit: int, more: str = "") -> Markup:
    """Show up to `limit` people as chips that lead to them, and how many more there are.

    `more` is the address of the page that shows everybody.
    """
    everybody = list(people)
    chips = [_chip_html(user) for user in everybody[:limit]]
    if len(everybody) > limit:
        count = len(everybody) - limit
        chips.append(_LINK_TO_MORE(href=more, count=count) if more else _MORE(count=count))
    return join(chips)


def _chip_html(user: User | None) -> Markup:
    avatar, name = avatar_html(user, "small"), name_html(user)
    if user is None:
        return _CHIP_OF_NOBODY(avatar=avatar, name=name)
    return _CHIP(href=to_person(user.id), avatar=avatar, name=name)


def by_name(users: Snapshot[User]) -> list[User]:
    """Return everybody, sorted by name as people look for it; computed once a snapshot."""
    return users.derived("by name", lambda rows: sorted(rows.values(), key=_sort_name))


def _sort_name(user: User) -> tuple[tuple[str, str], str]:
    return folding.sort_key(user.display_name), user.id


def finder(users: Snapshot[User]) -> FindUser:
    """Return a function that looks a person up by id."""
    return lambda user_id: users.get((user_id,))
