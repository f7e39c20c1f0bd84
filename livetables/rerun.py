# ruff: noqa: SLF001 - this is the one module that may touch Streamlit's private runtime
"""Rerunning fragments of other sessions and pushing elements to them, through private parts of Streamlit.

Streamlit has no public way to do this. We use these names as of 1.67.0: `AppSession._scriptrunner`,
`_create_scriptrunner`, `_client_state`, `_browser_queue`, `_enqueue_forward_msg`, `_session_state` and
`_event_loop` (runtime/app_session.py), `SessionState._new_session_state` and `_call_callbacks`
(runtime/state), `RerunData`, `ScriptRequests` with `_request_rerun_locked`, `_state` and `_rerun_data`,
`ThreadState` and `ScriptRunContext.enqueue` (runtime/scriptrunner_utils). A contract test checks them against
the installed version. If a name is missing, `supported()` is False and fragments fall back to `run_every`.

Two rules keep a remote change from disturbing the person in front of the tab:

- `widget_states=None`: the session keeps its widget values, so half-typed text survives. An empty message
  would reset every widget.
- A session whose script is running is left alone (`RerunResult.BUSY`) and asked again once it is idle. A
  request passed to the running script would be merged with the person's own actions, and would give them an
  older URL and page.

Pushing sends a session the messages that another session's run of the same fragment made. The browser applies
a message with a `delta` at once, also when no run surrounds it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from functools import cache, wraps
from typing import Any, Final, NoReturn, cast

import streamlit as st
from streamlit import runtime
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.scriptrunner import RerunData, get_script_run_ctx
from streamlit.runtime.scriptrunner_utils import script_run_context as _contexts
from streamlit.runtime.scriptrunner_utils.script_requests import ScriptRequests
from streamlit.runtime.state import SessionState

from livetables.counts import COUNTS
from livetables.rendering import Element, Rendering
from livetables.rerun_scheduler import RerunResult

_SESSION_NAMES: Final = (
    "_scriptrunner",
    "_client_state",
    "_event_loop",
    "_browser_queue",
    "_session_state",
)
_SESSION_METHODS: Final = ("_create_scriptrunner", "_enqueue_forward_msg", "has_fragment")
_CALL_CALLBACKS: Final = "_call_callbacks"
_REQUEST: Final = "_request_rerun_locked"
_PAGE_NAMES: Final = ("page_script_hash", "page_name", "query_string")
_YIELD: Final = "on_scriptrunner_yield"
"""The method by which a running script learns that it has to end."""

_SHARABLE_ELEMENTS: Final = frozenset(
    {
        "alert",
        "code",
        "empty",
        "heading",
        "html",
        "json",
        "link_button",
        "markdown",
        "metric",
        "page_link",
        "progress",
        "table",
        "text",
    }
)
"""The elements without a widget and without a file that belongs to one session."""

_SHARABLE_BLOCKS: Final = frozenset({"vertical", "horizontal", "column", "flex_container", "grid_container"})
_RERUN_NAMES: Final = {
    *_PAGE_NAMES,
    "fragment_id",
    "fragment_id_queue",
    "is_auto_rerun",
    "widget_states",
    "context_info",
}
_CLIENT_NAMES: Final = ("query_string", "page_script_hash", "context_info")


def current_session() -> str | None:
    """Return the id of the session whose script is running on this thread, None outside of a script."""
    context = get_script_run_ctx(suppress_warning=True)
    return None if context is None else context.session_id


def current_fragment() -> str | None:
    """Return the id of the fragment that is running on this thread, None outside of a fragment."""
    try:
        return _contexts.ThreadState.get().fragment_id
    except (AttributeError, RuntimeError):  # another version of Streamlit, or no script on this thread
        return None


def is_history_navigation() -> bool:
    """Return whether the running script was asked for by going back or forward in the browser."""
    context = get_script_run_ctx(suppress_warning=True)
    return bool(getattr(context, "is_history_navigation", False))


def stop() -> NoReturn:
    """End the running script, as `st.stop` does."""
    st.stop()


def give_way() -> None:
    """End the running script here if the person has asked for another run, as showing an element does.

    Call it while a script waits for something. It does nothing in a callback, whose work belongs to no run.
    """
    context = get_script_run_ctx(suppress_warning=True)
    location = getattr(_contexts.ThreadState.get(), "run_location", None) if context is not None else None
    check = getattr(context, "yield_check", None)
    if callable(check) and location is not None and location.name != "CALLBACK":
        check()


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Run the block to its end, also if the person asks for another run meanwhile. It begins right after.

    Otherwise Streamlit ends the running script at the next element, and whenever `st.session_state` is read.
    """
    context = get_script_run_ctx(suppress_warning=True)
    own = vars(context.script_requests) if context is not None and context.script_requests else None
    if own is None or _YIELD in own:
        yield
        return
    own[_YIELD] = lambda: None
    try:
        yield
    finally:
        del own[_YIELD]


