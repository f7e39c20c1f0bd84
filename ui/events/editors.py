"""Who is editing which event at this moment."""

from __future__ import annotations

from db.hub.models import Event, User
from livetables.presence.model import Present
from livetables.tables.snapshot import Snapshot
from ui.base.html import EMPTY, Markup, Template, join
from ui.base.presence import people_are_html
from ui.events.cards import title_html

_EDITORS = Template('<p class="tv-editors" role="status">{lines}</p>')
_LINE = Template("<span>✏️ {people} editing {title}</span>")


def editors_html(present: Present, events: Snapshot[Event], users: Snapshot[User], me: str | None) -> Markup:
    """Show which events other people have open to edit; empty when nobody has."""
    opened = {spot.item for spots in present.people.values() for spot in spots if spot.item}
    found = (event for item in opened if (event := events.get((item,))) is not None)
    lines = [
        _LINE(people=people, title=title_html(event))
        for event in sorted(found, key=lambda event: event.id)
        if (people := people_are_html(present.viewing(event.id), users, me))
    ]
    return _EDITORS(lines=join(lines)) if lines else EMPTY
