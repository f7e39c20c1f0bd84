"""What the pages about accounts share."""

from __future__ import annotations

import streamlit as st

from ui import session
from ui.people import name_of
from ui.sidebar import Place, page
from ui.text import as_label


def already_in() -> bool:
    """Tell somebody who is signed in that they are; return whether they are."""
    if session.signed_in() is None:
        return False
    st.info(f"You are signed in as {as_label(name_of(session.my_profile()))}.")
    st.page_link(page(Place.TAVERN), label="Go to the common room")
    return True
