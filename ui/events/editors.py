"""Who is editing which event. The same for everybody: the style sheet hides the viewer's own line."""

from __future__ import annotations

from db.hub.models import Event, User
from livetables.presence.model import Present
from livetables.tables.snapshot import Snapshot
from ui.base.html import EMPTY, Markup, Template, join
from ui.base.people import avatar_html, name_html
from ui.events.cards import title_html

_MOST_LINES = 20

_EDITORS = Template('<p class="tv-editors" role="status">{lines}</p>')
_LINE = Template('<span data-owner="{user_id}">✏️ {avatar} {person} is editing {title}</span>')


def editors_html(present: Present, events: Snapshot[Event], users: Snapshot[User]) -> Markup:
    """Show who has which event open to edit; empty when nobody has."""
    opened = {
        (spot.item, user_id) for user_id, spots in present.people.items() for spot in spots if spot.item
    }
    lines = [
        _LINE(
            user_id=user.id,
            avatar=avatar_html(user, "small"),
            person=name_html(user),
            title=title_html(event),
        )
        for item, user_id in sorted(opened)
        if (event := events.get((item,))) is not None and (user := users.get((user_id,))) is not None
    ]
    return _EDITORS(lines=join(lines[:_MOST_LINES])) if lines else EMPTY
