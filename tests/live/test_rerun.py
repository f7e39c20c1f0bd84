"""The contract with Streamlit's private runtime."""

import inspect

from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime import Runtime
from streamlit.runtime.app_session import AppSession

from live import rerun
from live.rerun import Wake
from tests.live.streamlit_server import Server


def test_the_installed_streamlit_has_every_private_name() -> None:
    assert rerun.missing_names() == []
    assert rerun.supported()


def test_private_methods_take_what_they_are_given() -> None:
    assert list(inspect.signature(AppSession._create_scriptrunner).parameters) == [
        "self",
        "initial_rerun_data",
    ]
    assert list(inspect.signature(AppSession.has_fragment).parameters) == ["self", "fragment_id"]


def test_a_session_without_a_browser_is_gone(server: Server) -> None:
    assert server.call(lambda: rerun.wake("nobody", ["fragment"])) is Wake.GONE
    assert not rerun.connected("nobody")


def test_outside_of_a_session_there_is_none() -> None:
    assert rerun.current_session() is None
    assert rerun.current_fragment() is None
    assert rerun.session_loop() is None


def test_fragments_that_a_session_does_not_show_are_not_run(server: Server, engine: object) -> None:
    tab = server.tab()
    assert server.call(lambda: rerun.wake(tab.session_id, ["unknown"])) is Wake.NOTHING
    assert server.call(lambda: rerun.at_rest(tab.session_id))


def test_a_session_whose_script_runs_is_busy(server: Server, engine: object) -> None:
    tab = server.tab()
    fragment = tab.fragment_of("things:")

    def twice() -> list[Wake]:
        return [rerun.wake(tab.session_id, [fragment]) for _ in range(2)]

    assert server.call(twice) == [Wake.STARTED, Wake.BUSY]
    tab.wait_at_rest()


def test_a_session_with_messages_not_sent_yet_is_busy(server: Server, engine: object) -> None:
    """A fragment's run drops what is queued of it, and with it places that later elements count on."""
    tab = server.tab()
    fragment = tab.fragment_of("things:")
    session = Runtime.instance().get_app_session(tab.session_id)
    assert session is not None

    def unsent() -> Wake:
        session._browser_queue.enqueue(ForwardMsg())
        try:
            return rerun.wake(tab.session_id, [fragment])
        finally:
            session._browser_queue.flush()

    assert server.call(unsent) is Wake.BUSY
