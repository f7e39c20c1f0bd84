"""What every page has: the style, the head with the badge, and how an empty place looks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import streamlit as st

from live.fragments import STATUS, live_fragment
from live.sessions import connection
from live.status import FeedState, FeedStatus
from ui import session, times
from ui.text import as_html, plural

_ICONS = {
    FeedState.CONNECTING: ":material/sync:",
    FeedState.LIVE: ":material/bolt:",
    FeedState.CATCHING_UP: ":material/sync:",
    FeedState.POLLING: ":material/schedule:",
    FeedState.OFFLINE: ":material/cloud_off:",
}
_MEANING = {
    FeedState.CONNECTING: "Connecting to the database. What is here appears in a moment.",
    FeedState.LIVE: "What others do appears here as it happens.",
    FeedState.CATCHING_UP: "The connection is back. What was missed meanwhile is being read.",
    FeedState.POLLING: "The live connection is not available. Changes are asked for every second or two.",
    FeedState.OFFLINE: "The database cannot be reached. What you see may be old; what you write is kept.",
}


def apply_style() -> None:
    """Add Tavern's style sheet to the page."""
    st.html(Path(__file__).parent / "style.css")


def page_head(title: str, lead: str) -> None:
    """Show the page's name, what it is for, and the badge."""
    with st.container(key="page_head", horizontal=True, vertical_alignment="center", wrap=False):
        with st.container(gap=None):
            st.html(f'<h1 class="tv-title">{as_html(title)}</h1><p class="tv-lead">{as_html(lead)}</p>')
        _badge()


@live_fragment(tables=(STATUS,), varies_by=("user", "time_zone"), key="status_badge")
def _badge() -> None:
    status = connection()
    css = status.state.value.lower().replace(" ", "-")
    with (
        st.container(key=f"status-{css}", width="content"),
        # Opening it runs the fragment, so that what it tells is of this moment.
        st.popover(
            status.state.value,
            icon=_ICONS[status.state],
            help="How this page is connected",
            key="status_details",
            on_change="rerun",
        ),
    ):
        st.markdown(_details(status))


def _details(status: FeedStatus) -> str:
    zone = session.zone()
    today = times.today_in(zone)
    begun = status.since.astimezone(zone)
    when = f"{begun:%H:%M:%S}" if begun.date() == today else times.short_day(begun, zone, today)
    seen = (
        "No change seen yet." if status.last_lag is None else f"The last change took {_lag(status.last_lag)}."
    )
    lost = (
        f"{plural(status.repaired, 'change')} repaired." if status.repaired else "Nothing had to be repaired."
    )
    since = f"**{status.state.value}** since {when} ({times.ago(status.since, datetime.now(UTC))})"
    return "\n\n".join((since, _MEANING[status.state], seen, lost))


def _lag(lag: timedelta) -> str:
    milliseconds = max(0, round(lag.total_seconds() * 1000))
    return f"{milliseconds} ms" if milliseconds < 2000 else f"{milliseconds / 1000:.1f} s"


def empty(glyph: str, title: str, hint: str) -> None:
    """Say that there is nothing here yet, and what to do about it."""
    st.html(
        f'<div class="tv-empty"><span class="glyph" aria-hidden="true">{as_html(glyph)}</span>'
        f"<b>{as_html(title)}</b>{as_html(hint)}</div>"
    )
