"""The gateway and Realtime do not wait for each other, and are reached only the way they should be."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx
import psutil
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from local_supabase.stack.datadir import DataDir
from local_supabase.stack.runtime import StackInfo

HEARTBEAT = '{"topic":"phoenix","event":"heartbeat","payload":{},"ref":"1"}'


@contextmanager
def suspended(stack: StackInfo, name: str) -> Iterator[None]:
    """Suspend a process of the stack for the block, which is shorter than the supervisor's patience."""
    state = DataDir(stack.data_dir).read_state()
    assert state is not None
    process = psutil.Process(getattr(state, f"{name}_pid"))
    process.suspend()
    try:
        yield
    finally:
        with suppress(psutil.NoSuchProcess):
            process.resume()


def websocket(url: str, stack: StackInfo) -> ClientConnection:
    return connect(f"{url.replace('http', 'ws', 1)}/realtime/v1/websocket?apikey={stack.anon_key}&vsn=1.0.0")


def test_realtime_answers_while_the_gateway_hangs(stack: StackInfo) -> None:
    with websocket(stack.url, stack) as client, suspended(stack, "gateway"):
        client.send(HEARTBEAT)
        assert "phx_reply" in str(client.recv(timeout=30))


def test_the_gateway_answers_while_realtime_hangs(stack: StackInfo) -> None:
    headers = {"apikey": stack.anon_key}
    with suspended(stack, "realtime"):
        response = httpx.get(f"{stack.url}/rest/v1/users?limit=1", headers=headers, timeout=30)
    assert response.status_code == 200


def test_a_websocket_waits_for_realtime(stack: StackInfo) -> None:
    with suspended(stack, "realtime"), pytest.raises(TimeoutError):
        connect(f"{stack.url.replace('http', 'ws', 1)}/realtime/v1/websocket", open_timeout=0.2)
    with websocket(stack.url, stack) as client:
        client.send(HEARTBEAT)
        assert "phx_reply" in str(client.recv(timeout=30))


@pytest.mark.parametrize("path", ["/rest/v1/users", "/functions/v1/a", "/", "/realtime/v1/nothing"])
def test_websockets_elsewhere_are_refused(stack: StackInfo, path: str) -> None:
    with pytest.raises(InvalidStatus, match="403"):
        connect(f"{stack.url.replace('http', 'ws', 1)}{path}")


def test_the_mailboxs_port_does_not_lead_to_realtime(stack: StackInfo) -> None:
    mailbox_origin = stack.mailbox_url.rsplit("/", 1)[0]
    with pytest.raises(InvalidStatus, match="403"):
        websocket(mailbox_origin, stack)
