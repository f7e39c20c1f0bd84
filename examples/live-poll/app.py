"""A poll: every tab shows each vote as it is counted."""

import streamlit as st

import livetables as live

st.set_page_config(page_title="Lunch", page_icon="🗳️")
st.title("What is for lunch?")

db = live.connect("supabase")
db.watch("choices", order="id")
live.begin()


def vote(choice: int) -> None:
    """Count one vote of this tab. The database adds, so votes at the same moment all count."""
    db.call("vote", choice=choice)
    st.session_state.voted = choice


@live.fragment("choices", shared=True)
def result(choices: list[live.Row]) -> None:
    """Show how many votes each choice has. It holds no widget, so one tab renders it for all."""
    total = sum(choice["votes"] for choice in choices)
    for choice in choices:
        st.progress(choice["votes"] / max(total, 1), f"{choice['title']}: {choice['votes']}")
    st.caption(f"{total} votes")


if "voted" not in st.session_state:
    with st.container(horizontal=True):
        for choice in live.rows("choices"):
            st.button(choice["title"], on_click=vote, args=(choice["id"],))
else:
    st.success("Your vote is counted.")
result()
live.badge()
