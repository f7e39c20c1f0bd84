"""The parts of every page: style sheet, head with the status badge, hint in an empty place."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Final

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

from livetables.feed.status import FeedState, FeedStatus
from livetables.fragments import STATUS, live_fragment
from livetables.running_session import connection
from ui.base import session, times
from ui.base.html import Markup, Template, show
from ui.base.text import as_label, plural

_ICONS = {
    FeedState.CONNECTING: ":material/sync:",
    FeedState.LIVE: ":material/bolt:",
    FeedState.CATCHING_UP: ":material/sync:",
    FeedState.INCOMPLETE: ":material/build:",
    FeedState.POLLING: ":material/schedule:",
    FeedState.OFFLINE: ":material/cloud_off:",
}
_MEANING = {
    FeedState.CONNECTING: "Connecting to the database. The page fills in a moment.",
    FeedState.LIVE: "You see what others do as it happens.",
    FeedState.CATCHING_UP: "The connection is back. Tavern is reading what changed meanwhile.",
    FeedState.INCOMPLETE: "The database lacks what is named here, so changes may arrive late or never. "
    "Apply the migrations.",
    FeedState.POLLING: "The live connection is not available. Tavern polls for changes every second or two.",
    FeedState.OFFLINE: "Tavern cannot reach the database. This page may be old; what you write is kept.",
}

_SERVER_GONE = (
    "Tavern's server does not answer. What you see may be old, and what you do now is not kept. "
    "This page comes back by itself."
)

_HEAD = Template('<h1 class="tv-title">{title}</h1><p class="tv-lead">{lead}</p>')
_EMPTY = Template(
    '<div class="tv-empty"><span class="glyph" aria-hidden="true">{glyph}</span><b>{title}</b>{hint}</div>'
)


STYLE: Final = Path(__file__).parent / "style.css"
"""Tavern's style sheet."""


class _Page:
    """The HTML page that the server of this process sends."""

    has_style: bool = False


def style_comes_with_page() -> None:
    """Note that the server's page holds the style sheet, compressed and before anything is shown."""
    _Page.has_style = True


def apply_style() -> None:
    """Add Tavern's style sheet to the page, unless it came with it."""
    if not _Page.has_style:
        st.html(STYLE)  # noqa: TID251 - a file of the app, not text


@cache
def _server_watch() -> ComponentRenderer:
    script = (Path(__file__).parent / "server.js").read_text(encoding="utf-8")
    return st.components.v2.component("tavern_server", js=script, isolate_styles=False)


def page_head(title: str, lead: str) -> None:
    """Show the title of a page, its purpose, and the status badge."""
    live_head(lambda: show_title(title, lead))


def show_title(title: str, lead: Markup | str) -> None:
    """Show the title of a page and its purpose. Only `live_head` calls for it."""
    show(_HEAD(title=title, lead=lead))


@cache
def _tab_title() -> ComponentRenderer:
    script = (Path(__file__).parent / "tab_title.js").read_text(encoding="utf-8")
    return st.components.v2.component("tavern_tab_title", js=script)


def name_tab(name: str, page_title: str) -> None:
    """Show a name in the title of the browser's tab, in place of the page's own title."""
    _tab_title()(key="tavern_tab_title_watch", data={"name": name, "page": page_title})


def live_head(title: Callable[[], None]) -> None:
    """Show the head of a page whose title changes: `title` is a fragment that calls `show_title`."""
    _server_watch()(key="tavern_server", data={"text": _SERVER_GONE})
    with st.container(key="page_head", horizontal=True, vertical_alignment="center", wrap=False):
        with st.container(gap=None):
            title()
        _badge()


@live_fragment(tables=(STATUS,), varies_by=("user", "time_zone", "language"), key="status_badge")
def _badge() -> None:
    status = connection()
    css = status.state.value.lower().replace(" ", "-")
    with (
        st.container(key=f"status-{css}", width="content"),
        # Opening it reruns the fragment, so that its details are current.
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
    region = session.region()
    when = times.second_of_day(status.since, region, times.today_in(region.zone))
    lag = (
        "No change seen yet." if status.last_lag is None else f"The last change took {_lag(status.last_lag)}."
    )
    repaired = (
        f"{plural(status.repaired, 'change')} repaired." if status.repaired else "Nothing had to be repaired."
    )
    since = f"**{status.state.value}** since {when} ({times.ago(status.since, datetime.now(UTC))})"
    missing = map(missing_part, status.missing)
    return "\n\n".join((since, _MEANING[status.state], *missing, lag, repaired))


def missing_part(text: str) -> str:
    """Return what is missing as Markdown: a line of words, and below it the SQL that mends it."""
    words, *mend = (line.strip() for line in text.splitlines())
    return "\n\n".join((as_label(words) + ".", *(f"`` {line} ``" for line in mend)))


def _lag(lag: timedelta) -> str:
    milliseconds = max(0, round(lag.total_seconds() * 1000))
    return f"{milliseconds} ms" if milliseconds < 2000 else f"{milliseconds / 1000:.1f} s"


def empty(glyph: str, title: str, hint: str) -> None:
    """Show that there is nothing here yet, and what to do about it."""
    show(_EMPTY(glyph=glyph, title=title, hint=hint))
