"""A page that reads its messages once a second, as Streamlit's documentation shows it."""

import streamlit as st

from bench.peers.messages import MESSAGES


@st.fragment(run_every=1)
def room() -> None:
    """Show the newest messages."""
    for text in list(MESSAGES):
        st.text(text)


room()
