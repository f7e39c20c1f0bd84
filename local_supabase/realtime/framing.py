"""The Phoenix message format on Realtime's websocket, both versions, without I/O.

Version 1.0.0 is one JSON object a message, version 2.0.0 a JSON array, or a binary frame for broadcasts.
Shapes: https://supabase.com/docs/guides/realtime/protocol and `Phoenix.Socket.V2.JSONSerializer`.
"""

import json
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum

import orjson

JsonObject = dict[str, object]

_HEADER_LIMIT = 255
_REPAIRED_LIMIT = 200_000
# Ours: a message of the allowed size could have millions, and hold everybody up while they are built.
_CONTAINERS_LIMIT = 200_000


class FrameError(ValueError):
    """A frame that is not a Phoenix message. Realtime ignores such frames and keeps the connection."""


class NotUnicodeError(FrameError):
    """A message with half of a surrogate pair, which is no text.

    Arguments:
        message: what to answer: the message without its payload.
    """

    def __init__(self, message: "ClientMessage") -> None:
        super().__init__("not Unicode")
        self.message = message


class Version(StrEnum):
    """The serializer a socket asked for with its `vsn` parameter."""

    V1 = "1.0.0"
    V2 = "2.0.0"


class FrameKind(IntEnum):
    """First byte of a binary frame."""

    PUSH = 0
    REPLY = 1
    BROADCAST = 2
    USER_BROADCAST_PUSH = 3
    USER_BROADCAST = 4


class Encoding(IntEnum):
    """How the payload of a user broadcast is encoded."""

    BINARY = 0
    JSON = 1


@dataclass(frozen=True, slots=True)
class UserBroadcast:
    """A broadcast whose payload is relayed as the sender's own bytes; `metadata` is JSON or empty."""

    event: str
    encoding: Encoding
    payload: bytes
    metadata: bytes = b""


@dataclass(frozen=True, slots=True)
class ClientMessage:
    """One message of a client. `payload` is decoded JSON, or a `UserBroadcast` from a binary frame."""

    join_ref: str | None
    ref: str | None
    topic: str
    event: str
    payload: object


def has_many_containers(text: str | bytes) -> bool:
    """Return whether a JSON text may have more arrays and objects than are built."""
    if isinstance(text, str):
        return text.count("[") + text.count("{") > _CONTAINERS_LIMIT
    return text.count(b"[") + text.count(b"{") > _CONTAINERS_LIMIT


def parse_text(version: Version, text: str | bytes) -> ClientMessage:
    """Read a text frame.

    Raises:
        NotUnicodeError: it holds half of a surrogate pair.
        FrameError: it is not a message of this version.
    """
    if has_many_containers(text):
        raise FrameError("too many arrays and objects")
    try:
        document: object = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        # The parser that knows halves of pairs takes ten times as long.
        repaired = _without_halves(text) if len(text) <= _REPAIRED_LIMIT else None
        if repaired is None:
            raise FrameError("not JSON") from error
        raise NotUnicodeError(replace(_from_document(version, repaired), payload=None)) from error
    return _from_document(version, document)


