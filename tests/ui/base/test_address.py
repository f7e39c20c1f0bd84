"""The address of a page: what a browser that lags behind still shows takes nobody back."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from livetables import rerun
from ui.base.address import Parameter


def test_what_the_server_has_replaced_is_old() -> None:
    parameter = Parameter((None,)).write("bela").write("cora")
    for value in (None, "bela", "cora", None):
        parameter = parameter.hear(value, navigated=False)
        assert parameter.value == "cora"


def test_going_back_counts_and_so_does_what_is_written_afterwards() -> None:
    parameter = Parameter((None,)).write("bela").write("cora").hear("bela", navigated=True)
    assert parameter.value == "bela"
    assert parameter.write("dora").hear("bela", navigated=False).value == "dora"


def test_a_link_to_what_was_not_written_here_counts() -> None:
    parameter = Parameter((None,)).write("bela").hear("dora", navigated=False)
    assert parameter.value == "dora"
    assert parameter.hear(None, navigated=False).value is None


def test_writing_what_holds_changes_nothing_and_only_some_values_are_kept() -> None:
    parameter = Parameter(("bela",))
    assert parameter.write("bela") is parameter
    for number in range(100):
        parameter = parameter.write(str(number))
    assert len(parameter.values) < 50
    assert parameter.value == "99"


def _script() -> None:
    import streamlit as st

    from ui.base import address

    step = st.session_state.get("step")
    if step == "choose":
        address.write("with", "bela")
    elif step == "replace":
        address.replace({"run": "7"})
    st.text(f"{address.arrived('run')} {address.read('with')} {address.read('run')}")


def _step(app: AppTest, step: str | None, **parameters: str) -> tuple[str, dict[str, object]]:
    """Send a message that shows these parameters; return what the page read, and the address afterwards."""
    app.session_state["step"] = step
    app.query_params.clear()
    for name, value in parameters.items():
        app.query_params[name] = value
    app.run()
    return app.text[0].value, dict(app.query_params)


def test_a_page_keeps_to_its_own_address_until_the_person_goes_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = AppTest.from_function(_script, default_timeout=120)
    assert _step(app, None) == ("True None None", {})
    assert _step(app, "choose") == ("False bela None", {"with": "bela"})
    assert _step(app, None) == ("False bela None", {"with": "bela"})
    assert _step(app, "replace", **{"with": "bela"}) == ("False None 7", {"run": "7"})
    assert _step(app, None, **{"with": "bela"}) == ("False None 7", {"run": "7"})
    monkeypatch.setattr("ui.base.address.is_history_navigation", lambda: True)
    assert _step(app, None, **{"with": "bela"}) == ("False bela None", {"with": "bela"})


def test_outside_of_a_script_nobody_has_gone_back() -> None:
    assert not rerun.is_history_navigation()
