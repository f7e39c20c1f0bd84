"""Rerunning fragments by name."""

from streamlit.testing.v1 import AppTest


def _app() -> None:
    import streamlit as st

    from ui.base.fragments import rerun_only

    st.session_state["runs"] = st.session_state.get("runs", 0) + 1

    @st.fragment(key="part")
    def part() -> None:
        st.session_state["parts"] = st.session_state.get("parts", 0) + 1

    st.button("Part", on_click=rerun_only, args=("part",))
    st.button("Both", on_click=rerun_only, args=("part", "not here"))
    part()


def test_only_the_fragment_reruns() -> None:
    app = AppTest.from_function(_app, default_timeout=120).run()
    app.button[0].click().run()
    assert (app.session_state["runs"], app.session_state["parts"]) == (1, 2)


def test_without_the_fragment_the_page_reruns_and_nothing_is_wrong() -> None:
    app = AppTest.from_function(_app, default_timeout=120).run()
    app.button[1].click().run()
    assert (app.session_state["runs"], app.session_state["parts"]) == (2, 2)
    assert not app.exception
