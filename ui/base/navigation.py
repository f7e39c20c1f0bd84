"""The pages of the app by name, for links between them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import cast
from urllib.parse import unquote, urlsplit

import streamlit as st

from ui.base import tab


class Place(StrEnum):
    """Every page; the value is its path."""

    HOME = "home"
    TAVERN = "tavern"
    EVENTS = "events"
    EVENT = "event"
    PEOPLE = "people"
    PERSON = "person"
    INBOX = "inbox"
    AGENTS = "agents"
    ROUTING = "routing"
    RATINGS = "ratings"
    LEADERBOARD = "leaderboard"
    ACTIVITY = "activity"
    DIAGNOSTICS = "diagnostics"
    SIGN_IN = "sign_in"
    CREATE_ACCOUNT = "create_account"
    PROFILE = "profile"
    NOT_FOUND = "not_found"
    """Shown at every address that is no page."""


def asked_path() -> str:
    """Return the path of the address that the browser shows, without the app's own; empty for the root."""
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    path = unquote(urlsplit(st.context.url or "").path).strip("/")
    return path.removeprefix(base).strip("/") if f"{path}/".startswith(f"{base}/") else path


def remember(pages: Mapping[Place, st.Page], current: Place) -> None:
    """Store the pages of this run for `page`, and the one that is open for `here`."""
    st.session_state[tab.PAGES] = dict(pages)
    if st.session_state.get(tab.HERE) is not current:
        # Another page has an address of its own, whose parameters mean something else.
        st.session_state.pop(tab.ADDRESS, None)
    st.session_state[tab.HERE] = current


def here() -> Place:
    """Return the page that is open."""
    return cast("Place", st.session_state[tab.HERE])


def page(place: Place) -> st.Page:
    """Return a page to link or switch to."""
    return cast("Mapping[Place, st.Page]", st.session_state[tab.PAGES])[place]
