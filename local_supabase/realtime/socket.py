"""The websocket of one client: handles its messages in order, and sends the frames queued for it.

The queue is bounded: a client that does not read is disconnected, so that it cannot fill the memory.
"""

import asyncio
from collections import deque
from collections.abc import Mapping

from starlette.websockets import WebSocket, WebSocketDisconnect

from local_supabase.background import start_task
from local_supabase.identity import Identity
from local_supabase.realtime.channel import AdmittedJoin, Channel
from local_supabase.realtime.framing import (
    ClientMessage,
    FrameError,
    NotUnicodeError,
    Version,
    encode_reply,
    parse_binary,
    parse_text,
)
from local_supabase.realtime.join import JoinRequest, filter_size, read_join, reply_to_join
from local_supabase.realtime.private import PolicyUnavailableError, Reading
from local_supabase.realtime.replay import Replay, ReplayError, ReplayRequest, read_replay
from local_supabase.realtime.rooms import TOPIC_PREFIX, Frame
from local_supabase.realtime.services import Services
from local_supabase.realtime.subscriptions import binding_id
from local_supabase.realtime.tokens import API_KEY_PREFIX, TokenRefusedError
from local_supabase.websocket_protocol import abort

NORMAL_CLOSURE = 1000
GOING_AWAY = 1001
SERVICE_RESTART = 1012
_HEARTBEAT_TOPIC = "phoenix"


