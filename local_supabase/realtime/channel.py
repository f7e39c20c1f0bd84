"""One joined topic of one socket: its rights, its messages, its end. Sends through its socket's queue."""

import asyncio
import time
from collections.abc import Coroutine, Mapping, Sequence
from enum import Enum, auto
from typing import Protocol

import orjson

from local_supabase.identity import Identity
from local_supabase.realtime.attendance import Attendance
from local_supabase.realtime.framing import (
    ClientMessage,
    UserBroadcast,
    Version,
    encode_push,
    encode_reply,
)
from local_supabase.realtime.join import JoinRequest
from local_supabase.realtime.postgres_changes import SubscriptionUnavailable
from local_supabase.realtime.private import Extension, PolicyUnavailable, Reading
from local_supabase.realtime.replay import StoredBroadcast
from local_supabase.realtime.rights import Rights
from local_supabase.realtime.rooms import Frame, broadcast_frame
from local_supabase.realtime.services import Services
from local_supabase.realtime.subscriptions import (
    Binding,
    SubscriptionError,
    binding_id,
    read_parameters,
)
from local_supabase.realtime.tokens import API_KEY_PREFIX, TokenRefused, expired_message

# The loop's timers must not be asked for centuries; a token that lives longer is looked at again.
_LONGEST_TIMER = 3600.0
_RESUBSCRIBE_SECONDS = 5.0


class State(Enum):
    """Where a channel is in its life."""

    JOINED = auto()
    CLOSED = auto()


class Socket(Protocol):
    """The connection a channel sends through."""

    @property
    def version(self) -> Version:
        """Its protocol version."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers of its handshake, as policies may read them."""

    def send(self, frame: Frame) -> None:
        """Queue a frame."""

    def forget(self, channel: "Channel") -> None:
        """Drop a channel that has ended."""

    def disconnect(self, code: int) -> None:
        """End the connection."""