def protect_callbacks() -> None:
    """Let no request for another run interrupt a widget's callback, in all sessions of this process.

    Whoever sends a message and opens another page in the same moment has sent it.
    """
    call = getattr(SessionState, _CALL_CALLBACKS, None)
    if call is None or hasattr(call, "__wrapped__") or not hasattr(ScriptRequests, _YIELD):
        return

    @wraps(call)
    def call_uninterrupted(*args: Any, **options: Any) -> None:
        with uninterrupted():
            call(*args, **options)

    setattr(SessionState, _CALL_CALLBACKS, call_uninterrupted)


def protect_navigation() -> None:
    """Let no report of a fragment's widget undo a change of pages, in all sessions of this process.

    Streamlit merges requests that wait, and gives them the page of the newest one. A report that follows a
    change of pages at once still names the page before.
    """
    request = getattr(ScriptRequests, _REQUEST, None)
    if request is None or hasattr(request, "__wrapped__"):
        return

    @wraps(request)
    def request_for_the_newest_page(requests: ScriptRequests, data: RerunData) -> bool:
        waits = getattr(requests, "_rerun_data", None) if _is_waiting(requests) else None
        if waits is not None and _is_of_fragment(data) and not _is_of_fragment(waits):
            names = {name: getattr(waits, name) for name in _PAGE_NAMES}
            data = replace(data, **names)
        return cast("bool", request(requests, data))

    setattr(ScriptRequests, _REQUEST, request_for_the_newest_page)


def _is_waiting(requests: ScriptRequests) -> bool:
    return getattr(getattr(requests, "_state", None), "name", "") == "RERUN"


def _is_of_fragment(data: RerunData) -> bool:
    return bool(data.fragment_id or data.fragment_id_queue)


def session_state() -> MutableMapping[str, Any]:
    """Return the running session's `st.session_state`."""
    return cast("MutableMapping[str, Any]", st.session_state)


def session_loop() -> asyncio.AbstractEventLoop | None:
    """Return the event loop that all sessions belong to, None outside of a running Streamlit server."""
    if current_session() is None or not runtime.exists():
        return None
    # The session does not tell: a script may outlive its connection, and Streamlit finds only connected ones.
    return cast("asyncio.Future[None]", runtime.get_instance().stopped).get_loop()


def is_connected(session_id: str) -> bool:
    """Return whether a browser is connected to the session. May be called on any thread."""
    return runtime.exists() and runtime.get_instance().is_active_session(session_id)


def is_idle(session_id: str) -> bool:
    """Return whether no script of the session is running. Call it on the sessions' loop.

    The script of a closed tab runs on until it shows its next element. It counts while the tab may come back.
    """
    if not runtime.exists():
        return True
    kept = runtime.get_instance()._session_mgr.get_session_info(session_id)
    return kept is None or kept.session._scriptrunner is None


def has_fragment(session_id: str, fragment: str) -> bool:
    """Return whether the session still shows the fragment with this id. May be called on any thread."""
    session = _session(session_id)
    return session is not None and session.has_fragment(fragment)


def rerun_fragments(session_id: str, fragments: Sequence[str]) -> RerunResult:
    """Rerun the session's fragments with these ids in one run. Call it on the sessions' loop."""
    session = _session(session_id)
    if session is None:
        return RerunResult.GONE
    # A fragment run first drops the queued messages of its fragments. If a full run is still queued for the
    # browser, that would remove elements on which later ones build ("Bad delta path"), and break the page.
    if session._scriptrunner is not None or not session._browser_queue.is_empty():
        return RerunResult.BUSY
    ids = [fragment for fragment in fragments if session.has_fragment(fragment)]
    if not ids:
        return RerunResult.NOTHING
    client = session._client_state
    request = RerunData(
        query_string=client.query_string,
        page_script_hash=client.page_script_hash,
        fragment_id_queue=ids,
        is_auto_rerun=True,
        widget_states=None,
        # Without it this run and all later ones would have no time zone.
        context_info=client.context_info if client.HasField("context_info") else None,
    )
    session._create_scriptrunner(request)
    COUNTS.rerun()
    return RerunResult.STARTED


@contextmanager
def captured() -> Iterator[Captured]:
    """Capture the elements that the running fragment shows in the block."""
    context, seen = get_script_run_ctx(suppress_warning=True), Captured()
    if context is None:
        yield seen
        return
    enqueue = context.enqueue

    def enqueue_and_capture(message: ForwardMsg) -> None:
        enqueue(message)  # gives the message its hash
        seen.messages.append(message)

    context.enqueue = enqueue_and_capture  # type: ignore[method-assign, assignment]
    try:
        yield seen
    finally:
        context.enqueue = enqueue  # type: ignore[method-assign]