def _without_halves(text: str | bytes) -> object:
    """Return the document of a text that has escaped halves of surrogate pairs, else None."""
    try:
        document: object = json.loads(text)
        json.dumps(document, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        whole = json.dumps(document, ensure_ascii=False).encode(errors="replace")
        with suppress(orjson.JSONDecodeError):
            repaired: object = orjson.loads(whole)
            return repaired
    except (ValueError, RecursionError):
        pass
    return None


def _from_document(version: Version, document: object) -> ClientMessage:
    if version is Version.V1:
        return _from_object(document)
    return _from_array(document)


def _from_object(document: object) -> ClientMessage:
    if not isinstance(document, dict):
        raise FrameError("not a JSON object")
    return ClientMessage(
        join_ref=_optional_ref(document.get("join_ref")),
        ref=_optional_ref(document.get("ref")),
        topic=_required_text(document.get("topic"), "topic"),
        event=_required_text(document.get("event"), "event"),
        payload=document.get("payload"),
    )


def _from_array(document: object) -> ClientMessage:
    if not isinstance(document, list) or len(document) != 5:
        raise FrameError("not a JSON array of five")
    join_ref, ref, topic, event, payload = document
    return ClientMessage(
        join_ref=_optional_ref(join_ref),
        ref=_optional_ref(ref),
        topic=_required_text(topic, "topic"),
        event=_required_text(event, "event"),
        payload=payload,
    )


def _optional_ref(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int):
        return str(value)
    raise FrameError("a ref is neither text nor null")


def _required_text(value: object, name: str) -> str:
    if isinstance(value, str):
        return value
    raise FrameError(f"{name} is not text")


def parse_binary(data: bytes) -> ClientMessage:
    """Read a binary frame of version 2.0.0: a push (kind 0) or a user broadcast push (kind 3).

    Raises `FrameError` for any other kind and for frames that are too short.
    """
    reader = _Reader(data)
    kind = reader.byte()
    if kind == FrameKind.USER_BROADCAST_PUSH:
        return _user_broadcast_push(reader)
    if kind == FrameKind.PUSH:
        return _binary_push(reader)
    raise FrameError(f"unknown kind of frame: {kind}")


def _user_broadcast_push(reader: "_Reader") -> ClientMessage:
    sizes = [reader.byte() for _ in range(5)]
    encoding = reader.byte()
    if encoding not in (Encoding.BINARY, Encoding.JSON):
        raise FrameError(f"unknown encoding: {encoding}")
    join_ref, ref, topic, event = (reader.text(size) for size in sizes[:4])
    metadata = reader.take(sizes[4])
    broadcast = UserBroadcast(event, Encoding(encoding), reader.rest(), metadata)
    return ClientMessage(join_ref or None, ref or None, topic, "broadcast", broadcast)


def _binary_push(reader: "_Reader") -> ClientMessage:
    sizes = [reader.byte() for _ in range(4)]
    join_ref, ref, topic, event = (reader.text(size) for size in sizes)
    return ClientMessage(join_ref or None, ref or None, topic, event, reader.rest())


class _Reader:
    """Reads the parts of a frame in turn; reading past its end is a `FrameError`."""

    __slots__ = ("_data", "_position")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    def byte(self) -> int:
        return self.take(1)[0]

    def take(self, size: int) -> bytes:
        end = self._position + size
        if end > len(self._data):
            raise FrameError("the frame is too short")
        part = self._data[self._position : end]
        self._position = end
        return part

    def text(self, size: int) -> str:
        try:
            return self.take(size).decode()
        except UnicodeDecodeError as error:
            raise FrameError("a header is not UTF-8") from error

    def rest(self) -> bytes:
        return self._data[self._position :]


def encode_reply(
    version: Version, *, join_ref: str | None, ref: str | None, topic: str, status: str, response: object
) -> str:
    """Encode a `phx_reply` to the message with this `ref`."""
    payload = {"status": status, "response": response}
    return encode_push(version, join_ref=join_ref, ref=ref, topic=topic, event="phx_reply", payload=payload)


def encode_push(
    version: Version,
    *,
    join_ref: str | None,
    topic: str,
    event: str,
    payload: object,
    ref: str | None = None,
) -> str:
    """Encode a server message. In version 1 it has no `join_ref`, and always a `ref`, which may be null.

    `payload` is anything that orjson encodes, `orjson.Fragment` included.
    """
    if version is Version.V1:
        document: object = {"topic": topic, "event": event, "payload": payload, "ref": ref}
    else:
        document = [join_ref, ref, topic, event, payload]
    return orjson.dumps(document).decode()


def encode_user_broadcast(topic: str, broadcast: UserBroadcast) -> bytes:
    """Encode the binary frame (kind 4) that carries a user broadcast to a version 2 client.

    Raises `FrameError` when a header is longer than 255 bytes, which its size field of one byte cannot hold.
    """
    headers = [topic.encode(), broadcast.event.encode(), broadcast.metadata]
    if any(len(header) > _HEADER_LIMIT for header in headers):
        raise FrameError("a header is longer than 255 bytes")
    sizes = bytes(len(header) for header in headers)
    return b"".join(
        (bytes([FrameKind.USER_BROADCAST]), sizes, bytes([broadcast.encoding]), *headers, broadcast.payload)
    )
