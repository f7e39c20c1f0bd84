"""Tavern's entry: find the database, start the live engine, find out whose tab this is, show the page."""

from __future__ import annotations

import logging
from collections.abc import Callable

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from db.settings import SettingsError
from live.sessions import look_at
from local_supabase.errors import LocalSupabaseError
from pages import (
    activity,
    agents,
    create_account,
    diagnostics,
    events,
    inbox,
    leaderboard,
    people,
    profile,
    ratings,
    routing,
    sign_in,
    tavern,
)
from process import PROCESS
from realtime_handlers import setup_realtime_subscriptions
from ui import identity, layout, session, sidebar, trouble
from ui.session import Services
from ui.sidebar import Place

FIRST_ROWS = 15.0
"""Seconds to wait for the tables before telling the visitor that the database does not answer."""

log = logging.getLogger("tavern")


def _services(place: DeltaGenerator) -> Services:
    if PROCESS.started:
        return PROCESS.services()
    try:
        with place.status("Opening the Tavern…", expanded=True) as status:
            services = PROCESS.services(status.write)
    except (SettingsError, LocalSupabaseError) as error:
        log.warning("Tavern could not start: %s", error)
        place.empty()
        trouble.show_closed(str(error))
        st.stop()
    place.empty()
    return services


def _wait_for_rows(services: Services, place: DeltaGenerator) -> None:
    if services.engine.wait_loaded(0):
        return
    with place, st.spinner("Setting the tables…"):
        loaded = services.engine.wait_loaded(FIRST_ROWS)
    place.empty()
    if not loaded:
        trouble.show_unreachable(services)
        st.stop()


SHOWN: dict[Place, Callable[[], None]] = {
    Place.TAVERN: tavern.show,
    Place.EVENTS: events.show,
    Place.PEOPLE: people.show,
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
}
"""What each place shows."""


def _pages() -> dict[Place, st.Page]:
    return {
        Place.TAVERN: st.Page(
            tavern.show, title="Tavern", icon=":material/sports_bar:", url_path="tavern", default=True
        ),
        Place.EVENTS: st.Page(events.show, title="Events", icon=":material/event:", url_path="events"),
        Place.PEOPLE: st.Page(people.show, title="People", icon=":material/group:", url_path="people"),
        Place.INBOX: st.Page(inbox.show, title="Inbox", icon=":material/mail:", url_path="inbox"),
        Place.AGENTS: st.Page(agents.show, title="Agents", icon=":material/smart_toy:", url_path="agents"),
        Place.ROUTING: st.Page(
            routing.show, title="Routing", icon=":material/alt_route:", url_path="routing"
        ),
        Place.RATINGS: st.Page(ratings.show, title="Ratings", icon=":material/balance:", url_path="ratings"),
        Place.LEADERBOARD: st.Page(
            leaderboard.show, title="Leaderboard", icon=":material/leaderboard:", url_path="leaderboard"
        ),
        Place.ACTIVITY: st.Page(
            activity.show, title="Activity", icon=":material/history:", url_path="activity"
        ),
        Place.DIAGNOSTICS: st.Page(
            diagnostics.show, title="Diagnostics", icon=":material/troubleshoot:", url_path="diagnostics"
        ),
        Place.SIGN_IN: st.Page(sign_in.show, title="Sign in", url_path="sign_in"),
        Place.CREATE_ACCOUNT: st.Page(create_account.show, title="Create account", url_path="create_account"),
        Place.PROFILE: st.Page(profile.show, title="Your profile", url_path="profile"),
    }


def main() -> None:
    st.set_page_config(page_title="Tavern", page_icon="🍺", layout="wide")
    layout.apply_style()
    # First of all: a run that stops before it has named its pages is a "page not found" to Streamlit.
    pages = _pages()
    current = st.navigation(list(pages.values()), position="hidden")
    # Always there, so that what follows keeps its place, and with it what is typed, when the server restarts.
    place = st.empty()
    services = _services(place)
    session.begin(services)
    me = identity.settle()
    setup_realtime_subscriptions(services.engine, me)
    _wait_for_rows(services, place)
    look_at(current.url_path or Place.TAVERN)
    sidebar.remember(pages)
    sidebar.show()
    identity.keep_cookie()
    # Not `current.run()`: Streamlit's page in the browser throws away what that has shown when, busy with
    # drawing a new page, it meets a change that came right after ("Bad delta path"), and stays blank.
    SHOWN[Place(current.url_path or Place.TAVERN)]()


main()