class Captured:
    """The messages of one fragment run."""

    def __init__(self) -> None:
        self.messages: list[ForwardMsg] = []

    def rendering(self, fragment: str) -> Rendering | None:
        """Return what the fragment showed; None if something of it cannot be sent to other sessions."""
        elements = [_element(message, fragment) for message in self.messages]
        return Rendering.of([one for one in elements if one is not None]) if None not in elements else None


def _element(message: ForwardMsg, fragment: str) -> Element | None:
    """Return the element or block of a message, None if other sessions cannot be sent it."""
    delta = message.delta
    if not message.HasField("delta") or delta.fragment_id != fragment:
        return None
    path = tuple(message.metadata.delta_path)
    match delta.WhichOneof("type"):
        case "new_element" if delta.new_element.WhichOneof("type") in _SHARABLE_ELEMENTS:
            return Element(path, message.hash, message)
        case "add_block" if delta.add_block.WhichOneof("type") in _SHARABLE_BLOCKS:
            return Element(path, message.hash, message, block=True)
    return None


def push_elements(
    session_id: str, fragments: Iterable[str], elements: Iterable[Element], state: Mapping[str, object]
) -> RerunResult:
    """Send the elements of these fragments to an idle session, and set these items of its `st.session_state`.

    Call it on the sessions' loop. Returns `STARTED` if they are on their way, `NOTHING` if the session no
    longer shows one of the fragments.
    """
    session = _session(session_id)
    if session is None:
        return RerunResult.GONE
    # Elements that join the messages of a run could reach the browser before the blocks they stand in.
    if session._scriptrunner is not None or not session._browser_queue.is_empty():
        return RerunResult.BUSY
    if not all(map(session.has_fragment, fragments)):
        return RerunResult.NOTHING
    session._session_state._new_session_state.update(state)
    messages = [cast("ForwardMsg", element.message) for element in elements]
    for message in messages:
        session._enqueue_forward_msg(message)
    if messages:
        COUNTS.pushed()
    return RerunResult.STARTED


def varying(name: str) -> object:
    """Return the running session's value of something that its fragments' output depends on.

    `name` is "time_zone", "language", or a key of `st.session_state`.
    """
    if name == "time_zone":
        return st.context.timezone
    if name == "language":
        return st.context.locale
    return st.session_state.get(name)


@cache
def supported() -> bool:
    """Return whether the installed Streamlit has every private name used here."""
    return not missing_names()


def missing_names() -> list[str]:
    """Return the private names that the installed Streamlit lacks."""
    initialized = AppSession.__init__.__code__.co_names
    missing = [f"AppSession.{name}" for name in _SESSION_NAMES if name not in initialized]
    missing += [
        f"AppSession.{name}" for name in _SESSION_METHODS if not callable(getattr(AppSession, name, None))
    ]
    missing += [f"RerunData.{name}" for name in _RERUN_NAMES - {field.name for field in fields(RerunData)}]
    missing += [
        f"Runtime.{name}" for name in ("get_app_session", "stopped") if not hasattr(runtime.Runtime, name)
    ]
    if "_session_mgr" not in runtime.Runtime.__init__.__code__.co_names:
        missing.append("Runtime._session_mgr")
    thread_state = getattr(_contexts, "FragmentThreadState", None)
    if not callable(getattr(_contexts.ScriptRunContext, "enqueue", None)):
        missing.append("ScriptRunContext.enqueue")
    if not hasattr(_contexts, "ThreadState") or not hasattr(thread_state, "fragment_id"):
        missing.append("ThreadState.fragment_id")
    state = AppSession.__init__.__globals__.get("ClientState")
    described = getattr(getattr(state, "DESCRIPTOR", None), "fields_by_name", {})
    if "_new_session_state" not in {field.name for field in fields(SessionState)}:
        missing.append("SessionState._new_session_state")
    if not hasattr(SessionState, _CALL_CALLBACKS):
        missing.append(f"SessionState.{_CALL_CALLBACKS}")
    missing += [f"ScriptRequests.{name}" for name in (_YIELD, _REQUEST) if not hasattr(ScriptRequests, name)]
    made = ScriptRequests.__init__.__code__.co_names
    missing += [f"ScriptRequests.{name}" for name in ("_state", "_rerun_data") if name not in made]
    return missing + [f"ClientState.{name}" for name in _CLIENT_NAMES if name not in described]


def _session(session_id: str) -> AppSession | None:
    return runtime.get_instance().get_app_session(session_id) if runtime.exists() else None
