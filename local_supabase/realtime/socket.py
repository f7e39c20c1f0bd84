"""The websocket: reads a client's messages in order, and sends what is queued for it.

A client that does not read cannot hold memory: past a limit its queue is dropped and its connection ended.
"""

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.websockets import WebSocket, WebSocketDisconnect

from local_supabase.identity import Identity
from local_supabase.realtime.channel import Channel
from local_supabase.realtime.framing import (
    ClientMessage,
    FrameError,
    Version,
    encode_push,
    encode_reply,
    parse_binary,
    parse_text,
)
from local_supabase.realtime.join import JoinRequest, read_join, reply_to_join
from local_supabase.realtime.private import PolicyUnavailable, Reading
from local_supabase.realtime.replay import ReplayError, StoredBroadcast, read_replay
from local_supabase.realtime.rooms import TOPIC_PREFIX, Frame
from local_supabase.realtime.services import Services
from local_supabase.realtime.subscriptions import binding_id
from local_supabase.realtime.tokens import API_KEY_PREFIX, TokenRefused
from local_supabase.websocket_protocol import abort

NORMAL_CLOSURE = 1000
GOING_AWAY = 1001
SERVICE_RESTART = 1012
_HEARTBEAT_TOPIC = "phoenix"


@dataclass(frozen=True, slots=True)
class JoinRefused(Exception):
    """A join that is answered with an error. `disconnect` ends the whole connection too."""

    reason: str
    disconnect: bool = False


