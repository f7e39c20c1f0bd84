"""A channel's own presence: what it tracks in its room, and what it is told of the others."""

from typing import TYPE_CHECKING

import orjson

from local_supabase.realtime.framing import ClientMessage
from local_supabase.realtime.limits import CallWindow
from local_supabase.realtime.services import Services

if TYPE_CHECKING:
    from local_supabase.realtime.channel import Channel


class Attendance:
    """Handles the presence messages of one channel."""

    def __init__(self, services: Services, channel: "Channel", key: str, *, enabled: bool) -> None:
        self._services = services
        self._channel = channel
        self._key = key
        self._enabled = enabled
        limits = services.limits
        self._calls = CallWindow(limits.client_presence_calls, limits.client_presence_seconds)

    def start(self) -> None:
        """Tell who is there, when the join asked for it."""
        if self._enabled:
            self._sync()

    def end(self) -> None:
        """Be absent, and let the room know."""
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
            self.end()
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
        if diff is not None and not self._count():
            return
        channel.reply(message, "ok", {})
        if diff is not None:
            channel.room.announce(diff.to_json())
        if not self._enabled:
            # A track switches presence on, so the members that were there before are still to be told.
            self._enabled = True
            self._sync()

    def _sync(self) -> None:
        if self._channel.hears_presence and self._count():
            self._channel.push("presence_state", self._channel.room.presence.state())

    def _count(self) -> bool:
        """Count a presence message; a project that has too many loses the channel."""
        presence = self._services.presence
        if presence.average() > self._services.limits.max_presence_per_second:
            self._channel.shut_down("Too many presence messages per second")
            return False
        presence.add()
        return True
