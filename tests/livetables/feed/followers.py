"""People who follow their private messages, on websockets that they share."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

from livetables.config import EngineConfig
from livetables.feed.connection import Connections, LivenessCheck
from livetables.feed.subscription import Binding, Subscription, SubscriptionConfig
from livetables.tables.changes import Record
from livetables.timing import Timing
from local_supabase.stack.runtime import StackInfo
from tests.livetables.broken import QUICK, sql
from tests.livetables.fault_proxy import FaultProxy
from tests.support.crowd import Guest, crowd
from tests.support.wait import wait_until

PATIENT = replace(QUICK, open=60)
"""A busy machine takes its time to open a subscription."""


async def answers() -> bool:
    """Say that HTTP answers."""
    return True


def connections_to(project: EngineConfig, timing: Timing = PATIENT, most_channels: int = 100) -> Connections:
    liveness = LivenessCheck(lambda: timing.heartbeat, answers)
    return Connections(project, timing, liveness, most_channels)


@dataclass(slots=True)
class Follower:
    """One person who follows the private messages that they may see."""

    guest: Guest
    subscription: Subscription
    bodies: list[object] = field(default_factory=list)
    subscribed: int = 0

    @classmethod
    def of(cls, guest: Guest, connections: Connections) -> Follower:
        """Make a follower whose subscription is not open yet."""
        config = SubscriptionConfig([Binding("private_messages")], connections.timing, connections)
        one = cls(guest, Subscription(config, lambda data: one.receive(data), lambda: one.count()))
        return one

    async def open(self) -> None:
        """Open the subscription with a new token."""
        await self.subscription.open(self.guest.access_token())

    def receive(self, data: Record) -> None:
        """Keep the text of a message."""
        record = data["record"]
        assert isinstance(record, dict)
        self.bodies.append(record["body"])

    def count(self) -> None:
        """Count that changes begin to arrive."""
        self.subscribed += 1

    @property
    def topic(self) -> str:
        """The topic of the channel."""
        assert self.subscription._channel is not None
        return self.subscription._channel.topic


@contextlib.asynccontextmanager
async def followers(stack: StackInfo, connections: Connections, count: int) -> AsyncIterator[list[Follower]]:
    """Give followers whose subscriptions are open."""
    some = [Follower.of(guest, connections) for guest in crowd(stack, count)]
    try:
        await asyncio.gather(*(one.open() for one in some))
        yield some
    finally:
        await asyncio.gather(*(one.subscription.close() for one in some))


def write(stack: StackInfo, *recipients: Follower) -> None:
    """Send each of them a message that names them."""
    with sql(stack) as cursor:
        for one in recipients:
            cursor.execute(
                "insert into public.private_messages (sender_id, recipient_id, body) select id, %s, %s"
                " from public.users where id <> %s limit 1",
                (one.guest.user_id, one.guest.user_id, one.guest.user_id),
            )


async def wait_told(*some: Follower, times: int = 1) -> None:
    """Wait until each has received their messages."""
    await wait_until(lambda: all(len(one.bodies) >= times for one in some), within=30, what="the messages")


def project(proxy: FaultProxy, stack: StackInfo) -> EngineConfig:
    """Return the project behind the proxy."""
    return EngineConfig(proxy.url, stack.anon_key)
