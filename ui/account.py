"""What the pages about accounts share, and what those for members show to visitors."""

from __future__ import annotations

import streamlit as st

from ui import layout, session
from ui.people import name_of
from ui.sidebar import Place, page
from ui.text import as_label

_NEXT = "next"


def already_in() -> bool:
    """Tell somebody who is signed in that they are; return whether they are."""
    if session.signed_in() is None:
        return False
    st.info(f"You are signed in as {as_label(name_of(session.my_profile()))}.")
    st.page_link(page(Place.TAVERN), label="Go to the common room")
    return True


def invite(place: Place, glyph: str, title: str, hint: str) -> None:
    """Tell a visitor what a page for members has, and lead them to it past the sign-in."""
    layout.empty(glyph, title, hint)
    then = {_NEXT: place.value}
    with st.container(horizontal=True, horizontal_alignment="center"):
        st.page_link(page(Place.SIGN_IN), label="Sign in", icon=":material/login:", query_params=then)
        st.page_link(
            page(Place.CREATE_ACCOUNT),
            label="Create account",
            icon=":material/person_add:",
            query_params=then,
        )


def next_place() -> Place:
    """Return where somebody goes who has just signed in: where they wanted to, if that is a page."""
    try:
        return Place(st.query_params.get(_NEXT, Place.TAVERN))
    except ValueError:  # an address that somebody has typed
        return Place.TAVERN
