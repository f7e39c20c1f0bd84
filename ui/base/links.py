"""The addresses of events and people, for links in blocks of HTML.

They are relative, as Streamlit's own links are, so a block is the same wherever the app is served.
`ui/shell/follow_links.py` follows a link with this class without loading the app again.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlencode

from ui.base import pictures
from ui.base.html import EMPTY, Markup, Template
from ui.base.navigation import Place

ID: Final = "id"
"""The parameter of a page's address that names the event or the person."""

LIKE: Final = "like"
"""The parameter of the page of events that names the event of which a new one is a copy."""

INBOX_WITH: Final = "with"
"""The parameter of the inbox that names the other person."""

MESSAGE: Final = "message"
"""The parameter of the common room and of the inbox that names a message to show."""

_LINK: Final = Template('<a class="tv-link" href="{href}">{content}</a>')
_COPY: Final = Template('<button type="button" class="tv-action" data-copy="{href}">Copy link</button>')
_CALENDAR: Final = Template(
    '<a class="tv-action" href="api/events/{id}.ics" download target="_self">Add to calendar</a>'
)
_MAP: Final = Template(
    '<small><a class="tv-map" href="https://www.openstreetmap.org/search?{query}" target="_blank" '
    'rel="noopener noreferrer">Show on a map</a></small>'
)
_ON_THE_WEB: Final = re.compile(r"(https?://|www\.)", re.IGNORECASE)
ALL_EVENTS: Final = _LINK(href=Place.EVENTS.value, content="All events")
"""A link to the page with all events."""

_SECOND: Final = Template('<a class="tv-link" href="{href}" tabindex="-1" aria-hidden="true">{content}</a>')


def to_event(event_id: str) -> str:
    """Return the address of an event."""
    return _address(Place.EVENT, event_id)


def to_person(user_id: str) -> str:
    """Return the address of a person."""
    return _address(Place.PERSON, user_id)


def to_copy(event_id: str) -> str:
    """Return the address of the form for a copy of an event."""
    return f"{Place.EVENTS.value}?{urlencode({LIKE: event_id})}"


def to_inbox(user_id: str, message_id: str = "") -> str:
    """Return the address of the conversation with a person, or of one message there."""
    shown = {MESSAGE: message_id} if message_id else {}
    return f"{Place.INBOX.value}?{urlencode({INBOX_WITH: user_id, **shown})}"


def to_room_message(message_id: str) -> str:
    """Return the address of a message in the common room."""
    return f"{Place.TAVERN.value}?{urlencode({MESSAGE: message_id})}"


def _address(place: Place, row_id: str) -> str:
    return f"{place.value}?{urlencode({ID: row_id})}"


def calendar_html(event_id: str) -> Markup:
    """Show a link to an event's calendar file; empty where the server has none (`api/calendars.py`)."""
    return _CALENDAR(id=event_id) if pictures.server_has_api() else EMPTY


def map_html(location: str) -> Markup:
    """Show a link that looks a place up on a map; empty for an address on the web."""
    if _ON_THE_WEB.match(location):
        return EMPTY
    return _MAP(query=urlencode({"query": location}))


def link_html(href: str, content: Markup | str) -> Markup:
    """Make markup or a text a link."""
    return _LINK(href=href, content=content)


def second_link_html(href: str, content: Markup) -> Markup:
    """Make a picture a link, where a name beside it leads to the same. The keyboard and readers skip it."""
    return _SECOND(href=href, content=content)


def copy_button_html(href: str) -> Markup:
    """Show a button that copies an address."""
    return _COPY(href=href)
