"""What people see when Tavern cannot open: a page that says what is wrong, never a traceback."""

from __future__ import annotations

import streamlit as st

from live.engine import Engine
from ui.text import as_html


def show_closed(reason: str) -> None:
    """Say that the configuration is wrong, and how."""
    _page("🔒", "The Tavern is closed", reason, "Change the configuration, then reload this page.")
    if st.button("Try again"):
        st.rerun()


def show_unreachable(engine: Engine) -> None:
    """Say that the database does not answer, and go on by itself when it does."""
    _page(
        "🕯️",
        "Nobody answers the door",
        "Tavern can't reach its database at the moment.",
        "This page opens by itself as soon as it can. If it stays so, check SUPABASE_URL and SUPABASE_KEY.",
    )
    _try_again(engine)


@st.fragment(run_every=2, key="try_again")
def _try_again(engine: Engine) -> None:
    if engine.wait_loaded(0):
        st.rerun()


def _page(glyph: str, title: str, reason: str, hint: str) -> None:
    st.html(
        f'<div class="tv-trouble"><span class="glyph" aria-hidden="true">{glyph}</span>'
        f"<h1>{as_html(title)}</h1><p>{as_html(reason)}</p><p class='tv-lead'>{as_html(hint)}</p></div>"
    )
