"""One joined topic of one socket, from the answered join to its end. Sends through the socket's queue."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

import orjson

from local_supabase.identity import Identity
from local_supabase.realtime.channel_presence import ChannelPresence
from local_supabase.realtime.channel_subscription import ChannelSubscription
from local_supabase.realtime.framing import (
    ClientMessage,
    UserBroadcast,
    Version,
    encode_push,
    encode_reply,
)
from local_supabase.realtime.join import JoinRequest
from local_supabase.realtime.private import Extension, PolicyUnavailableError, Reading
from local_supabase.realtime.replay import Replay
from local_supabase.realtime.rights import Rights
from local_supabase.realtime.rooms import Frame, broadcast_frame
from local_supabase.realtime.services import Services
from local_supabase.realtime.subscriptions import Binding
from local_supabase.realtime.tokens import API_KEY_PREFIX, TokenRefusedError, expired_message

# A token may live for decades, and the event loop's timers may not, so the expiry is checked at least this
# often.
_LONGEST_TIMER_SECONDS = 3600.0


class State(Enum):
    """Where a channel is in its life."""

    JOINING = auto()
    JOINED = auto()
    CLOSED = auto()


class Socket(Protocol):
    """The connection a channel sends through."""

    @property
    def version(self) -> Version:
        """Its protocol version."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers of its handshake, which policies may read."""

    @property
    def checks(self) -> asyncio.Lock:
        """Is held while bindings of one of its channels are checked."""

    def send(self, frame: Frame) -> None:
        """Queue a frame."""

    def remove(self, channel: "Channel") -> None:
        """Drop a channel that has ended."""

    def disconnect(self, code: int) -> None:
        """Close the connection with a WebSocket close code."""


@dataclass(frozen=True, slots=True)
class AdmittedJoin:
    """A join whose token and rights were checked.

    Attributes:
        name: the topic without `realtime:`.
        join_ref: the client's reference of the join, which later messages of the channel carry.
        request: what the client asked for.
        token: the token that the channel acts under.
        identity: the role and claims of that token.
        reading: what policies let the caller read; None in a public channel.
    """

    name: str
    join_ref: str | None
    request: JoinRequest
    token: str
    identity: Identity
    reading: Reading | None


@dataclass(frozen=True, slots=True)
class _HeldBroadcast:
    """A broadcast that arrived before the channel was started; `xid` is that of a stored one."""

    frame: Frame
    xid: int | None


