"""Rerunning fragments by name."""

from __future__ import annotations

import streamlit as st
from streamlit.errors import StreamlitAPIException


def rerun_only(*names: str) -> None:
    """Rerun only the fragments with these names. Call it last in a callback.

    If one of them is not on the page, perhaps because it is still being drawn, the whole page reruns.
    """
    try:
        st.rerun(list(names))
    except StreamlitAPIException:
        return  # the run of the callback goes on, and draws everything
