"""The script that the tabs of the tests run: an app as its author writes it."""

import streamlit as st

import livetables as live
from tests.livetables.library import stage

db = live.connect(url=stage.url, key=stage.key)
db.watch("items", order="title")
db.watch("notes")
live.begin(user=stage.user)
st.text("full run")


def act() -> None:
    """Do what the test wants, in a widget's callback as people do."""
    stage.act(db)


@live.fragment("items")
def items(rows: list[live.Row], place: str) -> None:
    """Show the items, those in brackets that are not confirmed."""
    live.choose("items", stage.filters)
    unsaved = live.pending("items")
    st.text_input("Trigger", key="trigger", on_change=act)
    shown = (f"({row['title']})" if row["id"] in unsaved else row["title"] for row in rows)
    st.text(f"{place}: {','.join(shown)}")


@live.fragment("notes")
def notes(rows: list[live.Row]) -> None:
    """Show the notes of whoever is signed in."""
    st.text(
        f"notes of {stage.user.user_id if stage.user else 'nobody'}: {','.join(row['body'] for row in rows)}"
    )


items("items")
notes()
live.badge()
st.text(f"rows: {len(live.rows('items'))}")
