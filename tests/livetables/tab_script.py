"""The script that the tabs of the tests run."""

import streamlit as st

from livetables.fragments import STATUS, Part, live_fragment
from livetables.running_session import bind_session, choose, is_loading, look_at
from tests.livetables import stage


def texts(table: str) -> str:
    """Return the texts of a table's rows, sorted."""
    return ",".join(sorted(thing.text for thing in st.session_state[table]))


bind_session(stage.engine, stage.user)
look_at(stage.page)
st.text(f"page: {texts('things')}")


@live_fragment(tables=["things"], varies_by=["time_zone"])
def things() -> None:
    """Show the things and a text input."""
    draft = st.text_input("Draft", key="draft")
    if stage.page == "first":
        choose("things", stage.filters)
    st.text("loading" if is_loading("things") else f"things: {texts('things')}")
    st.text(f"draft: {draft}")
    st.text(f"zone: {st.context.timezone} {st.query_params.to_dict()}")


@live_fragment(tables=["others", "things"])
def both(place: str) -> None:
    """Show both tables. This fragment is on the page twice."""
    st.text(f"both {place}: {texts('things')}/{texts('others')}")


@live_fragment(tables=["others"])
def others() -> None:
    """Show the other table."""
    st.text(f"others: {texts('others')}")


@live_fragment(tables=[Part("others", lambda others, _user: len(others) // 2)])
def pairs() -> None:
    """Show how many pairs of rows the other table has."""
    st.text(f"pairs: {len(st.session_state['others']) // 2}")


@live_fragment(tables=["secrets"])
def secrets() -> None:
    """Show the private table."""
    st.text(f"secrets: {texts('secrets') if 'secrets' in st.session_state else 'none'}")


@live_fragment(tables=["drafts"])
def drafts() -> None:
    """Show what Ada has written and nobody has confirmed."""
    stage.inside()
    drafts_of_ada = [stage.pending["ada"]] if "ada" in stage.pending else []
    st.text(f"drafts of Ada: {drafts_of_ada}")


@live_fragment(tables=[STATUS])
def status() -> None:
    """Show the connection."""
    st.text(f"status: {stage.engine.status().state}")


things()
both("left")
both("right")
others()
pairs()
secrets()
drafts()
status()
if not stage.gate.is_set():
    st.text("waiting")
    stage.gate.wait(30)
    st.text("through")
