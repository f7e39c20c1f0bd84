"""Who is here now: the list in the sidebar, and who else has the same row open."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from db.hub.models import User
from livetables.fragments import PRESENCE, live_fragment
from livetables.presence.model import Present
from livetables.tables.snapshot import Snapshot
from ui.base import html, session
from ui.base.html import EMPTY, Markup, Template, join
from ui.base.html_cache import shared_html
from ui.base.links import link_html, to_person
from ui.base.people import avatar_html, name_html
from ui.base.text import plural
from ui.base.write_queue import WRITES

_MOST_NAMES = 8
_PAGES: Mapping[str, str] = {
    "home": "Home",
    "tavern": "Tavern",
    "events": "Events",
    "event": "Event",
    "people": "People",
    "person": "Person",
    "inbox": "Inbox",
    "agents": "Agents",
    "routing": "Routing",
    "ratings": "Ratings",
    "leaderboard": "Leaderboard",
    "activity": "Activity",
    "diagnostics": "Diagnostics",
    "profile": "Profile",
}

_HERE = Template(
    '<section class="tv-here" aria-label="Here now"><b>{count} here now</b><ul>{rows}</ul></section>'
)
_PERSON = Template("<li>{person}<small>{page}</small></li>")
_WHO = Template("{avatar}{name}")
_COUNT = Template("<li><small>{text}</small></li>")
_ALSO_HERE = Template('<p class="tv-editors" role="status"><span>👀 {people} here too</span></p>')
_LOOKING = Template('<p class="tv-editors" role="status"><span>👀 Looking at this now: {people}</span></p>')
_EDITING = Template('<p class="tv-editors" role="status"><span>✏️ {people} editing</span></p>')
_NAME = Template("{avatar} {name}")
_AND = Template("{first} and {last}")
_VERB = Template("{people} {verb}")


@live_fragment(tables=(PRESENCE, "users", WRITES), key="here_now", shared=True)
def show() -> None:
    """Show who is here and on which page."""
    present, users = session.present(), session.users()
    html.show(shared_html(("here", present.revision, users), lambda: here_html(present.now, users)))


def here_html(present: Present, users: Snapshot[User]) -> Markup:
    """Show who is here, the latest arrivals first, and the number of visitors."""
    found = [
        (spots[0], user)
        for user_id, spots in present.people.items()
        if (user := users.get((user_id,))) is not None
    ]
    found.sort(key=lambda each: each[0].since, reverse=True)
    rows = [
        _PERSON(person=_linked_html(user), page=page_name(spot.page)) for spot, user in found[:_MOST_NAMES]
    ]
    if len(found) > _MOST_NAMES:
        more = plural(len(found) - _MOST_NAMES, "more person", "more people")
        rows.append(_COUNT(text=f"and {more}"))
    if present.visitors:
        rows.append(_COUNT(text=plural(present.visitors, "visitor")))
    return _HERE(count=len(found) + present.visitors, rows=join(rows))


def page_name(page: str) -> str:
    """Return what people call a page; empty for one that is not known."""
    return _PAGES.get(page, "")


def _linked_html(user: User) -> Markup:
    return link_html(to_person(user.id), _WHO(avatar=avatar_html(user, "small"), name=name_html(user)))


def also_here_html(present: Present, item: str, users: Snapshot[User], me: str | None) -> Markup:
    """Show who else has the row open that the viewer has open; empty when nobody has."""
    people = people_are_html(present.viewing(item), users, me)
    return _ALSO_HERE(people=people) if people else EMPTY


def editing_html(present: Present, item: str, users: Snapshot[User], me: str | None) -> Markup:
    """Show who else is editing the row; empty when nobody is."""
    people = people_are_html(present.viewing(item), users, me)
    return _EDITING(people=people) if people else EMPTY


def looking_html(present: Present, event_id: str, users: Snapshot[User], me: str | None) -> Markup:
    """Show who else looks at the page of an event, and how many visitors; empty when nobody does.

    Whoever edits the event is shown by `editing_html`.
    """
    item = page_item(event_id)
    editing = set(present.viewing(event_id))
    people = [user_id for user_id in present.viewing(item) if user_id not in editing]
    others = [user for user_id in people if user_id != me and (user := users.get((user_id,))) is not None]
    names = _names(others)
    visitors = present.visitors_at.get(item, 0) - (me is None)
    if visitors > 0:
        names.append(plural(visitors, "visitor"))
    return _LOOKING(people=_listed(names)) if names else EMPTY


def page_item(event_id: str) -> str:
    """Name the page of an event among the rows that tabs have open: an open row is one that is edited."""
    return f"page:{event_id}" if event_id else ""


def people_are_html(user_ids: Iterable[str], users: Snapshot[User], me: str | None) -> Markup:
    """Show people other than the viewer, with the verb: `Ada is`, `Ada and Bo are`; empty for nobody."""
    others = [user for user_id in user_ids if user_id != me and (user := users.get((user_id,))) is not None]
    names = _names(others)
    return _VERB(people=_listed(names), verb="is" if len(names) == 1 else "are") if names else EMPTY


def _names(users: Sequence[User]) -> list[Markup | str]:
    """Return the first names, and how many others there are."""
    names: list[Markup | str] = [
        _NAME(avatar=avatar_html(user, "small"), name=name_html(user)) for user in users[:_MOST_NAMES]
    ]
    if len(users) > _MOST_NAMES:
        names.append(plural(len(users) - _MOST_NAMES, "other"))
    return names


def _listed(names: Sequence[Markup | str]) -> Markup:
    """Join names as in a sentence: `Ada`, `Ada and Bo`, `Ada, Bo and Cy`."""
    if len(names) == 1:
        return join(names)
    return _AND(first=join(names[:-1], ", "), last=names[-1])
