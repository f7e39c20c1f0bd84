"""The contract with Streamlit's private runtime, checked against the installed version."""

import inspect
import threading

import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime import Runtime
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.fragment import MemoryFragmentStorage
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.pages_manager import PagesManager
from streamlit.runtime.scriptrunner import RerunData, ScriptRunContext, add_script_run_ctx
from streamlit.runtime.scriptrunner_utils.script_requests import ScriptRequests
from streamlit.runtime.state import SafeSessionState, SessionState

from livetables import rerun
from livetables.rerun_scheduler import RerunResult
from tests.livetables.streamlit_server import Server


def test_the_installed_streamlit_has_every_private_name() -> None:
    assert rerun.missing_names() == []
    assert rerun.supported()


def test_private_methods_have_the_expected_parameters() -> None:
    assert list(inspect.signature(AppSession._create_scriptrunner).parameters) == [
        "self",
        "initial_rerun_data",
    ]
    assert list(inspect.signature(AppSession.has_fragment).parameters) == ["self", "fragment_id"]


def test_a_session_without_a_browser_is_gone(server: Server) -> None:
    assert server.call(lambda: rerun.rerun_fragments("nobody", ["fragment"])) is RerunResult.GONE
    assert not rerun.is_connected("nobody")


def test_outside_of_a_script_there_is_no_session() -> None:
    assert rerun.current_session() is None
    assert rerun.current_fragment() is None
    assert rerun.session_loop() is None


def test_fragments_that_a_session_does_not_show_do_not_rerun(server: Server, engine: object) -> None:
    tab = server.tab()
    assert server.call(lambda: rerun.rerun_fragments(tab.session_id, ["unknown"])) is RerunResult.NOTHING
    assert server.call(lambda: rerun.is_idle(tab.session_id))


def test_a_session_whose_script_is_running_is_busy(server: Server, engine: object) -> None:
    tab = server.tab()
    fragment = tab.fragment_of("things:")

    def twice() -> list[RerunResult]:
        return [rerun.rerun_fragments(tab.session_id, [fragment]) for _ in range(2)]

    assert server.call(twice) == [RerunResult.STARTED, RerunResult.BUSY]
    tab.wait_idle()


def test_a_session_with_unsent_messages_is_busy(server: Server, engine: object) -> None:
    """A fragment run drops the fragment's queued messages, on which later elements may build."""
    tab = server.tab()
    fragment = tab.fragment_of("things:")
    session = Runtime.instance().get_app_session(tab.session_id)
    assert session is not None

    def rerun_with_unsent_messages() -> RerunResult:
        session._browser_queue.enqueue(ForwardMsg())
        try:
            return rerun.rerun_fragments(tab.session_id, [fragment])
        finally:
            session._browser_queue.flush()

    assert server.call(rerun_with_unsent_messages) is RerunResult.BUSY


def test_a_script_thread_that_does_not_start_leaves_the_session_usable(
    server: Server, engine: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine may be out of threads for a moment. The session must take the next request."""
    tab = server.tab()
    fragment = tab.fragment_of("things:")
    start = threading.Thread.start

    def out_of_threads(thread: threading.Thread) -> None:
        if thread.name == "ScriptRunner.scriptThread":
            raise RuntimeError("can't start new thread")
        start(thread)

    def rerun_without_threads() -> None:
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", out_of_threads)
            with pytest.raises(RuntimeError, match="can't start new thread"):
                rerun.rerun_fragments(tab.session_id, [fragment])

    server.call(rerun_without_threads)
    assert server.call(lambda: rerun.is_idle(tab.session_id))
    assert server.call(lambda: rerun.rerun_fragments(tab.session_id, [fragment])) is RerunResult.STARTED
    tab.wait_idle()


def test_nothing_is_sent_to_a_fragment_that_a_session_does_not_show(server: Server, engine: object) -> None:
    """Its elements would stand in blocks that the page no longer has."""
    tab = server.tab()
    shown = tab.fragment_of("things:")

    def sent(*fragments: str) -> RerunResult:
        return server.call(lambda: rerun.push_elements(tab.session_id, fragments, [], {}))

    assert sent(shown) is RerunResult.STARTED
    assert sent(shown, "unknown") is RerunResult.NOTHING


def test_a_request_for_another_run_waits_for_an_uninterrupted_block() -> None:
    requests = ScriptRequests()
    context = ScriptRunContext(
        session_id="session",
        _enqueue=lambda _message: None,
        query_string="",
        session_state=SafeSessionState(SessionState(), lambda: None),
        uploaded_file_mgr=MemoryUploadedFileManager(""),
        main_script_path="",
        user_info={},
        fragment_storage=MemoryFragmentStorage(),
        pages_manager=PagesManager(""),
        script_requests=requests,
    )
    found: list[object] = []

    def run() -> None:
        requests.request_rerun(RerunData())
        with rerun.uninterrupted(), rerun.uninterrupted():
            found.append(requests.on_scriptrunner_yield())
        found.append(requests.on_scriptrunner_yield())

    thread = threading.Thread(target=run)
    add_script_run_ctx(thread, context)
    thread.start()
    thread.join(30)
    during, after = found
    assert during is None
    assert after is not None


def test_callbacks_are_protected_once(server: Server, engine: object) -> None:
    server.tab()
    protected = inspect.getattr_static(SessionState, "_call_callbacks")
    rerun.protect_callbacks()
    assert inspect.getattr_static(SessionState, "_call_callbacks") is protected
    assert not hasattr(inspect.unwrap(protected), "__wrapped__")
    assert protected is not inspect.unwrap(protected)


def test_a_report_right_after_a_change_of_pages_does_not_undo_it() -> None:
    rerun.protect_navigation()
    requests = ScriptRequests()
    requests.request_rerun(RerunData(page_script_hash="events", query_string="show=Week", page_name="events"))
    requests.request_rerun(RerunData(page_script_hash="tavern", query_string="", fragment_id="search"))
    request = requests.on_scriptrunner_ready()
    assert request is not None
    data = request.rerun_data
    assert (data.page_script_hash, data.query_string, data.page_name) == ("events", "show=Week", "events")
    assert data.fragment_id_queue == []


def test_the_newest_of_two_changes_of_pages_counts() -> None:
    rerun.protect_navigation()
    requests = ScriptRequests()
    for page in ("events", "people"):
        requests.request_rerun(RerunData(page_script_hash=page))
    request = requests.on_scriptrunner_ready()
    assert request is not None
    assert request.rerun_data.page_script_hash == "people"


def test_navigation_is_protected_once() -> None:
    rerun.protect_navigation()
    protected = inspect.getattr_static(ScriptRequests, "_request_rerun_locked")
    rerun.protect_navigation()
    assert inspect.getattr_static(ScriptRequests, "_request_rerun_locked") is protected