class Connection:
    """One client's connection with its channels."""

    def __init__(
        self,
        services: Services,
        websocket: WebSocket,
        version: Version,
        token: str,
        headers: Mapping[str, str],
    ) -> None:
        self._services = services
        self._websocket = websocket
        self._version = version
        self._token = token
        self._headers = headers
        self._channels: dict[str, Channel] = {}
        self._queue: deque[Frame] = deque()
        self._queued_bytes = 0
        self._has_frames = asyncio.Event()
        self._close_code: int | None = None
        self._cut = asyncio.Event()

    @property
    def version(self) -> Version:
        """The protocol version the client asked for."""
        return self._version

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers of the handshake."""
        return self._headers

    def send(self, frame: Frame) -> None:
        """Queue a frame; a client that has too many waiting is given up."""
        if self._close_code is not None or self._cut.is_set():
            return
        self._queue.append(frame)
        self._queued_bytes += len(frame)
        limits = self._services.limits
        if self._queued_bytes > limits.max_queued_bytes or len(self._queue) > limits.max_queued_frames:
            self._give_up()
        self._has_frames.set()

    def _give_up(self) -> None:
        self._services.log.warning("A client does not read what it subscribed to; its connection is ended")
        self._cut.set()
        self._queue.clear()
        self._queued_bytes = 0

    def disconnect(self, code: int) -> None:
        """End the connection after what is queued has been sent; a client that does not read is cut off."""
        if self._close_code is None:
            self._close_code = code
            self._has_frames.set()
            asyncio.get_running_loop().call_later(self._services.limits.goodbye_seconds, self._cut.set)

    def forget(self, channel: Channel) -> None:
        """Drop a channel that has ended."""
        if self._channels.get(channel.topic) is channel:
            del self._channels[channel.topic]

    async def run(self) -> None:
        """Serve until either side ends the connection."""
        work = (self._send_queued(), self._receive(), self._cut.wait())
        tasks = [asyncio.ensure_future(part) for part in work]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if self._cut.is_set():
                abort(self._websocket)
            for task in tasks:
                task.cancel()
            for result in await asyncio.gather(*tasks, return_exceptions=True):
                if isinstance(result, Exception) and not isinstance(result, WebSocketDisconnect):
                    self._services.log.error("A connection broke", exc_info=result)
            for channel in list(self._channels.values()):
                channel.close()

    async def _send_queued(self) -> None:
        while True:
            while self._queue:
                frame = self._queue.popleft()
                self._queued_bytes -= len(frame)
                if isinstance(frame, bytes):
                    await self._websocket.send_bytes(frame)
                else:
                    await self._websocket.send_text(frame)
            if self._close_code is not None:
                await self._websocket.close(self._close_code)
                return
            self._has_frames.clear()
            await self._has_frames.wait()

    async def _receive(self) -> None:
        while self._close_code is None:
            try:
                async with asyncio.timeout(self._services.limits.idle_seconds):
                    received = await self._websocket.receive()
            except TimeoutError:
                self.disconnect(NORMAL_CLOSURE)
                await self._has_ended()
                return
            except WebSocketDisconnect:
                return
            if received["type"] == "websocket.disconnect":
                return
            message = self._parse(received.get("text"), received.get("bytes"))
            if message is not None:
                await self._handle_safely(message)
        await self._has_ended()

    async def _has_ended(self) -> None:
        # The sender says goodbye and returns first.
        await asyncio.Event().wait()

    def _parse(self, text: str | None, data: bytes | None) -> ClientMessage | None:
        try:
            if text is not None:
                return parse_text(self._version, text)
            if data is not None and self._version is Version.V2:
                return parse_binary(data)
        except FrameError as error:
            self._services.log.debug("A frame was ignored: %s", error)
        return None

    async def _handle_safely(self, message: ClientMessage) -> None:
        try:
            await self._handle(message)
        except Exception:
            # A fault of ours costs the client this channel, and never its others.
            self._services.log.exception("A message could not be handled")
            channel = self._channels.get(message.topic)
            if channel is not None:
                channel.crash()

    async def _handle(self, message: ClientMessage) -> None:
        channel = self._channels.get(message.topic)
        if message.topic == _HEARTBEAT_TOPIC:
            self._heartbeat(message)
        elif message.event == "phx_join":
            await self._join(message, channel)
        elif message.event == "phx_leave":
            self._leave(message, channel)
        elif channel is None:
            self._reply(message, "error", {"reason": "unmatched topic"})
        else:
            await channel.handle(message)

    def _heartbeat(self, message: ClientMessage) -> None:
        if message.event == "heartbeat":
            self._reply(message, "ok", {})

    def _leave(self, message: ClientMessage, channel: Channel | None) -> None:
        if channel is not None:
            channel.close()
        self._reply(message, "ok", {}, join_ref=channel.join_ref if channel else message.join_ref)
        if channel is not None:
            channel.say_closed()

    async def _join(self, message: ClientMessage, former: Channel | None) -> None:
        if former is not None:
            former.close()
        try:
            if not message.topic.startswith(TOPIC_PREFIX):
                self._reply(message, "error", {"reason": "unmatched topic"})
                return
            await self._admit(message)
        except JoinRefused as refusal:
            self._refuse(message, refusal)
        finally:
            # The new join is answered first.
            if former is not None:
                former.say_closed()

    def _refuse(self, message: ClientMessage, refusal: JoinRefused) -> None:
        if refusal.disconnect:
            self._reply(message, "error", {"reason": refusal.reason})
            self.disconnect(GOING_AWAY)
            return
        # Late on purpose: clients that try again at once would only be refused again.
        asyncio.get_running_loop().call_later(
            self._services.limits.join_refusal_seconds,
            self._reply,
            message,
            "error",
            {"reason": refusal.reason},
        )

    async def _admit(self, message: ClientMessage) -> None:
        name = message.topic.removeprefix(TOPIC_PREFIX)
        if not name:
            raise JoinRefused("TopicNameRequired: You must provide a topic name")
        request = read_join(message.payload)
        self._check_limits(request)
        token, identity = self._authenticate(request)
        reading = await self._authorize(name, request, identity)
        replay = await self._replay(name, request, reading)
        channel = Channel(self._services, self, name, message.join_ref, request, identity, token, reading)
        self._channels[message.topic] = channel
        ids = [binding_id(raw) for raw in request.postgres_changes]
        channel.reply(message, "ok", reply_to_join(request, ids))
        channel.start(replay)

    def _check_limits(self, request: JoinRequest) -> None:
        limits, joins = self._services.limits, self._services.joins
        if limits.private_only and not request.private:
            raise JoinRefused("PrivateOnly: This project only allows private channels")
        if joins.average() > limits.max_joins_per_second:
            raise JoinRefused("ClientJoinRateLimitReached: Too many joins per second", disconnect=True)
        joins.add()
        if len(self._channels) >= limits.max_channels_per_socket:
            raise JoinRefused("ChannelRateLimitReached: Too many channels")

    def _authenticate(self, request: JoinRequest) -> tuple[str, Identity]:
        token = request.access_token
        if token is None or token.startswith(API_KEY_PREFIX):
            token = self._token
        try:
            return token, self._services.tokens.verify(token)
        except TokenRefused as refusal:
            raise JoinRefused(f"{refusal.code}: {refusal.message}") from refusal

    async def _authorize(self, name: str, request: JoinRequest, identity: Identity) -> Reading | None:
        if not request.private:
            return None
        try:
            reading = await self._services.policies.read(
                name, identity, self._headers, presence=request.presence_enabled
            )
        except PolicyUnavailable as error:
            raise JoinRefused(
                "UnableToConnectToProject: Realtime was unable to connect to the project database"
            ) from error
        if not (reading.broadcast or reading.presence):
            raise _unreadable(name)
        return reading

    async def _replay(
        self, name: str, request: JoinRequest, reading: Reading | None
    ) -> list[StoredBroadcast]:
        if request.replay is None:
            return []
        if reading is not None and not reading.broadcast:
            raise _unreadable(name)
        try:
            if reading is None:
                raise ReplayError("Replay is not allowed for public channels")
            return await self._services.store.recent(name, read_replay(request.replay))
        except ReplayError as error:
            raise JoinRefused(f"UnableToReplayMessages: {error}") from error

    def _reply(
        self, message: ClientMessage, status: str, response: object, *, join_ref: str | None = None
    ) -> None:
        self.send(
            encode_reply(
                self._version,
                join_ref=join_ref or message.join_ref,
                ref=message.ref,
                topic=message.topic,
                status=status,
                response=response,
            )
        )

    def say_disconnected(self) -> None:
        """Tell every channel that the server is about to end the connection."""
        payload = {"extension": "system", "status": "ok", "message": "Server requested disconnect"}
        for channel in self._channels.values():
            self.send(
                encode_push(
                    self._version,
                    join_ref=channel.join_ref,
                    topic=channel.topic,
                    event="system",
                    payload=payload,
                )
            )


def _unreadable(name: str) -> JoinRefused:
    return JoinRefused(f"Unauthorized: You do not have permissions to read from this Channel topic: {name}")
