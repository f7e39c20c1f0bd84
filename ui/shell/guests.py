"""Visitors who would like to write: they sign in first, and their text waits."""

from __future__ import annotations

from typing import Final

import streamlit as st

from ui.base import feedback, html
from ui.base.html import Template
from ui.base.navigation import Place, page
from ui.messages.chat import Guests
from ui.shell import destination
from ui.shell.account import sign_in_link

_INVITATION: Final = Template('<p class="tv-lead">Everybody can read here.</p>')()


def _invite() -> None:
    with st.container(key="invitation", horizontal=True, vertical_alignment="center"):
        html.show(_INVITATION)
        sign_in_link("Sign in to write")


def _sign_in() -> None:
    feedback.toast("Sign in to send it. Your text waits.", ":material/login:")
    st.switch_page(page(Place.SIGN_IN), query_params=destination.link_parameters())


GUESTS: Final = Guests(_invite, _sign_in)
"""What chats do with visitors."""
