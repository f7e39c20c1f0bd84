import socket

import pytest

from local_supabase.errors import PortBusyError
from local_supabase.stack import ports


def test_a_listener_is_on_loopback_only() -> None:
    with ports.listen_on(None, 0) as listener:
        host, port = listener.getsockname()
    assert host == "127.0.0.1"
    assert port > 0


def test_another_port_replaces_a_preferred_one_in_use() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert ports.free_port(None, port) != port
        assert ports.free_port(0, port) != port


def test_an_explicit_port_in_use_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortBusyError, match=f"Port {port} cannot be used"):
            ports.free_port(port, 0)
