"""The script that the tabs of the tests run: an app whose tables are private."""

import streamlit as st

import livetables as live
from tests.livetables.library import stage

db = live.connect(url=stage.url, key=stage.key)
db.watch("notes")
me = live.sign_in(create_accounts=True)
live.begin(user=me)
st.button("Sign out", on_click=live.sign_out)


@live.fragment("notes")
def notes(rows: list[live.Row]) -> None:
    """Show the notes of whoever is signed in."""
    st.text(f"notes of {me.user_id if me else 'nobody'}: {','.join(row['body'] for row in rows)}")


notes()
