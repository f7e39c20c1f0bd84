"""What the account pages share, and what pages for members show to visitors."""

from __future__ import annotations

import streamlit as st
from streamlit.elements.lib.layout_utils import Width

from ui.base import layout, session
from ui.base.navigation import Place, page
from ui.base.people import name_of
from ui.base.text import as_label
from ui.shell import destination


def already_in() -> bool:
    """Return whether the person is signed in already, and if so show that."""
    if session.signed_in() is None:
        return False
    st.info(f"You are signed in as {as_label(name_of(session.my_profile()))}.")
    wanted = destination.wanted()
    label = "Go to the common room" if wanted.place is Place.TAVERN else f"Go to {wanted.place.capitalize()}"
    st.page_link(page(wanted.place), label=label, query_params=wanted.query)
    return True


def invite(glyph: str, title: str, hint: str) -> None:
    """Show a visitor what a page for members offers. After signing in they are at the same address."""
    layout.empty(glyph, title, hint)
    with st.container(horizontal=True, horizontal_alignment="center"):
        sign_in_link()
        create_account_link()


def sign_in_link(label: str = "Sign in", width: Width = "content") -> None:
    """Link to the page to sign in, which leads back to the address that is open now."""
    st.page_link(
        page(Place.SIGN_IN),
        label=label,
        icon=":material/login:",
        width=width,
        query_params=destination.link_parameters(),
    )


def create_account_link(label: str = "Create account", width: Width = "content") -> None:
    """Link to the page to create an account, which leads back to the address that is open now."""
    st.page_link(
        page(Place.CREATE_ACCOUNT),
        label=label,
        icon=":material/person_add:",
        width=width,
        query_params=destination.link_parameters(),
    )
