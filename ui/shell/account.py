"""What the account pages share, and what pages for members show to visitors."""

from __future__ import annotations

from typing import Final

import streamlit as st
from streamlit.elements.lib.layout_utils import Width

from ui.base import layout, session
from ui.base.navigation import Place, here, page
from ui.base.people import name_of
from ui.shell import destination, identity

_TITLES: Final = {Place.SIGN_IN: "Sign in", Place.CREATE_ACCOUNT: "Create account"}
"""The titles of the account pages in the browser's tab."""


def already_in() -> bool:
    """Return whether the person is signed in already, as who goes back in the browser; if so show a page."""
    if session.signed_in() is None:
        return False
    name = name_of(session.my_profile())
    layout.page_head("You are signed in", f"As {name}.")
    layout.name_tab("Signed in", _TITLES[here()])
    wanted = destination.wanted()
    label = "Go to the common room" if wanted.place is Place.TAVERN else f"Go to {wanted.place.capitalize()}"
    with st.container(key="account"):
        st.page_link(
            page(wanted.place), label=label, icon=":material/arrow_forward:", query_params=wanted.query
        )
        st.caption("To come in as somebody else, or to create another account, sign out first.")
        st.button("Sign out", icon=":material/logout:", key="sign_out_first", on_click=identity.sign_out)
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
