"""After a flood: who has written how much in the last hour, and deleting what one person wrote."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, cast

import streamlit as st

from db import cleaning
from db.cleaning import TABLES, Selection, WriteCount
from db.errors import DatabaseError
from ui.base import feedback, html, session
from ui.base.export import csv_text
from ui.base.html import Markup, join
from ui.base.html_table import row_html, table_html
from ui.base.kept_reads import kept_reads
from ui.base.people import FindUser, by_name, finder, label_of, linked_name_html, name_of, option_of
from ui.base.text import plural
from ui.base.write_queue import Mode
from ui.writes.submit import fetch, submit

COLUMNS: Final = ("user_id", "name", "table", "written", "deleted", "last_at")
_COUNTS: Final = "cleaning_counts"
_SHOWN: Final = 30
_AGES: Final[dict[str, timedelta]] = {
    "of any age": timedelta(0),
    "older than an hour": timedelta(hours=1),
    "older than a day": timedelta(days=1),
    "older than 30 days": timedelta(days=30),
}


@st.fragment(key="activity_cleaning")
def show() -> None:
    """Show both to an admin. The database decides again."""
    if not session.is_admin():
        return
    with st.expander("After a flood: who writes how much, and deleting it", icon=":material/mop:"):
        _show_counts()
        st.divider()
        _choose()


def _show_counts() -> None:
    if st.button("Count the last hour", icon=":material/query_stats:"):
        kept_reads()[_COUNTS] = fetch(cleaning.writes_by_person)
    counts = cast("list[WriteCount] | DatabaseError | None", kept_reads().get(_COUNTS))
    if counts is None:
        return
    if isinstance(counts, DatabaseError):
        feedback.show_error(counts)
        return
    if not counts:
        st.caption("Nobody has written anything in the last hour.")
        return
    find = finder(session.users())
    html.show(counts_html(counts[:_SHOWN], find))
    if len(counts) > _SHOWN:
        st.caption(f"The file has {plural(len(counts) - _SHOWN, 'more line')}.")
    st.download_button(
        "Export CSV", as_csv(counts, find), "writes-of-the-last-hour.csv", "text/csv",
        icon=":material/download:", on_click="ignore",
    )  # fmt: skip


def counts_html(counts: Iterable[WriteCount], find: FindUser) -> Markup:
    """Show counts as a table."""
    lines = (
        row_html(linked_name_html(find(one.user_id)), one.table_name, f"{one.written:,}", f"{one.deleted:,}")
        for one in counts
    )
    return table_html("Writes of the last hour", ("Who", "Table", "Written", "Deleted"), [join(lines)])


def as_csv(counts: Sequence[WriteCount], find: FindUser) -> str:
    """Return counts as CSV with a header."""
    return csv_text(
        COLUMNS,
        (
            (
                one.user_id,
                name_of(find(one.user_id)),
                one.table_name,
                one.written,
                one.deleted,
                one.last_at.isoformat(),
            )
            for one in counts
        ),
    )


def _choose() -> None:
    people = {user.id: user for user in by_name(session.users())}
    left, middle, right = st.columns(3)
    person = left.selectbox(
        "Whose rows", list(people), index=None, format_func=lambda user_id: option_of(people.get(user_id)),
        placeholder="Choose a person", key="cleaning_person",
    )  # fmt: skip
    table = middle.selectbox(
        "Which", list(TABLES), format_func=lambda name: TABLES[name].capitalize(), key="cleaning_table"
    )
    age = right.selectbox("How old", list(_AGES), key="cleaning_age")
    if not st.button("Count them", icon=":material/delete_sweep:", disabled=person is None) or person is None:
        return
    selection = Selection(person, table, datetime.now(UTC) - _AGES[age])
    found = fetch(lambda me: cleaning.count(me, selection))
    if isinstance(found, DatabaseError):
        feedback.show_error(found)
    else:
        _confirm(selection, found, age)


@st.dialog("Delete these rows?")
def _confirm(selection: Selection, found: int, age: str) -> None:
    who = label_of(session.users().get((selection.user_id,)))
    st.markdown(f"**{found:,}** {TABLES[selection.table]} of **{who}**, {age}.")
    st.caption("They disappear for everybody. You cannot undo this. The activity says that you did it.")
    if st.button(f"Yes, delete {found:,}", type="primary", icon=":material/delete:", disabled=not found):
        submit(
            lambda me: cleaning.delete(me, selection),
            mode=Mode.CONCURRENT,
            success_message=f"{found:,} {TABLES[selection.table]} are deleted.",
        )
        st.rerun()
