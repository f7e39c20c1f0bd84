"""Not found: what stands at an address that is no page."""

from __future__ import annotations

import streamlit as st

from ui.base import layout
from ui.base.navigation import Place, page
from ui.shell.run_app import run_whole_app


def show() -> None:
    layout.page_head("Not found", "There is no page at this address.")
    layout.empty("🗺️", "You have taken a wrong turn", "Maybe the link is old, or a letter of it is missing.")
    with st.container(horizontal=True, horizontal_alignment="center"):
        st.page_link(page(Place.TAVERN), label="Go to the common room", icon=":material/sports_bar:")


if __name__ == "__main__":
    run_whole_app()
