"""Which conversation the inbox shows."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from tests.ui.samples import private, snapshot, user

ME, BO, CY, DEE = user("Me", id=""), user("Bo"), user("Cy"), user("Dee")
MESSAGES = [private("old", BO, ME), private("new", CY, ME, minutes=1)]
NEWER = [*MESSAGES, private("newest", BO, ME, minutes=2)]


def _script() -> None:
    import streamlit as st

    from ui.messages import conversation

    conversation.follow_address()
    st.text(conversation.chosen() or "nobody")
    conversation.head()


def _inbox() -> AppTest:
    app = AppTest.from_function(_script, default_timeout=120)
    app.session_state["users"] = snapshot([BO, CY, DEE])
    app.session_state["private_messages"] = snapshot(MESSAGES)
    return app


def _shown(app: AppTest, address: str | None = None) -> tuple[str, bool]:
    """Show the page at an address; return the conversation, and whether the address has opened it."""
    app.query_params.clear()
    if address is not None:
        app.query_params["with"] = address
    app.run()
    assert not app.exception
    return app.text[0].value, app.session_state["inbox_opened"]


def test_the_newest_one_is_shown_and_stays_whatever_arrives() -> None:
    app = _inbox()
    assert _shown(app) == (CY.id, False)
    app.session_state["private_messages"] = snapshot(NEWER)
    assert _shown(app) == (CY.id, False)


def test_an_address_opens_a_conversation_also_one_without_messages() -> None:
    app = _inbox()
    assert _shown(app, BO.id) == (BO.id, True)
    assert _shown(app, DEE.id) == (DEE.id, True)


def test_an_address_of_nobody_is_the_list() -> None:
    assert _shown(_inbox(), "0b0b0b0b-0000-4000-8000-000000000003") == (CY.id, False)


def test_somebody_who_has_left_can_still_be_read() -> None:
    app = _inbox()
    app.session_state["users"] = snapshot([CY])
    assert _shown(app, BO.id) == (BO.id, True)


def test_without_any_there_is_none() -> None:
    app = _inbox()
    app.session_state["private_messages"] = snapshot([])
    assert _shown(app) == ("nobody", False)
