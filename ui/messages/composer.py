"""The field in which one writes to others, in the common room and in private."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import streamlit as st

from ui.base import drafts
from ui.base.send_keys import send_keys
from ui.base.text import one_line

_TOO_LONG: Final = "composer_too_long"
"""What was written too long: the place and the text."""
_PUT_BACK: Final = "composer_text_to_put_back"


@dataclass(frozen=True, slots=True)
class Composer:
    """A field for messages.

    `place` is that of its draft, and `name` begins the keys of its widgets. Each conversation has its own, so
    that no text goes to others than it was written to. A message has up to `longest` characters.
    """

    place: str
    name: str
    placeholder: str
    longest: int


def show(composer: Composer, send: Callable[[str], bool], unsent: Callable[[], None]) -> None:
    """Show the field, and above it what could not be sent. Call it in a fragment of its own.

    `send` is called with a text without spaces around it. It returns whether the text was taken; otherwise
    the text stays the draft of its place.
    """
    draft = drafts.shown(composer.place, composer.name)
    with st.container(key="composer", gap=None):
        with st.container(key="unsent"):
            _explain(composer)
            unsent()
        if st.session_state.get(_PUT_BACK) == composer.place:
            del st.session_state[_PUT_BACK]
            st.session_state[draft.key] = st.session_state[_TOO_LONG][1]
        # In a container of its own: the browser would keep the last field beside this one until the run ends.
        # No `max_chars`: with it the browser silently drops a long text that is pasted.
        with st.container(key=f"field_{composer.name}"):
            st.chat_input(
                composer.placeholder, key=draft.key, on_submit=_submit, args=(composer, draft.key, send)
            )
        send_keys("composer")
    drafts.keep(composer.place, draft.key)


def _submit(composer: Composer, key: str, send: Callable[[str], bool]) -> None:
    # A callback, because the field may not be shown any more when its text arrives.
    body = str(st.session_state.get(key) or "").strip()
    st.session_state.pop(_TOO_LONG, None)
    if not one_line(body):
        return
    if len(body) > composer.longest:
        st.session_state[_TOO_LONG] = composer.place, body
        st.session_state[_PUT_BACK] = composer.place
    elif send(body):
        drafts.forget(composer.place, sent=body)


def _explain(composer: Composer) -> None:
    place, body = st.session_state.get(_TOO_LONG, ("", ""))
    if place == composer.place:
        st.warning(
            f"A message has up to {composer.longest:,} characters, and this has {len(body):,}. "
            "Please shorten it."
        )
