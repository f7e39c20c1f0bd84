"""Live fragments on a real Streamlit runtime: when they rerun, and what they show."""

import pytest

from livetables import fragments
from livetables.engine import Engine
from tests.livetables.streamlit_server import Server
from tests.livetables.things import record
from tests.support.wait import wait_for


def test_only_fragments_that_show_the_table_rerun(server: Server, engine: Engine) -> None:
    tab = server.tab()
    seen = len(tab.texts)
    engine.apply_written("others", record("1", "new"))
    wait_for(lambda: {"others: new", "both right: /new"} <= set(tab.texts), what="the change")
    tab.wait_idle()
    assert {text.split(":")[0] for text in tab.texts[seen:]} == {"others", "both left", "both right"}


def test_without_the_private_runtime_fragments_rerun_at_an_interval(
    server: Server, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fragments, "supported", lambda: False)
    tab = server.tab()
    reruns = [message.auto_rerun for message in tab.messages if message.HasField("auto_rerun")]
    assert {one.interval for one in reruns} == {fragments.FALLBACK_EVERY}
    assert tab.fragment_of("things:") in {one.fragment_id for one in reruns}


def test_a_fragments_key_is_the_name_of_its_function_by_default(server: Server, engine: Engine) -> None:
    """The ids of fragments come from their keys, so they are the same in every session."""
    one, other = server.tab(), server.tab()
    for text in ("things:", "others:", "status:"):
        assert one.fragment_of(text) == other.fragment_of(text)
