"""A tab has an owner: what they leave is theirs, and nobody else is shown it."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def _script() -> None:
    import streamlit as st

    from db.errors import GoneError
    from ui.base import tab
    from ui.base.write_queue import Write
    from ui.writes.saving import Saving

    form = Saving("form")
    match st.query_params.get("step"):
        case "write":
            tab.belong_to("ann")
            st.session_state[tab.IDENTIFIED] = True
            refused = Write(lambda _me: None)
            refused.refuse(GoneError())
            form.begin(refused)
        case "leave":
            tab.clear()
        case "ann" | "bo" as person:
            tab.belong_to(person)
    st.text_input("Search", key=tab.own_key("search"))
    st.text_input("Only on this page", key="typed")
    form.show()


def _tab_of_ann() -> AppTest:
    """Return a tab in which Ann typed into two fields, and was refused a write."""
    app = AppTest.from_function(_script, default_timeout=120)
    app.query_params["step"] = "write"
    app.run()
    [refusal] = app.error
    assert refusal.value.startswith("This is not there any more")
    app.text_input[0].input("about Ann")
    app.text_input[1].input("by Ann")
    app.query_params.clear()
    return app.run()


def _step(app: AppTest, step: str) -> list[str]:
    """Take a step; return the refusals and the texts that are shown then."""
    app.query_params["step"] = step
    app.run()
    return [*(error.value for error in app.error), *(str(field.value) for field in app.text_input)]


def test_another_person_is_shown_nothing_of_it() -> None:
    app = _tab_of_ann()
    assert _step(app, "bo") == ["", ""]
    assert app.session_state["tavern_identified"] is True


def test_the_owner_finds_it_again_after_being_away() -> None:
    assert _step(_tab_of_ann(), "ann")[1:] == ["about Ann", "by Ann"]


def test_whoever_leaves_takes_it_along() -> None:
    app = _tab_of_ann()
    assert _step(app, "leave") == ["", ""]
    assert _step(app, "ann") == ["", ""]
