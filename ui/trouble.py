"""What people see when Tavern cannot open: a page that says what is wrong, never a traceback."""

from __future__ import annotations

import streamlit as st

from db import health
from db.errors import Unreachable
from live.engine import Engine
from ui.session import Services
from ui.text import as_html


def show_closed(reason: str) -> None:
    """Say that the configuration is wrong, and how."""
    _page("🔒", "The Tavern is closed", reason, "Change the configuration, then reload this page.")
    with st.container(horizontal=True, horizontal_alignment="center"):
        if st.button("Try again"):
            st.rerun()


def show_unreachable(services: Services) -> None:
    """Say why there is nothing to show, and go on by itself when there is."""
    error = health.problem(services.clients)
    reason = "Tavern can't reach its database at the moment."
    if error is not None and not isinstance(error, Unreachable):
        reason = str(error)
    hint = "This page opens by itself as soon as it can. If it stays so, check SUPABASE_URL and SUPABASE_KEY."
    _page("🕯️", "Nobody answers the door", reason, hint)
    _try_again(services.engine)


@st.fragment(run_every=2, key="try_again")
def _try_again(engine: Engine) -> None:
    if engine.wait_loaded(0):
        st.rerun()


def _page(glyph: str, title: str, reason: str, hint: str) -> None:
    st.html(
        f'<div class="tv-trouble"><span class="glyph" aria-hidden="true">{glyph}</span>'
        f"<h1>{as_html(title)}</h1><p>{as_html(reason)}</p><p class='tv-lead'>{as_html(hint)}</p></div>"
    )