class Channel:
    """A joined topic."""

    def __init__(
        self,
        services: Services,
        socket: Socket,
        name: str,
        join_ref: str | None,
        request: JoinRequest,
        identity: Identity,
        token: str,
        reading: Reading | None,
    ) -> None:
        self.name = name
        self.join_ref = join_ref
        self._services = services
        self._socket = socket
        self._request = request
        self._token = token
        self._state = State.JOINED
        self._attendance = Attendance(services, self, request.presence_key, enabled=request.presence_enabled)
        self._bindings: list[Binding] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._subscribing: asyncio.Task[None] | None = None
        self._expiry: asyncio.TimerHandle | None = None
        self._replayed: frozenset[str] = frozenset()
        self.rights = Rights(services.policies, name, socket.headers, identity, reading)
        self.room = services.rooms.enter(self, name, private=request.private)
        self.topic = self.room.topic

    # What rooms and the fan-out ask and send.

    @property
    def identity(self) -> Identity:
        """The role and claims of its newest token."""
        return self.rights.identity

    @property
    def version(self) -> Version:
        """The protocol version of its socket."""
        return self._socket.version

    @property
    def socket(self) -> Socket:
        """The connection it belongs to."""
        return self._socket

    @property
    def hears_broadcasts(self) -> bool:
        """Whether it may read broadcasts."""
        return self.rights.reads_broadcasts

    @property
    def hears_presence(self) -> bool:
        """Whether it may read presence."""
        return self.rights.reads_presence

    def has_seen(self, message_id: str) -> bool:
        """Tell whether a stored broadcast was replayed to it."""
        return message_id in self._replayed

    def send_change(self, ids: Sequence[int], data: bytes) -> None:
        """Push a change of the database."""
        payload = {"ids": ids, "data": orjson.Fragment(data)}
        self.push("postgres_changes", payload, direct=False)

    def send_broadcast(self, frame: Frame) -> None:
        """Push a broadcast; a project over its rate loses the channels that receive."""
        self._socket.send(frame)
        self._services.messages.add()
        self._shut_down_if_too_many()

    def send_presence(self, frame: Frame) -> None:
        """Push a presence_diff."""
        self._socket.send(frame)

    # Life.

    def start(self, replay: Sequence[StoredBroadcast]) -> None:
        """Begin, right after the join was answered: replays, presence, changes, the end of the token."""
        self._replayed = frozenset(message.id for message in replay)
        for message in replay:
            frame = broadcast_frame(self.version, self.topic, message.as_replay(), join_ref=self.join_ref)
            if frame is not None:
                self._socket.send(frame)
        self._await_expiry()
        self._attendance.start()
        self._subscribe()
        if self._request.replication_ready:
            self._start(self._announce_replication())

    def close(self) -> None:
        """End without a word, as when its socket is gone."""
        if self._state is State.CLOSED:
            return
        self._state = State.CLOSED
        self._services.changes.subscriptions.remove(self._bindings)
        for task in self._tasks:
            task.cancel()
        if self._expiry is not None:
            self._expiry.cancel()
        self._services.rooms.leave(self, self.name, private=self._request.private)
        self._attendance.end()
        self._socket.forget(self)

    def say_closed(self) -> None:
        """Tell the client that the channel has ended."""
        self._say_ended("phx_close")

    def _say_ended(self, event: str) -> None:
        # The reference is that of the join which the channel came from.
        self._socket.send(
            encode_push(
                self.version,
                join_ref=self.join_ref,
                ref=self.join_ref,
                topic=self.topic,
                event=event,
                payload={},
            )
        )

    def crash(self) -> None:
        """End because of a fault; the client may join again."""
        self.close()
        self._say_ended("phx_error")

    def shut_down(self, message: str) -> None:
        """End with a reason."""
        if self._state is State.CLOSED:
            return
        self._say_system("system", "error", message)
        self.close()
        self.say_closed()

    # Messages of the client.

    async def handle(self, message: ClientMessage) -> None:
        """Act on a message; unknown events are ignored."""
        if message.event == "broadcast":
            await self._handle_broadcast(message)
        elif message.event == "presence":
            await self._attendance.handle(message)
        elif message.event == "access_token":
            await self._handle_token(message.payload)
        else:
            self._services.messages.add()

    def reply(self, message: ClientMessage, status: str, response: object) -> None:
        """Answer a message."""
        self._socket.send(
            encode_reply(
                self.version,
                join_ref=self.join_ref,
                ref=message.ref,
                topic=self.topic,
                status=status,
                response=response,
            )
        )

    async def _handle_broadcast(self, message: ClientMessage) -> None:
        if not await self.rights.may_write(Extension.BROADCAST):
            return
        self._services.messages.add()
        payload = message.payload
        if not isinstance(payload, UserBroadcast | dict):
            return
        if _size(payload) > self._services.limits.max_payload_bytes:
            if self._request.ack:
                self.reply(message, "error", "payload_size_exceeded")
            return
        sender = None if self._request.self_broadcast else self
        stripped = _without_metadata(payload)
        self.room.broadcast(stripped, sender=sender)
        if self._request.ack and self._state is State.JOINED:
            self.reply(message, "ok", {})
        self._shut_down_if_too_many()

    def _shut_down_if_too_many(self) -> None:
        if self._services.messages.average() > self._services.limits.max_messages_per_second:
            self.shut_down("Too many messages per second")

    # Tokens.

    async def _handle_token(self, payload: object) -> None:
        token = payload.get("access_token") if isinstance(payload, dict) else None
        if not isinstance(token, str) or token.startswith(API_KEY_PREFIX) or token == self._token:
            return
        try:
            identity = self._services.tokens.verify(token)
        except TokenRefused as refusal:
            self.shut_down(refusal.message)
            return
        self._token = token
        if await self._renew(identity):
            self._await_expiry()
            self._subscribe()

    async def _renew(self, identity: Identity) -> bool:
        try:
            if await self.rights.renew(identity):
                return True
        except PolicyUnavailable:
            self.shut_down("Realtime was unable to connect to the project database")
            return False
        self.shut_down(f"You no longer have permission to read from this Channel topic: {self.name}")
        return False

    def _await_expiry(self) -> None:
        if self._expiry is not None:
            self._expiry.cancel()
        remaining = (self.rights.identity.expires_at or 0.0) - time.time()
        self._expiry = asyncio.get_running_loop().call_later(
            min(max(remaining, 0.0), _LONGEST_TIMER), self._check_expiry
        )

    def _check_expiry(self) -> None:
        expires_at = self.rights.identity.expires_at or 0.0
        if expires_at <= time.time():
            self.shut_down(expired_message(expires_at))
        else:
            self._await_expiry()

    # Changes of the database.

    def _subscribe(self) -> None:
        if self._subscribing is not None:
            self._subscribing.cancel()
        if self._request.postgres_changes:
            self._subscribing = self._start(self._keep_subscribing())

    async def _keep_subscribing(self) -> None:
        try:
            wanted = [(binding_id(raw), read_parameters(raw)) for raw in self._request.postgres_changes]
        except SubscriptionError as error:
            self._say_system("postgres_changes", "error", str(error))
            return
        while True:
            try:
                bindings = await self._services.changes.subscribe(self, wanted)
            except SubscriptionError as error:
                self._replace_bindings([])
                self._say_system("postgres_changes", "error", str(error))
                return
            except SubscriptionUnavailable:
                await asyncio.sleep(_RESUBSCRIBE_SECONDS)
                continue
            self._replace_bindings(bindings)
            self._say_system("postgres_changes", "ok", "Subscribed to PostgreSQL")
            return

    def _replace_bindings(self, bindings: list[Binding]) -> None:
        self._services.changes.subscriptions.remove(self._bindings)
        self._bindings = bindings

    async def _announce_replication(self) -> None:
        try:
            async with asyncio.timeout(self._services.limits.replication_ready_seconds):
                await self._services.changes.wait_live()
        except TimeoutError:
            self.shut_down("Replication connection was not established in time")
            return
        self._say_system("system", "ok", "Replication connection established")

    # Sending.

    def _start(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        task = self._services.tasks.start(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _say_system(self, extension: str, status: str, message: str) -> None:
        payload = {"extension": extension, "status": status, "message": message, "channel": self.name}
        self.push("system", payload)

    def push(self, event: str, payload: object, *, direct: bool = True) -> None:
        """Send a message; `direct` ones, which are this channel's own, carry the reference of the join."""
        join_ref = self.join_ref if direct else None
        self._socket.send(
            encode_push(self.version, join_ref=join_ref, topic=self.topic, event=event, payload=payload)
        )


def _size(payload: Mapping[str, object] | UserBroadcast) -> int:
    if isinstance(payload, UserBroadcast):
        return len(payload.payload)
    return len(orjson.dumps(payload))


def _without_metadata(payload: Mapping[str, object] | UserBroadcast) -> Mapping[str, object] | UserBroadcast:
    """Leave out what the sender says of the message: metadata is the server's to tell."""
    if isinstance(payload, UserBroadcast) and payload.metadata:
        return UserBroadcast(payload.event, payload.encoding, payload.payload)
    return payload
