"""The field in which one writes to others."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def _script() -> None:
    import streamlit as st

    from ui.messages import composer
    from ui.messages.composer import Composer

    @st.fragment
    def write() -> None:
        field = Composer("conversation:bo", "inbox_bo", "Write to Bo…", 20)
        composer.show(field, send, lambda: None)

    def send(body: str) -> bool:
        st.session_state["sent"] = [*st.session_state["sent"], body]
        return body != "not now"

    write()


def _written(text: str) -> tuple[list[str], list[str], list[object]]:
    """Write a text; return what was sent, what is explained, and which drafts are dropped."""
    app = AppTest.from_function(_script, default_timeout=120)
    app.session_state["sent"] = app.session_state["drafts_forgotten"] = []
    app.run()
    app.chat_input[0].set_value(text).run()
    assert not app.exception
    state = app.session_state
    sent, dropped = state["sent"], state["drafts_forgotten"]
    return sent, [one.value for one in app.warning], [one["place"] for one in dropped]


def test_a_text_is_sent_without_the_spaces_around_it() -> None:
    assert _written("  Hello\nBo \n") == (["Hello\nBo"], [], ["conversation:bo"])


def test_spaces_alone_are_not_sent() -> None:
    assert _written(" \t\n") == ([], [], [])


def test_what_is_too_long_is_explained_and_stays() -> None:
    sent, [explanation], dropped = _written("a" * 21)
    assert (sent, dropped) == ([], [])
    assert explanation.startswith("A message has up to 20 characters, and this has 21.")


def test_what_is_not_taken_stays_a_draft() -> None:
    assert _written("not now") == (["not now"], [], [])
