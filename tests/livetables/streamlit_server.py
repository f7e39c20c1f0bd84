"""A real Streamlit runtime in this process, with real sessions and script threads, and tabs that record."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime import Runtime, RuntimeConfig
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.session_manager import ClientContext

from tests.support.wait import wait_for

T = TypeVar("T")


class Tab:
    """One browser tab, as the server sees it."""

    def __init__(self, server: "Server") -> None:
        self._server = server
        self._lock = threading.Lock()
        self._messages: list[ForwardMsg] = []
        self.session_id = ""

    def write_forward_msg(self, msg: ForwardMsg) -> None:
        """Receive a message from the session."""
        with self._lock:
            self._messages.append(msg)

    @property
    def client_context(self) -> ClientContext | None:
        """No details of the connection."""
        return None

    def open(self) -> "Tab":
        """Connect and run the script for the first time."""
        self.session_id = self._server.call(
            lambda: Runtime.instance().connect_session(client=self, user_info={})
        )
        session = Runtime.instance().get_app_session(self.session_id)
        assert session is not None
        self._server.script_loops.append(session._script_event_loop)
        self.run()
        return self

    def run(self, **state: Any) -> None:
        """Request a full run, or with `fragment_id` one of a fragment, and wait until it has finished."""
        finished = self.full_runs_finished + self.fragment_runs_finished
        self.request_run(**state)
        wait_for(
            lambda: self.full_runs_finished + self.fragment_runs_finished > finished, what="a run to finish"
        )
        self.wait_idle()

    def request_run(self, **state: Any) -> None:
        """Request a run without waiting for it."""
        back = BackMsg(rerun_script=ClientState(**state))
        self._server.call(lambda: Runtime.instance().handle_backmsg(self.session_id, back))

    def wait_idle(self) -> None:
        """Wait until no script of this session is running and all its messages have been sent."""
        session = Runtime.instance().get_app_session(self.session_id)
        assert session is not None
        wait_for(
            lambda: session._scriptrunner is None and session._browser_queue.is_empty(),
            what="the session to become idle",
        )

    def state(self, name: str) -> Any:
        """Return an item of the session's `st.session_state`. Call it on the loop."""
        session = Runtime.instance().get_app_session(self.session_id)
        assert session is not None
        return session.session_state[name]

    def disconnect(self) -> None:
        """Lose the connection. Streamlit keeps the session for a while."""
        self._server.call(lambda: Runtime.instance().disconnect_session(self.session_id))

    def reconnect(self) -> None:
        """Connect to the same session again, and start with a full run as browsers do."""
        old = self.session_id
        self.session_id = self._server.call(
            lambda: Runtime.instance().connect_session(client=self, user_info={}, existing_session_id=old)
        )
        assert self.session_id == old
        self.run()

    def close(self) -> None:
        """Close the tab and its session."""
        self._server.call(lambda: Runtime.instance().close_session(self.session_id))

    @property
    def messages(self) -> list[ForwardMsg]:
        """Everything received so far."""
        with self._lock:
            return list(self._messages)

    @property
    def full_runs(self) -> int:
        """How many full script runs have started."""
        return sum(
            1
            for message in self.messages
            if message.HasField("new_session") and not message.metadata.run.fragment_ids
        )

    @property
    def full_runs_finished(self) -> int:
        """How many full script runs have finished."""
        return self._finished(ForwardMsg.FINISHED_SUCCESSFULLY)

    @property
    def fragment_runs_finished(self) -> int:
        """How many fragment runs have finished."""
        return self._finished(ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY)

    @property
    def texts(self) -> list[str]:
        """All texts shown with `st.text`, oldest first."""
        return [
            message.delta.new_element.text.body
            for message in self.messages
            if message.delta.new_element.HasField("text")
        ]

    @property
    def widgets(self) -> dict[str, str]:
        """The ids of the text inputs, by label."""
        return {
            message.delta.new_element.text_input.label: message.delta.new_element.text_input.id
            for message in self.messages
            if message.delta.new_element.HasField("text_input")
        }

    def fragment_of(self, text: str) -> str:
        """Return the id of the fragment that last showed a text with this beginning."""
        for message in reversed(self.messages):
            if message.delta.new_element.text.body.startswith(text):
                return message.delta.fragment_id
        raise AssertionError(f"No text begins with {text!r}: {self.texts}")

    def _finished(self, status: "ForwardMsg.ScriptFinishedStatus.ValueType") -> int:
        return sum(
            1
            for message in self.messages
            if message.HasField("script_finished") and message.script_finished == status
        )


class Server:
    """The runtime, on an event loop of its own."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.script_loops: list[asyncio.AbstractEventLoop] = []
        """The loop of each session that a tab has had."""

    def tab(self) -> Tab:
        """Open a tab."""
        return Tab(self).open()

    def call(self, function: Callable[[], T]) -> T:
        """Call the function on the runtime's event loop."""

        async def on_loop() -> T:
            return function()

        return self.wait(on_loop())

    def wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run the coroutine on the runtime's event loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(30)


@contextmanager
def running_server(script: Path) -> Iterator[Server]:
    """Serve the script for the block."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="streamlit server")
    thread.start()
    runtime = Runtime(
        RuntimeConfig(
            script_path=str(script),
            media_file_storage=MemoryMediaFileStorage("/media"),
            uploaded_file_manager=MemoryUploadedFileManager("/upload"),
        )
    )
    server = Server(loop)
    try:
        server.wait(runtime.start())
        yield server
    finally:
        stopped = server.call(lambda: runtime.stopped)
        runtime.stop()
        server.wait(_wait(stopped))
        # A session that was closed while its script ran may be collected before it closes its loop.
        for script_loop in server.script_loops:
            script_loop.close()
        Runtime._instance = None
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _wait(stopped: Any) -> None:
    await stopped
