"""Feedback on what a person did: under way, failed or done; in place, or as a toast."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from db.errors import DatabaseError
from ui.base.html import EMPTY, Markup, Template, show
from ui.base.text import as_label

_SAVING = Template('<span class="tv-saving" role="status">{text}</span>')
_PROBLEM = Template('<p class="tv-problem" role="alert">{text}</p>')


def saving_html(pending: bool, text: str = "Saving…") -> Markup:
    """Mark what the database has not confirmed yet, for eyes and screen readers; empty when it has."""
    return _SAVING(text=text) if pending else EMPTY


def show_problem(text: str | None) -> None:
    """Show what is wrong with a field's value. Call it where the field is; nothing for None."""
    if text:
        show(_PROBLEM(text=text))


def show_problems(problems: Mapping[str, str], places: Mapping[str, DeltaGenerator]) -> None:
    """Show each problem in the place of its field."""
    for field, place in places.items():
        with place:
            show_problem(problems.get(field))


def show_error(error: DatabaseError | None) -> None:
    """Show an error in place; nothing for None."""
    if error is not None:
        st.error(as_label(str(error)), icon=":material/error:")


def toast_error(error: DatabaseError) -> None:
    """Show the error of something that has no place of its own on the page."""
    st.toast(as_label(str(error)), icon=":material/error:", duration="long")


def toast(text: str, icon: str = ":material/check:", *, until_closed: bool = False) -> None:
    """Show a toast for a few seconds, or until somebody closes it. `text` is plain text, not Markdown."""
    st.toast(as_label(text), icon=icon, duration="infinite" if until_closed else "short")


def warn_removed(what: str) -> None:
    """Warn that the row a person is editing is gone, and that their text is not."""
    st.warning(f"Somebody has removed this {what}. Your text stays here to copy.", icon=":material/delete:")
