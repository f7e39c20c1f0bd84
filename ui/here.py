"""Who is here now: in the sidebar, in the directory, and who has the same event open."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from db.models import Event, User
from live.fragments import PRESENCE, live_fragment
from live.presence import Present
from live.snapshot import Snapshot
from ui import session
from ui.people import avatar_html, name_of
from ui.shared import shared_html
from ui.text import as_html, plural

_MOST = 8
_PAGES: Mapping[str, str] = {
    "tavern": "Tavern",
    "events": "Events",
    "people": "People",
    "inbox": "Inbox",
    "agents": "Agents",
    "routing": "Routing",
    "ratings": "Ratings",
    "leaderboard": "Leaderboard",
    "activity": "Activity",
    "diagnostics": "Diagnostics",
    "profile": "Profile",
}


@live_fragment(tables=(PRESENCE, "users"), key="here_now")
def show() -> None:
    """Show who is here and on which page."""
    present, users = session.present(), session.users()
    st.html(shared_html(("here", present.revision, users), lambda: here_html(present.now, users)))


def here_html(present: Present, users: Snapshot[User]) -> str:
    """Show the people who are here, those who came last first, and how many visitors."""
    found = [
        (spots[0], user)
        for user_id, spots in present.people.items()
        if (user := users.get((user_id,))) is not None
    ]
    found.sort(key=lambda each: each[0].since, reverse=True)
    rows = [
        f"<li>{avatar_html(user, 'small')}<bdi>{as_html(name_of(user))}</bdi>"
        f"<small>{as_html(_PAGES.get(spot.page, ''))}</small></li>"
        for spot, user in found[:_MOST]
    ]
    if len(found) > _MOST:
        rows.append(f"<li><small>and {plural(len(found) - _MOST, 'more person', 'more people')}</small></li>")
    if present.visitors:
        rows.append(f"<li><small>{plural(present.visitors, 'visitor')}</small></li>")
    return (
        f'<section class="tv-here" aria-label="Here now"><b>{len(found) + present.visitors} here now</b>'
        f"<ul>{''.join(rows)}</ul></section>"
    )


def editors_html(present: Present, events: Snapshot[Event], users: Snapshot[User], me: str | None) -> str:
    """Tell which events other people have open to edit; empty when nobody has."""
    open_now = {spot.item for spots in present.people.values() for spot in spots if spot.item}
    lines = []
    for event in sorted(
        (event for item in open_now if (event := events.get((item,)))), key=lambda event: event.id
    ):
        names = _names_html(present.viewing(event.id), users, me)
        if names:
            lines.append(f"<span>✏️ {names} editing <bdi>{as_html(event.title)}</bdi></span>")
    return f'<p class="tv-editors" role="status">{"".join(lines)}</p>' if lines else ""


def also_here_html(present: Present, item: str, users: Snapshot[User], me: str | None) -> str:
    """Tell who else has the row open that the viewer has; empty when nobody has."""
    names = _names_html(present.viewing(item), users, me)
    return f'<p class="tv-editors" role="status"><span>👀 {names} here too</span></p>' if names else ""


def _names_html(user_ids: tuple[str, ...], users: Snapshot[User], me: str | None) -> str:
    """Name people with their verb: `Ada is`, `Ada and Bo are`; empty for nobody."""
    others = [user for user_id in user_ids if user_id != me and (user := users.get((user_id,))) is not None]
    names = [f"{avatar_html(user, 'small')} <bdi>{as_html(name_of(user))}</bdi>" for user in others[:_MOST]]
    if len(others) > _MOST:
        names.append(plural(len(others) - _MOST, "other"))
    if not names:
        return ""
    listed = f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
    return f"{listed} {'are' if len(names) > 1 else 'is'}"


def online_marks(present: Present) -> dict[str, list[str]]:
    """Return how those who are here are marked in the directory."""
    return {user_id: ["online"] for user_id in present.people}