class JoinRefusedError(Exception):
    """A join that is answered with an error.

    Arguments:
        reason: what the client is sent.
        disconnect: whether the connection, with all its channels, is closed too.
    """

    def __init__(self, reason: str, *, disconnect: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.disconnect = disconnect


class Connection:
    """One client's connection with its channels.

    Arguments:
        services: the shared parts of Realtime.
        websocket: the accepted websocket.
        version: the protocol version that the client asked for.
        token: the token of the handshake, for joins that bring none of their own.
        headers: the headers of the handshake.

    Attributes:
        checks: is held while bindings of one of its channels are checked.
    """

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
        self._aborted = asyncio.Event()
        self.checks = asyncio.Lock()

    @property
    def version(self) -> Version:
        """The protocol version the client asked for."""
        return self._version

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers of the handshake."""
        return self._headers

    def send(self, frame: Frame) -> None:
        """Queue a frame. A client whose queue is over its limits is disconnected."""
        if self._close_code is not None or self._aborted.is_set():
            return
        self._queue.append(frame)
        self._queued_bytes += len(frame)
        limits = self._services.limits
        if self._queued_bytes > limits.max_queued_bytes or len(self._queue) > limits.max_queued_frames:
            self._abort()
        self._has_frames.set()

    def _abort(self) -> None:
        self._services.log.warning("A client does not read what it subscribed to; its connection is ended")
        self._aborted.set()
        self._queue.clear()
        self._queued_bytes = 0

    def disconnect(self, code: int) -> None:
        """Close the connection once the queue is sent, or abort it after `goodbye_seconds`.

        Arguments:
            code: the WebSocket close code; that of the first call counts.
        """
        if self._close_code is None:
            self._close_code = code
            self._has_frames.set()
            asyncio.get_running_loop().call_later(self._services.limits.goodbye_seconds, self._aborted.set)

    def remove(self, channel: Channel) -> None:
        """Drop a channel that has ended."""
        if self._channels.get(channel.topic) is channel:
            del self._channels[channel.topic]

    async def run(self) -> None:
        """Serve until either side ends the connection."""
        work = (self._send_queued(), self._receive(), self._aborted.wait())
        tasks = [start_task(part) for part in work]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if self._aborted.is_set():
                abort(self._websocket)
            for task in tasks:
                task.cancel()
            for result in await asyncio.gather(*tasks, return_exceptions=True):
                if isinstance(result, Exception) and not isinstance(result, WebSocketDisconnect):
                    self._services.log.error("A connection failed", exc_info=result)
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
                await self._wait_for_close()
                return
            except WebSocketDisconnect:
                return
            if received["type"] == "websocket.disconnect":
                return
            message = self._parse(received.get("text"), received.get("bytes"))
            if message is not None:
                await self._handle_safely(message)
        await self._wait_for_close()

    async def _wait_for_close(self) -> None:
        # Returning would end the connection before the sender has sent the queue and the close frame. The
        # sender returns when it has, and this is cancelled.
        await asyncio.Event().wait()

    def _parse(self, text: str | None, data: bytes | None) -> ClientMessage | None:
        try:
            if text is not None:
                return parse_text(self._version, text)
            if data is not None and self._version is Version.V2:
                return parse_binary(data)
        except NotUnicodeError as error:
            # The client waits for an answer.
            self._reply(error.message, "error", {"reason": "The message holds half of a surrogate pair"})
        except FrameError as error:
            self._services.log.debug("A frame was ignored: %s", error)
        return None

    async def _handle_safely(self, message: ClientMessage) -> None:
        try:
            await self._handle(message)
        except Exception:
            # An unexpected error ends this channel only, so that the client keeps its others.
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
            channel.send_close()

    async def _join(self, message: ClientMessage, former: Channel | None) -> None:
        if former is not None:
            former.close()
        try:
            if not message.topic.startswith(TOPIC_PREFIX):
                self._reply(message, "error", {"reason": "unmatched topic"})
                return
            await self._admit(message)
        except JoinRefusedError as refusal:
            self._refuse(message, refusal)
        finally:
            # After the answer to the new join, as Phoenix does it.
            if former is not None:
                former.send_close()

    def _refuse(self, message: ClientMessage, refusal: JoinRefusedError) -> None:
        if refusal.disconnect:
            self._reply(message, "error", {"reason": refusal.reason})
            self.disconnect(GOING_AWAY)
            return
        # Delayed on purpose: it slows down clients that join again at once.
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
            raise JoinRefusedError("TopicNameRequired: You must provide a topic name")
        request = read_join(message.payload)
        self._check_limits(request)
        token, identity = self._authenticate(request)
        reading = await self._authorize(name, request, identity)
        wanted = _replay_request(name, request, reading)
        join = AdmittedJoin(name, message.join_ref, request, token, identity, reading)
        # The channel enters its room before the replay is read. A message that is stored during the read is
        # then in one of the two.
        channel = Channel(self._services, self, join)
        self._channels[message.topic] = channel
        try:
            replay = await self._read_replay(name, wanted)
        except JoinRefusedError:
            channel.close()
            raise
        ids = [binding_id(raw) for raw in request.postgres_changes]
        channel.reply(message, "ok", reply_to_join(request, ids))
        channel.start(replay)

    def _check_limits(self, request: JoinRequest) -> None:
        limits, joins = self._services.limits, self._services.joins
        if limits.private_only and not request.private:
            raise JoinRefusedError("PrivateOnly: This project only allows private channels")
        if joins.average() > limits.max_joins_per_second:
            raise JoinRefusedError("ClientJoinRateLimitReached: Too many joins per second", disconnect=True)
        joins.add()
        if len(self._channels) >= limits.max_channels_per_socket:
            raise JoinRefusedError("ChannelRateLimitReached: Too many channels")
        self._check_bindings(request)

    def _check_bindings(self, request: JoinRequest) -> None:
        limits, bindings, size = self._services.limits, len(request.postgres_changes), filter_size(request)
        if bindings > limits.max_bindings_per_channel:
            raise _too_many("bindings in a channel", limits.max_bindings_per_channel)
        if bindings and bindings + self._bindings() > limits.max_bindings_per_socket:
            raise _too_many("bindings in a connection", limits.max_bindings_per_socket)
        if size.terms > limits.max_filter_terms_per_channel:
            raise _too_many("conditions and values in the filters", limits.max_filter_terms_per_channel)
        if size.length > limits.max_filter_bytes_per_channel:
            raise _too_many("characters in the filters", limits.max_filter_bytes_per_channel)

    def _bindings(self) -> int:
        return sum(channel.bindings for channel in self._channels.values())

    def _authenticate(self, request: JoinRequest) -> tuple[str, Identity]:
        token = request.access_token
        if token is None or token.startswith(API_KEY_PREFIX):
            token = self._token
        try:
            return token, self._services.tokens.verify(token)
        except TokenRefusedError as refusal:
            raise JoinRefusedError(str(refusal)) from refusal

    async def _authorize(self, name: str, request: JoinRequest, identity: Identity) -> Reading | None:
        if not request.private:
            return None
        try:
            reading = await self._services.policies.read(
                name, identity, self._headers, presence=request.presence_enabled
            )
        except PolicyUnavailableError as error:
            raise JoinRefusedError(
                "UnableToConnectToProject: Realtime was unable to connect to the project database"
            ) from error
        if not (reading.broadcast or reading.presence):
            raise _unreadable(name)
        return reading

    async def _read_replay(self, name: str, wanted: ReplayRequest | None) -> Replay | None:
        if wanted is None:
            return None
        try:
            return await self._services.store.recent(name, wanted)
        except ReplayError as error:
            raise _not_replayable(error) from error

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


def _replay_request(name: str, request: JoinRequest, reading: Reading | None) -> ReplayRequest | None:
    """Read and check the replay of a join; return None for a join without one."""
    if request.replay is None:
        return None
    if reading is None:
        raise _not_replayable(ReplayError("Replay is not allowed for public channels"))
    if not reading.broadcast:
        raise _unreadable(name)
    try:
        return read_replay(request.replay)
    except ReplayError as error:
        raise _not_replayable(error) from error


def _not_replayable(error: ReplayError) -> JoinRefusedError:
    return JoinRefusedError(f"UnableToReplayMessages: {error}")


def _too_many(what: str, most: int) -> JoinRefusedError:
    return JoinRefusedError(f"PostgresChangesLimitReached: At most {most} {what}")


def _unreadable(name: str) -> JoinRefusedError:
    return JoinRefusedError(
        f"Unauthorized: You do not have permissions to read from this Channel topic: {name}"
    )
