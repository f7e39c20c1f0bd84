"""Links in blocks of HTML (`ui/base/links.py`): they lead to another page without loading the app again."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

from ui.base import feedback
from ui.base.tab import own_key


@cache
def _component() -> ComponentRenderer:
    script = (Path(__file__).parent / "follow_links.js").read_text(encoding="utf-8")
    return st.components.v2.component("tavern_links", js=script)


@st.fragment(key="links")
def show() -> None:
    """Follow the links of the page, and copy addresses. Call it on every page."""
    key = own_key("tavern_links_watch")
    copied = _component()(key=key, on_copied_change=_rerun_only).get("copied")
    # The last one is still there in later runs, which something else has caused.
    if not isinstance(copied, Mapping) or st.session_state.get(f"{key}_seen") == copied.get("nonce"):
        return
    st.session_state[f"{key}_seen"] = copied.get("nonce")
    if copied.get("done"):
        feedback.toast("The link is copied.", ":material/link:")
    else:
        feedback.toast(f"Copy this link: {copied.get('address')}", ":material/link:")


def _rerun_only() -> None:
    """Do nothing: the run that follows reads the result."""
