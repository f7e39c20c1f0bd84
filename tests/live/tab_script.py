"""The script of the tabs in the tests."""

import streamlit as st

from live.fragments import STATUS, live_fragment
from live.sessions import bind_session, choose, is_loading, look_at
from tests.live import stage


def words(table: str) -> str:
    """Return the texts of a table's rows, in order."""
    return ",".join(sorted(thing.text for thing in st.session_state[table]))


bind_session(stage.engine, stage.user)
look_at(stage.page)
st.text(f"page: {words('things')}")


@live_fragment(tables=["things"], varies_by=["time_zone"])
def things() -> None:
    """Show the things, with a field to type into."""
    draft = st.text_input("Draft", key="draft")
    if stage.page == "first":
        choose("things", stage.filters)
    st.text("loading" if is_loading("things") else f"things: {words('things')}")
    st.text(f"draft: {draft}")
    st.text(f"zone: {st.context.timezone} {st.query_params.to_dict()}")


@live_fragment(tables=["others", "things"])
def both(place: str) -> None:
    """Show both tables, in two places."""
    st.text(f"both {place}: {words('things')}/{words('others')}")


@live_fragment(tables=["others"])
def others() -> None:
    """Show the others."""
    st.text(f"others: {words('others')}")


@live_fragment(tables=["secrets"])
def secrets() -> None:
    """Show what is private."""
    st.text(f"secrets: {words('secrets') if 'secrets' in st.session_state else 'none'}")


@live_fragment(tables=[STATUS])
def status() -> None:
    """Show the connection."""
    st.text(f"status: {stage.engine.status().state}")


things()
both("left")
both("right")
others()
secrets()
status()
if not stage.gate.is_set():
    st.text("waiting")
    stage.gate.wait(30)
    st.text("through")
