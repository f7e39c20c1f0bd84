"""The presence of one channel: what it tracks in its room, and what it is sent about the other members."""

from typing import Protocol

import orjson

from local_supabase.realtime.framing import ClientMessage
from local_supabase.realtime.limits import CallWindow
from local_supabase.realtime.rights import Rights
from local_supabase.realtime.rooms import Member, Room
from local_supabase.realtime.services import Services


class PresentMember(Member, Protocol):
    """A channel, as its presence sees it."""

    room: Room
    rights: Rights

    def reply(self, message: ClientMessage, status: str, response: object) -> None:
        """Answer a message."""

    def push(self, event: str, payload: object) -> None:
        """Send an event."""

    def shut_down(self, reason: str) -> None:
        """End and send the client the reason."""


class ChannelPresence:
    """Handles the presence messages of one channel.

    Arguments:
        services: the shared parts of Realtime.
        channel: the member that is present.
        key: the presence key of the join.
        enabled: whether the join asked for presence.
    """

    def __init__(self, services: Services, channel: PresentMember, key: str, *, enabled: bool) -> None:
        self._services = services
        self._channel = channel
        self._key = key
        self._enabled = enabled
        limits = services.limits
        self._calls = CallWindow(limits.client_presence_calls, limits.client_presence_seconds)

    def start(self) -> None:
        """Send the room's presence, when the join asked for it."""
        if self._enabled:
            self._send_state()

    def untrack(self) -> None:
        """End being present and announce it to the room."""
        room = self._channel.room
        diff = room.presence.untrack(self._channel, self._key)
        if diff is not None:
            room.announce(diff.to_json())

    async def handle(self, message: ClientMessage) -> None:
        """Act on `{"event": "track" | "untrack", "payload": {...}}`, in upper or lower case."""
        payload = message.payload
        event = payload.get("event") if isinstance(payload, dict) else None
        if not isinstance(payload, dict) or not isinstance(event, str):
            self._channel.reply(message, "ok", {})
        elif not self._calls.allow():
            self._channel.shut_down("Client presence rate limit exceeded")
        elif event.lower() == "track":
            await self._track(message, payload.get("payload", {}))
        elif event.lower() == "untrack":
            self._channel.reply(message, "ok", {})
            self.untrack()
        else:
            self._channel.reply(message, "error", {})

    async def _track(self, message: ClientMessage, payload: object) -> None:
        channel = self._channel
        if not await channel.rights.may_track():
            channel.reply(message, "error", {})
            return
        if not isinstance(payload, dict):
            channel.reply(message, "error", {"reason": "Presence track payload must be a map"})
            return
        if len(orjson.dumps(payload)) > self._services.limits.max_payload_bytes:
            channel.shut_down("Track message size exceeded")
            return
        diff = channel.room.presence.track(channel, self._key, payload)
        if diff is not None and not self._count_message():
            return
        channel.reply(message, "ok", {})
        if diff is not None:
            channel.room.announce(diff.to_json())
        if not self._enabled:
            # The first track enables presence, and the client has not seen the members that are there
            # already.
            self._enabled = True
            self._send_state()

    def _send_state(self) -> None:
        if self._channel.reads_presence and self._count_message():
            self._channel.push("presence_state", self._channel.room.presence.state())

    def _count_message(self) -> bool:
        """Count a presence message; return False after shutting down a channel of a project over its rate."""
        presence = self._services.presence
        if presence.average() > self._services.limits.max_presence_per_second:
            self._channel.shut_down("Too many presence messages per second")
            return False
        presence.add()
        return True
