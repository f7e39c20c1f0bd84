"""The code that makes a program publish its routing decisions, to copy."""

from __future__ import annotations

from typing import Final

import streamlit as st

from ui.base import session

_CODE: Final = """\
from publish import AsyncMetricsCollector, RoutingDecision
from supabase import create_client

URL = "{url}"
KEY = "{key}"
me = create_client(URL, KEY)
me.auth.sign_in_with_password({{"email": "you@example.com", "password": "..."}})

async with AsyncMetricsCollector(
    URL, KEY, token=lambda: me.auth.get_session().access_token, user_id="{user_id}"
) as collector:
    await collector.track_decision(
        prompt=prompt,  # only its fingerprint and its length are sent
        decision=RoutingDecision(
            "gemini", "gemini-2.5-flash", route="chat",
            input_tokens=812, output_tokens=96, cost="0.00048", latency_ms=640,
        ),
        auto_route=True,
        request_id=request_id,  # sent twice, it counts once
    )
"""


def show() -> None:
    """Show the code, with this project's address and this person's id."""
    settings = session.services().clients.settings
    st.markdown(
        "Track decisions from any program. It never waits for the database, and no decision counts twice:"
    )
    st.code(
        _CODE.format(url=settings.url, key=settings.key, user_id=session.my_id() or ""), language="python"
    )
    st.caption("`SyncMetricsCollector` does the same without an event loop; docs/boards.md has the details.")
