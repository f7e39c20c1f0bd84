"""How a program of one's own tells what it routes."""

from __future__ import annotations

import streamlit as st

from ui import session

_SNIPPET = """\
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
        request_id=request_id,  # told twice, it counts once
    )
"""


def show() -> None:
    """Show the lines to copy, with this project's address and this person's id."""
    settings = session.services().clients.settings
    st.markdown(
        "Track decisions from any program. Nothing waits for the database, and nothing is told twice:"
    )
    st.code(
        _SNIPPET.format(url=settings.url, key=settings.key, user_id=session.my_id() or ""), language="python"
    )
    st.caption("`SyncMetricsCollector` does the same without an event loop. docs/boards.md tells the rest.")
