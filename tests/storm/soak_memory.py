"""While tabs of the real app open and close for minutes, its memory and its connections stay bounded.

The file has no test name, so that only `make soak` runs it, for `TAVERN_SOAK_SECONDS`.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import quote, urlsplit

import psutil
import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets import Subprotocol
from websockets.sync.client import ClientConnection, connect

from local_supabase.stack.runtime import StackInfo
from tests.support.app import AppUnderTest
from tests.support.people import Person, sign_up
from tests.support.wait import wait_for
from ui.shell.cookie import NAME

SECONDS = float(os.environ.get("TAVERN_SOAK_SECONDS", "300"))
MEBIBYTE = 1024 * 1024
GROWTH = 40
"""The limit in mebibytes, between the median of the second third of the run and that of the last third."""
PEOPLE = 5


@pytest.fixture
def app(stack: StackInfo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppUnderTest]:
    settings = {"SUPABASE_URL": stack.url, "SUPABASE_KEY": stack.anon_key}
    running = AppUnderTest(settings, tmp_path_factory.mktemp("soak") / "app.log")
    running.start()
    yield running
    running.stop()


def open_tab(app: AppUnderTest, person: Person | None) -> ClientConnection:
    """Open a tab as a browser does, signed in by its cookie. Return when its script has finished."""
    headers = {}
    if person is not None:
        # Each tab needs its own refresh token, because the app replaces the token.
        auth = person.client.auth
        answer = auth.sign_in_with_password({"email": person.email, "password": person.password})
        assert answer.session is not None
        headers["Cookie"] = f"{NAME}={quote(answer.session.refresh_token)}"
    address = f"ws://{urlsplit(app.url).netloc}/_stcore/stream"
    tab = connect(
        address,
        subprotocols=[Subprotocol("streamlit")],
        additional_headers=headers,
        max_size=None,
        # Messages after the first run are not read. A bounded queue would also hold up the close frame.
        max_queue=None,
    )
    tab.send(BackMsg(rerun_script=ClientState(query_string="")).SerializeToString())
    signed_in = False
    while True:
        message = ForwardMsg.FromString(bytes(tab.recv(timeout=60, decode=False)))
        signed_in = signed_in or "Sign out" in str(message.delta)
        if message.HasField("script_finished"):
            break
    assert signed_in is (person is not None), "The tab has the wrong sign-in state."
    return tab


def connections(app: AppUnderTest, stack: StackInfo) -> int:
    """Count the app's open connections to Supabase."""
    port = urlsplit(stack.url).port
    return sum(
        one.status == psutil.CONN_ESTABLISHED and bool(one.raddr) and one.raddr.port == port
        for one in psutil.Process(app.pid).net_connections("tcp")
    )


@pytest.mark.timeout(SECONDS + 300)
def test_memory_and_connections_stay_bounded(app: AppUnderTest, stack: StackInfo) -> None:
    people = [sign_up(stack, f"Person {number}") for number in range(PEOPLE)]
    process = psutil.Process(app.pid)
    with open_tab(app, None):
        alone = connections(app, stack)
    began, opened, sizes = time.monotonic(), 0, list[float]()
    while time.monotonic() - began < SECONDS:
        with ExitStack() as tabs:
            for person in [*people, *people, None]:
                tabs.enter_context(open_tab(app, person))
                opened += 1
        sizes.append(process.memory_info().rss / MEBIBYTE)
        size = f"{sizes[-1]:.0f} MiB, {connections(app, stack)} connections, {process.num_threads()} threads"
        print(f"{time.monotonic() - began:.0f} s: {opened} tabs, {size}", flush=True)  # noqa: T201
    third = len(sizes) // 3
    growth = statistics.median(sizes[-third:]) - statistics.median(sizes[third : 2 * third])
    print(f"{opened} tabs opened and closed, grown by {growth:.1f} MiB at the end")  # noqa: T201
    wait_for(lambda: connections(app, stack) <= alone + 1, within=60, what="the people's feeds to close")
    assert growth < GROWTH
    assert not app.tracebacks()
