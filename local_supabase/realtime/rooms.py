"""Rooms: the channels that are joined to one topic and receive its broadcasts and presence.

A public and a private channel of the same name are in two rooms.
"""

from collections.abc import Mapping
from typing import Protocol

import orjson

from local_supabase.realtime.framing import (
    Encoding,
    FrameError,
    JsonObject,
    UserBroadcast,
    Version,
    encode_push,
    encode_user_broadcast,
)
from local_supabase.realtime.presence import Presence

TOPIC_PREFIX = "realtime:"
Frame = str | bytes


class Member(Protocol):
    """A joined channel, as its room sees it."""

    @property
    def version(self) -> Version:
        """The protocol version of its socket."""

    @property
    def reads_broadcasts(self) -> bool:
        """Whether its policies let it read broadcasts."""

    @property
    def reads_presence(self) -> bool:
        """Whether its policies let it read presence."""

    def send_broadcast(self, frame: Frame, xid: int | None = None) -> None:
        """Push an encoded broadcast; `xid` is the transaction that stored it, if one did."""

    def send_presence(self, frame: Frame) -> None:
        """Push an encoded presence_diff."""


class Room:
    """One topic's members and their presence."""

    def __init__(self, name: str) -> None:
        self.topic = TOPIC_PREFIX + name
        self.members: dict[Member, None] = {}
        self.presence: Presence[Member] = Presence()

    def broadcast(
        self,
        message: Mapping[str, object] | UserBroadcast,
        *,
        sender: Member | None = None,
        xid: int | None = None,
    ) -> None:
        """Send a message to all members that may read broadcasts. Its frame is encoded once for each version.

        Arguments:
            message: the JSON payload, or the bytes that the sender gave.
            sender: a member that does not receive it.
            xid: the transaction that stored the message in `realtime.messages`, if one did.
        """
        frames: dict[Version, Frame | None] = {}
        # A copy, because sending to a member that is over its limits makes it leave.
        for member in list(self.members):
            if member is sender or not member.reads_broadcasts:
                continue
            if member.version not in frames:
                frames[member.version] = broadcast_frame(member.version, self.topic, message)
            frame = frames[member.version]
            if frame is not None:
                member.send_broadcast(frame, xid)

    def announce(self, diff: JsonObject) -> None:
        """Send a presence_diff to all members that may read presence."""
        frames: dict[Version, str] = {}
        for member in list(self.members):
            if not member.reads_presence:
                continue
            if member.version not in frames:
                frames[member.version] = encode_push(
                    member.version, join_ref=None, topic=self.topic, event="presence_diff", payload=diff
                )
            member.send_presence(frames[member.version])


class Rooms:
    """All rooms that have members."""

    def __init__(self) -> None:
        self._rooms: dict[tuple[bool, str], Room] = {}

    def enter(self, member: Member, name: str, *, private: bool) -> Room:
        """Add a member to a room, creating the room for its first member, and return it."""
        room = self._rooms.setdefault((private, name), Room(name))
        room.members[member] = None
        return room

    def leave(self, member: Member, name: str, *, private: bool) -> None:
        """Remove a member; a room ends with its last member. Does nothing for one that is not in the room."""
        room = self._rooms.get((private, name))
        if room is None:
            return
        room.members.pop(member, None)
        if not room.members:
            del self._rooms[private, name]

    def find(self, name: str, *, private: bool) -> Room | None:
        """Return a room, or None when it has no members."""
        return self._rooms.get((private, name))


def broadcast_frame(
    version: Version,
    topic: str,
    message: Mapping[str, object] | UserBroadcast,
    *,
    join_ref: str | None = None,
) -> Frame | None:
    """Encode a broadcast for a protocol version; None when the version cannot express it."""
    if not isinstance(message, UserBroadcast):
        return encode_push(version, join_ref=join_ref, topic=topic, event="broadcast", payload=message)
    try:
        if version is Version.V2:
            return encode_user_broadcast(topic, message)
        return _as_json(topic, message)
    except (FrameError, orjson.JSONDecodeError):
        return None


def _as_json(topic: str, message: UserBroadcast) -> str | None:
    if message.encoding is Encoding.BINARY:
        return None
    payload: JsonObject = {
        "type": "broadcast",
        "event": message.event,
        "payload": orjson.loads(message.payload),
    }
    if message.metadata:
        payload["meta"] = orjson.loads(message.metadata)
    return encode_push(Version.V1, join_ref=None, topic=topic, event="broadcast", payload=payload)
