"""The entry of Tavern: start the services, identify the person, show the sidebar and the page."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Final

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from db.settings import SettingsError
from livetables.running_session import look_at
from local_supabase.errors import LocalSupabaseError
from pages import (
    activity,
    agents,
    create_account,
    diagnostics,
    event,
    events,
    home,
    inbox,
    leaderboard,
    not_found,
    people,
    person,
    profile,
    ratings,
    routing,
    sign_in,
    tavern,
)
from process import PROCESS
from realtime_handlers import setup_realtime_subscriptions
from ui.base import layout, navigation, session, uploads
from ui.base.navigation import Place
from ui.base.session import Services
from ui.events import offers
from ui.shell import demo, identity, sidebar, startup_errors

LOAD_TIMEOUT = 15.0
"""Seconds to wait for the tables before the page says that the database does not answer."""

_DEMO_CLOSED = (
    "It still has its demo people, whose password is published, so only its own machine gets in. "
    "Whoever runs it can connect it to a Supabase project, delete the demo accounts, or start it with "
    f"{demo.OPENED_BY}=1 to show the demo to everybody."
)

_log = logging.getLogger("tavern")


def _services(place: DeltaGenerator) -> Services:
    if PROCESS.started:
        return PROCESS.services()
    try:
        with place.status("Opening the Tavern…", expanded=True) as status:
            services = PROCESS.services(status.write)
    except (SettingsError, LocalSupabaseError) as error:
        _log.warning("Tavern could not start: %s", error)
        place.empty()
        startup_errors.show_closed(str(error))
        st.stop()
    place.empty()
    return services


def _wait_for_rows(services: Services, place: DeltaGenerator) -> None:
    if services.engine.wait_loaded(0):
        return
    with place, st.spinner("Setting the tables…"):
        loaded = services.engine.wait_loaded(LOAD_TIMEOUT)
    place.empty()
    if not loaded:
        startup_errors.show_unreachable(services)
        st.stop()


PAGES: dict[Place, Callable[[], None]] = {
    Place.HOME: home.show,
    Place.TAVERN: tavern.show,
    Place.EVENTS: events.show,
    Place.EVENT: event.show,
    Place.PEOPLE: people.show,
    Place.PERSON: person.show,
    Place.INBOX: inbox.show,
    Place.AGENTS: agents.show,
    Place.ROUTING: routing.show,
    Place.RATINGS: ratings.show,
    Place.LEADERBOARD: leaderboard.show,
    Place.ACTIVITY: activity.show,
    Place.DIAGNOSTICS: diagnostics.show,
    Place.SIGN_IN: sign_in.show,
    Place.CREATE_ACCOUNT: create_account.show,
    Place.PROFILE: profile.show,
    Place.NOT_FOUND: not_found.show,
}
"""The function that shows each page."""


_ROOT: Final = "_"
"""The path that Streamlit keeps free for the page at the root, at which no other page can be."""


def _pages() -> dict[Place, st.Page]:
    """Return the pages. Their titles are those of the browser's tabs."""
    return {
        Place.TAVERN: st.Page(
            tavern.show, title="Tavern", icon=":material/sports_bar:", url_path=_ROOT, default=True
        ),
        Place.HOME: _page(Place.HOME, "Home", ":material/home:"),
        Place.EVENTS: _page(Place.EVENTS, "Events", ":material/event:"),
        Place.EVENT: _page(Place.EVENT, "Event"),
        Place.PEOPLE: _page(Place.PEOPLE, "People", ":material/group:"),
        Place.PERSON: _page(Place.PERSON, "Person"),
        Place.INBOX: _page(Place.INBOX, "Inbox", ":material/mail:"),
        Place.AGENTS: _page(Place.AGENTS, "Agents", ":material/smart_toy:"),
        Place.ROUTING: _page(Place.ROUTING, "Routing", ":material/alt_route:"),
        Place.RATINGS: _page(Place.RATINGS, "Ratings", ":material/balance:"),
        Place.LEADERBOARD: _page(Place.LEADERBOARD, "Leaderboard", ":material/leaderboard:"),
        Place.ACTIVITY: _page(Place.ACTIVITY, "Activity", ":material/history:"),
        Place.DIAGNOSTICS: _page(Place.DIAGNOSTICS, "Diagnostics", ":material/troubleshoot:"),
        Place.SIGN_IN: _page(Place.SIGN_IN, "Sign in"),
        Place.CREATE_ACCOUNT: _page(Place.CREATE_ACCOUNT, "Create account"),
        Place.PROFILE: _page(Place.PROFILE, "Your profile"),
    }


def _more_pages(pages: Iterable[st.Page]) -> dict[str, tuple[Place, st.Page]]:
    """Return the pages that nothing links to, by their paths: the common room by its name, and what is none.

    Streamlit would show a dialog of its own over the common room at an address that is no page.
    """
    room = st.Page(tavern.show, title="Tavern", url_path=Place.TAVERN.value)
    more = {room.url_path: (Place.TAVERN, room)}
    asked = navigation.asked_path()
    if asked and "/" not in asked and asked not in {_ROOT, *(page.url_path for page in (*pages, room))}:
        missing = st.Page(not_found.show, title="Not found · Tavern", url_path=asked)
        more[missing.url_path] = (Place.NOT_FOUND, missing)
    return more


def _page(place: Place, title: str, icon: str | None = None) -> st.Page:
    return st.Page(PAGES[place], title=f"{title} · Tavern", icon=icon, url_path=place.value)


def main() -> None:
    # No title: with one, the browser would not show the title of the page.
    st.set_page_config(page_icon="🍺", layout="wide")
    layout.apply_style()
    # Before anything that may stop the run: without it Streamlit would show "page not found".
    pages = _pages()
    more = _more_pages(pages.values())
    current = st.navigation([*pages.values(), *(page for _, page in more.values())], position="hidden")
    # Always there, because the elements below keep what was typed into them only while they keep their
    # positions, whether or not this run shows how the services start.
    place = st.empty()
    services = _services(place)
    session.begin(services)
    uploads.withdraw()  # until the page shows an uploader again
    me = identity.identify()
    setup_realtime_subscriptions(services.engine, me)
    _wait_for_rows(services, place)
    if demo.keeps_out(services):
        startup_errors.show_closed(_DEMO_CLOSED)
        st.stop()
    path = current.url_path or Place.TAVERN
    current_place = more[path][0] if path in more else Place(path)
    # Whoever looks at an event sees who else does.
    look_at(current_place, event.open_item() if current_place is Place.EVENT else "")
    navigation.remember({**pages, current_place: pages.get(current_place, current)}, current_place)
    sidebar.show()
    with st.sidebar:
        identity.sync_cookie()
    if current_place is not Place.HOME:  # which shows them among what waits for the viewer
        offers.show()
    # Not `current.run()`: the browser discards what that has shown if a delta of a fragment arrives while it
    # still draws the new page ("Bad delta path"), and the page stays blank.
    PAGES[current_place]()


main()
