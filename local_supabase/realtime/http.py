"""Broadcasts over HTTP: a batch of JSON messages, or one message whose payload is the request's body."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from local_supabase.identity import Identity, bearer_token
from local_supabase.realtime.framing import (
    Encoding,
    JsonObject,
    UserBroadcast,
    has_many_containers,
)
from local_supabase.realtime.limits import Limits
from local_supabase.realtime.private import Extension, PolicyUnavailableError
from local_supabase.realtime.services import Services
from local_supabase.realtime.tokens import TokenRefusedError

_BLANK = "can't be blank"
_INVALID = "is invalid"


_TOO_MANY = "Too many messages to broadcast, please reduce the batch size"


class BroadcastRefusedError(Exception):
    """A request that is refused, with a status and a JSON body."""

    def __init__(self, status: int, body: Mapping[str, object]) -> None:
        super().__init__(str(body))
        self.status = status
        self.body = body


@dataclass(frozen=True, slots=True)
class HttpMessage:
    """One message of a batch."""

    topic: str
    event: str
    payload: Mapping[str, object]
    private: bool


class HttpBroadcasts:
    """The endpoints under `/api/broadcast`."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def batch(self, request: Request) -> Response:
        """Broadcast `{"messages": [...]}`; as on hosted, what may not be sent is dropped with a 202."""
        try:
            identity = self._identify(request)
            messages = await asyncio.to_thread(read_batch, await request.body(), self._services.limits)
            self._check_rate(len(messages))
            allowed = {
                topic: await self._may_send(topic, identity, request)
                for topic in {message.topic for message in messages if message.private}
            }
        except BroadcastRefusedError as refusal:
            return JSONResponse(refusal.body, status_code=refusal.status)
        for message in messages:
            if not message.private or allowed[message.topic]:
                payload = {"type": "broadcast", "event": message.event, "payload": message.payload}
                self._send(message.topic, payload, private=message.private)
        return Response(status_code=202)

    async def single(self, request: Request) -> Response:
        """Broadcast the body, JSON or bytes, as one event of a topic."""
        try:
            identity = self._identify(request)
            message = await self._read_single(request)
            self._check_rate(1)
            topic = request.path_params["topic"]
            private = request.query_params.get("private", "").lower() in ("true", "1")
            allowed = not private or await self._may_send(topic, identity, request)
        except BroadcastRefusedError as refusal:
            return JSONResponse(refusal.body, status_code=refusal.status)
        if not allowed:
            return Response(status_code=202)
        self._send(topic, message, private=private)
        return Response(status_code=202)

    def _identify(self, request: Request) -> Identity:
        try:
            return self._services.tokens.verify(bearer_token(request.headers))
        except TokenRefusedError as refusal:
            raise BroadcastRefusedError(401, {"message": "Unauthorized"}) from refusal

    async def _read_single(self, request: Request) -> UserBroadcast:
        body = await request.body()
        if len(body) > self._services.limits.max_payload_bytes:
            raise BroadcastRefusedError(422, {"errors": {"payload": ["Payload size exceeds tenant limit"]}})
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        event = request.path_params["event"]
        if media_type == "application/octet-stream":
            return UserBroadcast(event, Encoding.BINARY, body)
        if media_type != "application/json":
            raise BroadcastRefusedError(415, {"message": "Unsupported Media Type"})
        if has_many_containers(body):
            raise BroadcastRefusedError(422, {"errors": {"payload": [_INVALID]}})
        try:
            orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise BroadcastRefusedError(400, {"message": "Bad Request"}) from error
        return UserBroadcast(event, Encoding.JSON, body)

    def _check_rate(self, count: int) -> None:
        average = self._services.messages.average()
        limit = self._services.limits.max_messages_per_second
        if average > limit:
            raise BroadcastRefusedError(429, {"message": "You have exceeded your rate limit"})
        if average + count > limit:
            raise BroadcastRefusedError(429, {"message": _TOO_MANY})

    async def _may_send(self, topic: str, identity: Identity, request: Request) -> bool:
        try:
            return await self._services.policies.may_write(
                topic, identity, dict(request.headers), Extension.BROADCAST
            )
        except PolicyUnavailableError:
            return False

    def _send(self, topic: str, message: Mapping[str, object] | UserBroadcast, *, private: bool) -> None:
        self._services.messages.add()
        room = self._services.rooms.find(topic, private=private)
        if room is not None:
            room.broadcast(message)


class _Skipped(msgspec.Struct, gc=False):
    """A message of which nothing is kept."""


class _Batch(msgspec.Struct):
    messages: msgspec.Raw = msgspec.Raw(b"null")


def read_batch(body: bytes, limits: Limits) -> list[HttpMessage]:
    """Read `{"messages": [{"topic", "event", "payload", "private"}]}`.

    Raises `BroadcastRefusedError` with one error object for each message, as the hosted server does.
    """
    texts = _split(body, limits.max_messages_per_second)
    try:
        # One by one, so that the event loop runs in between.
        raw = [orjson.loads(bytes(text)) for text in texts]
    except orjson.JSONDecodeError as error:
        raise BroadcastRefusedError(400, {"message": "Bad Request"}) from error
    errors = [_errors(item, limits.max_payload_bytes) for item in raw]
    if any(errors):
        raise BroadcastRefusedError(422, {"errors": {"messages": errors}})
    return [
        HttpMessage(item["topic"], item["event"], item["payload"], _private(item.get("private")))
        for item in raw
    ]


def _split(body: bytes, most: int) -> Sequence[msgspec.Raw]:
    """Return the messages as JSON, all of them objects, without building them."""
    try:
        messages = msgspec.json.decode(body, type=_Batch).messages
    except msgspec.ValidationError as error:  # not an object
        raise BroadcastRefusedError(422, {"errors": {"messages": [_BLANK]}}) from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise BroadcastRefusedError(400, {"message": "Bad Request"}) from error
    if messages == msgspec.Raw(b"null"):
        raise BroadcastRefusedError(422, {"errors": {"messages": [_BLANK]}})
    try:
        if len(msgspec.json.decode(messages, type=list[_Skipped])) > most:
            raise BroadcastRefusedError(429, {"message": _TOO_MANY})
    except msgspec.ValidationError as error:
        raise BroadcastRefusedError(422, {"errors": {"messages": [_INVALID]}}) from error
    if has_many_containers(body):
        raise BroadcastRefusedError(422, {"errors": {"messages": [_INVALID]}})
    return msgspec.json.decode(messages, type=list[msgspec.Raw])


def _errors(item: JsonObject, max_payload_bytes: int) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    for name, kind in (("topic", str), ("payload", dict), ("event", str)):
        value = item.get(name)
        if value is None or value == "":
            errors[name] = [_BLANK]
        elif not isinstance(value, kind):
            errors[name] = [_INVALID]
    if "private" in item and not isinstance(item["private"], bool | None):
        errors["private"] = [_INVALID]
    if "payload" not in errors and len(orjson.dumps(item["payload"])) > max_payload_bytes:
        errors["payload"] = ["Payload size exceeds tenant limit"]
    return errors


def _private(value: object) -> bool:
    return value is True
