"""The page that people see when Tavern cannot start: it says what is wrong, and never shows a traceback."""

from __future__ import annotations

import streamlit as st

from db import health
from db.errors import UnreachableError
from livetables.engine import Engine
from ui.base.html import Template, show
from ui.base.session import Services

_PAGE = Template(
    '<div class="tv-trouble"><span class="glyph" aria-hidden="true">{glyph}</span>'
    '<h1>{title}</h1><p>{reason}</p><p class="tv-lead">{hint}</p></div>'
)


def show_closed(reason: str) -> None:
    """Show what is wrong with the configuration."""
    hint = "Change the configuration, then reload this page."
    show(_PAGE(glyph="🔒", title="The Tavern is closed", reason=reason, hint=hint))
    with st.container(horizontal=True, horizontal_alignment="center"):
        if st.button("Try again"):
            st.rerun()


def show_unreachable(services: Services) -> None:
    """Show why the tables are not loaded; the app reruns as soon as they are."""
    error = health.problem(services.clients)
    reason = "Tavern can't reach its database at the moment."
    if error is not None and not isinstance(error, UnreachableError):
        reason = str(error)
    hint = (
        "This page reloads itself as soon as the database answers. "
        "If it does not, check SUPABASE_URL and SUPABASE_KEY."
    )
    show(_PAGE(glyph="🕯️", title="Nobody answers the door", reason=reason, hint=hint))
    _rerun_when_loaded(services.engine)


@st.fragment(run_every=2, key="rerun_when_loaded")
def _rerun_when_loaded(engine: Engine) -> None:
    if engine.wait_loaded(0):
        st.rerun()
