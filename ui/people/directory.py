"""The directory: everybody as a card, and the search for some of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Self

from db.hub.models import User
from livetables.tables.snapshot import Snapshot
from ui.base import folding
from ui.base.html import EMPTY, Markup, Template, join
from ui.base.links import to_inbox
from ui.base.people import avatar_html, by_name, linked_name_html, name_of, role_html
from ui.base.pieces import in_pieces
from ui.base.text import shortened

_LONGEST_BIO = 140
_CARDS_A_PIECE: Final = 3

_CARD = Template(
    '<article class="tv-person{online}" data-row="{id}" data-owner="{id}">'
    '{avatar}<div class="tv-main"><h2>{name}{role}<span class="tv-online">online</span></h2>{bio}</div>'
    '<a class="tv-link tv-action write" href="{inbox}" aria-label="Write to {label}">Write</a></article>'
)
_BIO = Template('<p class="tv-bio" dir="auto">{bio}</p>')


def search(users: Snapshot[User], query: str) -> list[User]:
    """Return those whose name, bio or role has every word of the query, by name."""
    if not query.strip():
        return by_name(users)
    texts = users.derived("searched", lambda rows: {user.id: _searched(user) for user in rows.values()})
    return [user for user in by_name(users) if folding.has_words(texts[user.id], query)]


def _searched(user: User) -> str:
    return folding.fold(f"{user.display_name} {user.bio} {user.role.value}")


@dataclass(frozen=True, slots=True)
class Directory:
    """The cards of people, those who are here now before the others."""

    pieces: Sequence[Markup]
    more: int
    """How many people are left out."""

    @classmethod
    def of(cls, found: Sequence[User], online: frozenset[str], most: int) -> Self:
        """Show at most `most` of those who are here, and at most as many of the others, in their order.

        Somebody who comes or leaves moves only within the pieces of those who are here: each of the other
        pieces has its place in the whole list.
        """
        here = [user for user in found if user.id in online][:most]
        shown = {user.id for user in (*here, *found[:most])}

        def build(people: Sequence[User]) -> Markup:
            return cards_html([user for user in people if user.id not in online])

        return cls(
            in_pieces(here, _CARDS_A_PIECE, most, partial(cards_html, online=True))
            + in_pieces(found, _CARDS_A_PIECE, most, build),
            len(found) - len(shown),
        )


def cards_html(people: Sequence[User], *, online: bool = False) -> Markup:
    """Show people as cards, as `online` if they are here now."""
    return join(_card_html(user, online=online) for user in people)


def _card_html(user: User, *, online: bool) -> Markup:
    return _CARD(
        online=" online" if online else "",
        id=user.id,
        avatar=avatar_html(user),
        name=linked_name_html(user),
        inbox=to_inbox(user.id),
        label=name_of(user),
        role=role_html(user),
        bio=_BIO(bio=shortened(user.bio, _LONGEST_BIO)) if user.bio else EMPTY,
    )
