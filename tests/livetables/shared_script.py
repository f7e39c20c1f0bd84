"""A script with shared fragments, for the tests of pushing."""

import streamlit as st

from livetables.fragments import live_fragment
from livetables.running_session import bind_session
from livetables.users import UserSession
from tests.livetables import stage

signed_in: UserSession | None = stage.users.get(st.query_params.get("user", ""))
bind_session(stage.engine, signed_in)
st.text_input("Draft", key="draft")
st.session_state["colour"] = st.query_params.get("colour", "red")


@live_fragment(tables=["things"], varies_by=["time_zone", "colour"], shared=True)
def things() -> None:
    """Show each thing in an element of its own."""
    stage.rendered.append("things")
    stage.inside()
    for thing in sorted(st.session_state["things"], key=lambda one: one.id):
        st.text(f"{thing.text} in {st.session_state['colour']}, {st.context.timezone}")
    if signed_in is not None and signed_in.user_id in stage.pending:
        st.text(f"pending: {stage.pending[signed_in.user_id]}")


@live_fragment(tables=["things"], shared=True)
def notices() -> None:
    """Show the things that are notices. At first there are none, so the fragment shows nothing."""
    for thing in st.session_state["things"]:
        if thing.text.startswith("notice"):
            st.text(f"noticed: {thing.text}")


@live_fragment(tables=["others"], shared=True)
def others() -> None:
    """Show a widget for each row, which cannot be shared."""
    stage.rendered.append("others")
    for other in sorted(st.session_state["others"], key=lambda one: one.id):
        st.checkbox(other.text, key=other.id)


@live_fragment(tables=["secrets"], shared=True)
def secrets() -> None:
    """Show private rows. The fragment does not say that it varies by the user."""
    stage.rendered.append("secrets")
    with st.container():
        for secret in st.session_state.get("secrets", ()):
            st.text(f"secret: {secret.text}")


@live_fragment(tables=["things"], shared=True)
def count(*, of: str) -> None:
    """Count the things that contain a text, which only the argument says."""
    st.text(f"{of}: {sum(of in thing.text for thing in st.session_state['things'])}")


if "wide" in st.query_params:
    st.text("Something above")
notices()
with st.container():
    things()
count(of=st.query_params.get("topic", "none"))
others()
secrets()
