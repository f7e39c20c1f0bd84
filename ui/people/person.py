"""A person as a page of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from db.hub.models import User
from livetables.presence.model import Spot
from ui.base import presence
from ui.base.html import EMPTY, Markup, Template
from ui.base.links import copy_button_html, to_inbox, to_person
from ui.base.navigation import Place
from ui.base.people import avatar_html, name_of, role_html

_PERSON = Template(
    '<article class="tv-profile" data-row="{id}" aria-label="{name}">{avatar}<div class="tv-main">'
    '<p class="tv-facts">{here}{role}</p>{bio}<div class="tv-buttons">{button}{copy}</div></div></article>'
)
_BIO = Template('<p class="tv-text" dir="auto">{text}</p>')
_HERE = Template('<span class="tv-here-now">Here now{page}</span>')
_ON = Template(" · {page}")
_AWAY: Final = Template("<span>Not here now</span>")()
_WRITE = Template('<a class="tv-link tv-action main" href="{href}">Write a message</a>')
_EDIT: Final = Template('<a class="tv-link tv-action main" href="{href}">Edit your profile</a>')(
    href=Place.PROFILE.value
)


def person_html(user: User, spots: Sequence[Spot], me: str | None) -> Markup:
    """Show all of a person but their name. `spots` are where they are now, the newest first."""
    return _PERSON(
        id=user.id,
        name=name_of(user),
        avatar=avatar_html(user, "large"),
        here=_here_html(spots[0]) if spots else _AWAY,
        role=role_html(user),
        bio=_BIO(text=user.bio) if user.bio else EMPTY,
        button=_EDIT if user.id == me else _WRITE(href=to_inbox(user.id)),
        copy=copy_button_html(to_person(user.id)),
    )


def _here_html(spot: Spot) -> Markup:
    name = presence.page_name(spot.page)
    return _HERE(page=_ON(page=name) if name else EMPTY)
