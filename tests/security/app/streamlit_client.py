"""A client of Streamlit's websocket that is no browser."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect
from websockets.sync.connection import Connection
from websockets.typing import Origin, Subprotocol


@contextmanager
def websocket(
    server: str, origin: str | None = None, headers: Mapping[str, str] | None = None
) -> Iterator[Connection]:
    """Connect to `host:port`, as a browser does that shows a page of this origin, with a proxy's headers."""
    with connect(
        f"ws://{server}/_stcore/stream",
        origin=None if origin is None else Origin(origin),
        subprotocols=[Subprotocol("streamlit"), Subprotocol("PLACEHOLDER_AUTH_TOKEN")],
        additional_headers=headers,
        max_size=None,
    ) as opened:
        yield opened


def _next(opened: Connection) -> ForwardMsg:
    message = ForwardMsg()
    message.ParseFromString(bytes(opened.recv(timeout=60, decode=False)))
    return message


def open_session(opened: Connection) -> str:
    """Start the app's script as a visitor. Return the id of the session."""
    request = BackMsg()
    request.rerun_script.query_string = ""
    opened.send(request.SerializeToString())
    while not (message := _next(opened)).HasField("new_session"):
        pass
    return str(message.new_session.initialize.session_id)


def texts(opened: Connection, until: str) -> str:
    """Return all that the page is sent up to a message with this text."""
    received = ""
    while until not in received:
        received += str(_next(opened))
    return received
