"""The postgres_changes subscription of one channel, made under its newest token and retried."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from local_supabase.realtime.postgres_changes import PostgresChanges, SubscriptionUnavailableError
from local_supabase.realtime.subscriptions import (
    Binding,
    Subscriber,
    SubscriptionError,
    binding_id,
    read_parameters,
)
from local_supabase.realtime.tasks import Tasks

_RETRY_SECONDS = 5.0


class SubscribingChannel(Subscriber, Protocol):
    """A channel, as its subscription sees it."""

    @property
    def checks(self) -> asyncio.Lock:
        """Is held while bindings of a channel of its socket are checked."""

    def send_system(self, extension: str, status: str, message: str) -> None:
        """Send a `system` message."""


class ChannelSubscription:
    """Keeps the bindings of one channel active.

    Arguments:
        channel: the subscriber.
        changes: the bindings of all channels.
        tasks: runs the subscribing.
        entries: the raw entries of the join's `postgres_changes`.
    """

    def __init__(
        self, channel: SubscribingChannel, changes: PostgresChanges, tasks: Tasks, entries: Sequence[object]
    ) -> None:
        self._channel = channel
        self._changes = changes
        self._tasks = tasks
        self._entries = entries
        self._bindings: list[Binding] = []
        self._subscribing: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Subscribe under the channel's newest token, in place of a subscription still being made."""
        self._cancel()
        if self._entries:
            self._subscribing = self._tasks.start(self._subscribe())

    def close(self) -> None:
        """End the subscription."""
        self._cancel()
        self._replace_bindings([])

    def end_binding(self, binding: Binding, reason: str) -> None:
        """Deactivate one binding, and send the client the reason."""
        self._changes.subscriptions.remove([binding])
        if binding in self._bindings:
            self._bindings.remove(binding)
            self._channel.send_system("postgres_changes", "error", reason)

    def _cancel(self) -> None:
        if self._subscribing is not None:
            self._subscribing.cancel()

    async def _subscribe(self) -> None:
        try:
            wanted = [(binding_id(raw), read_parameters(raw)) for raw in self._entries]
        except SubscriptionError as error:
            self._channel.send_system("postgres_changes", "error", str(error))
            return
        while True:
            try:
                # A socket with many channels waits for itself, and not others for all of its channels.
                async with self._channel.checks:
                    bindings = await self._changes.subscribe(self._channel, wanted)
            except SubscriptionError as error:
                self._replace_bindings([])
                self._channel.send_system("postgres_changes", "error", str(error))
                return
            except SubscriptionUnavailableError:
                await asyncio.sleep(_RETRY_SECONDS)
                continue
            except Exception:
                # The client waits for an answer, and would wait for changes.
                self._replace_bindings([])
                self._channel.send_system("postgres_changes", "error", "Unable to subscribe to changes")
                raise
            self._replace_bindings(bindings)
            self._channel.send_system("postgres_changes", "ok", "Subscribed to PostgreSQL")
            return

    def _replace_bindings(self, bindings: list[Binding]) -> None:
        self._changes.subscriptions.remove(self._bindings)
        self._bindings = bindings
