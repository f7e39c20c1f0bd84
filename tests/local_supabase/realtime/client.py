"""A client that speaks the wire protocol itself, so that tests see the bytes that other clients see."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import websockets
from websockets.asyncio.client import ClientConnection

# Messages are JSON of any shape; tests look into them.
Message = dict[str, Any]

_PATIENCE = 30.0  # seconds


@dataclass(slots=True)
class Client:
    """One websocket. Messages of version 2 are shown in the form of version 1, with their join_ref."""

    websocket: ClientConnection
    version: str
    received: list[Message | bytes] = field(default_factory=list)
    _ref: int = 0

    async def send(self, topic: str, event: str, payload: object, join_ref: str | None = None) -> str:
        self._ref += 1
        ref = str(self._ref)
        await self.send_as(topic, event, payload, ref, join_ref)
        return ref

    async def send_as(
        self, topic: str, event: str, payload: object, ref: str | None, join_ref: str | None = None
    ) -> None:
        if self.version == "1.0.0":
            message: object = {
                "topic": topic,
                "event": event,
                "payload": payload,
                "ref": ref,
                "join_ref": join_ref,
            }
        else:
            message = [join_ref, ref, topic, event, payload]
        await self.websocket.send(json.dumps(message))

    async def join(self, name: str, config: object = None, **payload: object) -> Message:
        """Join a channel and return the reply."""
        self._ref += 1
        ref = str(self._ref)
        document = {"config": config or {}, **payload}
        await self.send_as(f"realtime:{name}", "phx_join", document, ref, ref)
        return await self.reply_to(ref)

    async def subscribe(self, name: str, *changes: Message, **payload: object) -> list[int]:
        """Join with postgres_changes, wait until they are active, and return their ids."""
        reply = await self.join(name, {"postgres_changes": list(changes)}, **payload)
        assert reply["payload"]["status"] == "ok", reply
        system = await self.event("system")
        assert system["payload"]["status"] == "ok", system
        return [change["id"] for change in reply["payload"]["response"]["postgres_changes"]]

    async def reply_to(self, ref: str) -> Message:
        return await self.find(lambda message: message["event"] == "phx_reply" and message["ref"] == ref)

    async def event(self, event: str) -> Message:
        """Return the next message of this event, keeping those before it."""
        return await self.find(lambda message: message["event"] == event)

    async def change(self) -> Message:
        """Return the data of the next change."""
        message = await self.event("postgres_changes")
        data: Message = message["payload"]["data"]
        return data

    async def changes(self, count: int) -> list[Message]:
        """Return the data of the next changes."""
        return [await self.change() for _ in range(count)]

    async def binary(self) -> bytes:
        """Return the next binary frame."""
        while True:
            for index, message in enumerate(self.received):
                if isinstance(message, bytes):
                    del self.received[index]
                    return message
            await self._receive()

    async def find(self, wanted: Callable[[Message], bool]) -> Message:
        while True:
            for index, message in enumerate(self.received):
                if isinstance(message, dict) and wanted(message):
                    del self.received[index]
                    return message
            await self._receive()

    async def _receive(self) -> None:
        async with asyncio.timeout(_PATIENCE):
            frame = await self.websocket.recv()
        self.received.append(self._read(frame))

    def _read(self, frame: str | bytes) -> Message | bytes:
        if isinstance(frame, bytes):
            return frame
        message = json.loads(frame)
        if self.version == "1.0.0":
            assert "join_ref" not in message
            assert "ref" in message
            return dict(message)
        join_ref, ref, topic, event, payload = message
        return {"join_ref": join_ref, "ref": ref, "topic": topic, "event": event, "payload": payload}

    async def settle(self) -> list[Message | bytes]:
        """Return everything that arrived up to the answer to a heartbeat, which is sent now."""
        ref = await self.send("phoenix", "heartbeat", {})
        await self.reply_to(ref)
        settled, self.received = self.received, []
        return settled

    async def closed(self) -> int:
        """Wait until the server has closed the connection and return the code."""
        async with asyncio.timeout(_PATIENCE):
            await self.websocket.wait_closed()
        assert self.websocket.close_code is not None
        return self.websocket.close_code


@asynccontextmanager
async def connect(url: str, apikey: str, version: str = "1.0.0", **headers: str) -> AsyncIterator[Client]:
    address = f"{url}/websocket?apikey={apikey}&vsn={version}"
    async with websockets.connect(address, additional_headers=headers, max_size=None) as websocket:
        yield Client(websocket, version)
