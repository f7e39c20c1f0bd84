"""Broadcasts over HTTP: a batch of JSON messages, or one message whose payload is the request's body."""

from collections.abc import Mapping
from dataclasses import dataclass

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from local_supabase.identity import Identity, bearer_token
from local_supabase.realtime.framing import Encoding, JsonObject, UserBroadcast
from local_supabase.realtime.private import Extension, PolicyUnavailableError
from local_supabase.realtime.services import Services
from local_supabase.realtime.tokens import TokenRefusedError

_BLANK = "can't be blank"
_INVALID = "is invalid"


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
            messages = read_batch(await request.body(), self._services.limits.max_payload_bytes)
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
            message = "Too many messages to broadcast, please reduce the batch size"
            raise BroadcastRefusedError(429, {"message": message})

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


def read_batch(body: bytes, max_payload_bytes: int) -> list[HttpMessage]:
    """Read `{"messages": [{"topic", "event", "payload", "private"}]}`.

    Raises `BroadcastRefusedError` with one error object for each message, as the hosted server does.
    """
    try:
        document: object = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BroadcastRefusedError(400, {"message": "Bad Request"}) from error
    raw = document.get("messages") if isinstance(document, dict) else None
    if raw is None:
        raise BroadcastRefusedError(422, {"errors": {"messages": [_BLANK]}})
    if not isinstance(raw, list) or not all(isinstance(item, dict) for item in raw):
        raise BroadcastRefusedError(422, {"errors": {"messages": [_INVALID]}})
    errors = [_errors(item, max_payload_bytes) for item in raw]
    if any(errors):
        raise BroadcastRefusedError(422, {"errors": {"messages": errors}})
    return [
        HttpMessage(item["topic"], item["event"], item["payload"], _private(item.get("private")))
        for item in raw
    ]


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
