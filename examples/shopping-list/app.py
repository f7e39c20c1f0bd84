"""A shopping list that a household shares: every tab shows every change as it is made."""

import streamlit as st

import livetables as live

st.set_page_config(page_title="Shopping list", page_icon="🛒")
st.title("Shopping list")

db = live.connect("supabase")
db.watch("items", order=("done", "title"))
live.begin()


def add() -> None:
    """Add what was typed."""
    if title := st.session_state.new.strip():
        db.insert("items", title=title)
    st.session_state.new = ""


@live.fragment("items")
def shopping(items: list[live.Row]) -> None:
    """Show the list, with a box to tick for each item."""
    if not items:
        st.caption("Nothing to buy. Write what is missing below.")
    for item in items:
        version = f"{item['id']}-{item['version']}"  # a new box whenever somebody has changed the item
        key = ("items", item["id"])
        with st.container(horizontal=True, vertical_alignment="center"):
            st.checkbox(item["title"], item["done"], key=version, width="stretch",
                        on_change=db.update, args=key, kwargs={"done": not item["done"]})  # fmt: skip
            st.button("Remove", key=f"remove-{version}", type="tertiary", on_click=db.delete, args=key)


shopping()
st.text_input("Add an item", key="new", on_change=add, max_chars=100)
live.badge()