class Channel:
    """A joined topic. It is a member of its room at once, and sends nothing before `start`.

    Arguments:
        services: the shared parts of Realtime.
        socket: the connection to send through.
        join: the admitted join.
    """

    def __init__(self, services: Services, socket: Socket, join: AdmittedJoin) -> None:
        request = join.request
        self.name = join.name
        self.join_ref = join.join_ref
        self._services = services
        self._socket = socket
        self._request = request
        self._token = join.token
        self._state = State.JOINING
        self._presence = ChannelPresence(
            services, self, request.presence_key, enabled=request.presence_enabled
        )
        self._subscription = ChannelSubscription(
            self, services.changes, services.tasks, request.postgres_changes
        )
        self._announcement: asyncio.Task[None] | None = None
        self._expiry_timer: asyncio.TimerHandle | None = None
        self._held: list[_HeldBroadcast] = []
        self._replay: Replay | None = None
        self.rights = Rights(services.policies, join.name, socket.headers, join.identity, join.reading)
        self.room = services.rooms.enter(self, join.name, private=request.private)
        self.topic = self.room.topic

    # As a member of a room, and as a subscriber of the fan-out.

    @property
    def identity(self) -> Identity:
        """The role and claims of its newest token."""
        return self.rights.identity

    @property
    def checks(self) -> asyncio.Lock:
        """Is held while bindings of a channel of its socket are checked."""
        return self._socket.checks

    @property
    def bindings(self) -> int:
        """How many bindings its client asked for."""
        return len(self._request.postgres_changes)

    @property
    def version(self) -> Version:
        """The protocol version of its socket."""
        return self._socket.version

    @property
    def reads_broadcasts(self) -> bool:
        """Whether it may read broadcasts."""
        return self.rights.reads_broadcasts

    @property
    def reads_presence(self) -> bool:
        """Whether it may read presence."""
        return self._state is State.JOINED and self.rights.reads_presence

    def send_change(self, ids: Sequence[int], data: bytes) -> None:
        """Push a change of the database. `ids` are the matching bindings, `data` is the change as JSON."""
        payload = {"ids": ids, "data": orjson.Fragment(data)}
        self.push("postgres_changes", payload, with_join_ref=False)

    def send_broadcast(self, frame: Frame, xid: int | None = None) -> None:
        """Push a broadcast, unless its replay had it; too many a second shut the channel down."""
        if self._state is State.JOINING:
            self._held.append(_HeldBroadcast(frame, xid))
            return
        if xid is not None and self._replay is not None and self._replay.snapshot.sees(xid):
            return
        self._socket.send(frame)
        self._services.messages.add()
        self._check_message_rate()

    def send_presence(self, frame: Frame) -> None:
        """Push a presence_diff."""
        self._socket.send(frame)

    def end_binding(self, binding: Binding, reason: str) -> None:
        """Deactivate one of its bindings, and send the client the reason."""
        self._subscription.end_binding(binding, reason)

    def disconnect(self, code: int) -> None:
        """Close the channel's connection, and so all of its channels."""
        self._socket.disconnect(code)

    # From the join to the end.

    def start(self, replay: Replay | None) -> None:
        """Begin to send, right after the join was answered.

        The stored messages come first. Broadcasts that arrived since the channel entered its room follow,
        except the stored ones that the replay's snapshot saw: those are in the replay, or older than it.
        """
        self._state = State.JOINED
        self._replay = replay
        if replay is not None:
            self._send_replay(replay)
        held, self._held = self._held, []
        for broadcast in held:
            self.send_broadcast(broadcast.frame, broadcast.xid)
        self._schedule_expiry()
        self._presence.start()
        self._subscription.start()
        if self._request.replication_ready:
            self._announcement = self._services.tasks.start(self._announce_replication())

    def _send_replay(self, replay: Replay) -> None:
        for message in replay.messages:
            frame = broadcast_frame(self.version, self.topic, message.as_replay(), join_ref=self.join_ref)
            if frame is not None:
                self._socket.send(frame)

    def close(self) -> None:
        """End without a message to the client, whose socket may be gone. May be called again."""
        if self._state is State.CLOSED:
            return
        self._state = State.CLOSED
        self._subscription.close()
        if self._announcement is not None:
            self._announcement.cancel()
        if self._expiry_timer is not None:
            self._expiry_timer.cancel()
        self._services.rooms.leave(self, self.name, private=self._request.private)
        self._presence.untrack()
        self._socket.remove(self)

    def send_close(self) -> None:
        """Send the client that the channel has ended."""
        self._send_end("phx_close")

    def _send_end(self, event: str) -> None:
        # Clients find the channel that ended by the reference of its join.
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
        """End because of an unexpected error; the client may join again."""
        self.close()
        self._send_end("phx_error")

    def shut_down(self, reason: str) -> None:
        """End and send the client the reason."""
        if self._state is State.CLOSED:
            return
        self.send_system("system", "error", reason)
        self.close()
        self.send_close()

    # Messages of the client.

    async def handle(self, message: ClientMessage) -> None:
        """Act on a message; unknown events only count against the rate limit."""
        if message.event == "broadcast":
            await self._handle_broadcast(message)
        elif message.event == "presence":
            await self._presence.handle(message)
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
        self.room.broadcast(_without_metadata(payload), sender=sender)
        if self._request.ack and self._state is State.JOINED:
            self.reply(message, "ok", {})
        self._check_message_rate()

    def _check_message_rate(self) -> None:
        if self._services.messages.average() > self._services.limits.max_messages_per_second:
            self.shut_down("Too many messages per second")

    # Tokens.

    async def _handle_token(self, payload: object) -> None:
        token = payload.get("access_token") if isinstance(payload, dict) else None
        if not isinstance(token, str) or token.startswith(API_KEY_PREFIX) or token == self._token:
            return
        try:
            identity = self._services.tokens.verify(token)
        except TokenRefusedError as refusal:
            self.shut_down(refusal.message)
            return
        self._token = token
        if await self._renew_rights(identity):
            self._schedule_expiry()
            self._subscription.start()

    async def _renew_rights(self, identity: Identity) -> bool:
        try:
            if await self.rights.renew(identity):
                return True
        except PolicyUnavailableError:
            self.shut_down("Realtime was unable to connect to the project database")
            return False
        self.shut_down(f"You no longer have permission to read from this Channel topic: {self.name}")
        return False

    def _schedule_expiry(self) -> None:
        if self._expiry_timer is not None:
            self._expiry_timer.cancel()
        remaining = (self.rights.identity.expires_at or 0.0) - time.time()
        self._expiry_timer = asyncio.get_running_loop().call_later(
            min(max(remaining, 0.0), _LONGEST_TIMER_SECONDS), self._check_expiry
        )

    def _check_expiry(self) -> None:
        expires_at = self.rights.identity.expires_at or 0.0
        if expires_at <= time.time():
            self.shut_down(expired_message(expires_at))
        else:
            self._schedule_expiry()

    async def _announce_replication(self) -> None:
        try:
            async with asyncio.timeout(self._services.limits.replication_ready_seconds):
                await self._services.changes.wait_live()
        except TimeoutError:
            self.shut_down("Replication connection was not established in time")
            return
        self.send_system("system", "ok", "Replication connection established")

    # Sending.

    def send_system(self, extension: str, status: str, message: str) -> None:
        """Send a `system` message, which tells the client about its channel."""
        payload = {"extension": extension, "status": status, "message": message, "channel": self.name}
        self.push("system", payload)

    def push(self, event: str, payload: object, *, with_join_ref: bool = True) -> None:
        """Send an event. Events that all members of a room get alike carry no reference of the join."""
        join_ref = self.join_ref if with_join_ref else None
        self._socket.send(
            encode_push(self.version, join_ref=join_ref, topic=self.topic, event=event, payload=payload)
        )


def _size(payload: Mapping[str, object] | UserBroadcast) -> int:
    if isinstance(payload, UserBroadcast):
        return len(payload.payload)
    return len(orjson.dumps(payload))


def _without_metadata(payload: Mapping[str, object] | UserBroadcast) -> Mapping[str, object] | UserBroadcast:
    """Drop the sender's metadata: receivers take it for the server's."""
    if isinstance(payload, UserBroadcast) and payload.metadata:
        return UserBroadcast(payload.event, payload.encoding, payload.payload)
    return payload
