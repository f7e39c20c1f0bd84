"""Faults between the engine and its Supabase, one after the other, all from one seed."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.live.fault_proxy import FaultProxy, Message

Fault = Callable[[FaultProxy, random.Random], None]


def cut(proxy: FaultProxy, _: random.Random) -> None:
    """Reset every connection."""
    proxy.cut()


def refuse(proxy: FaultProxy, _: random.Random) -> None:
    """Accept no connection."""
    proxy.refuse()


def stall(proxy: FaultProxy, _: random.Random) -> None:
    """Be half-open: pass nothing on, close nothing."""
    proxy.stalled = True


def forget(proxy: FaultProxy, _: random.Random) -> None:
    """Let the present connections be half-open for ever."""
    proxy.forget()


def be_silent(proxy: FaultProxy, _: random.Random) -> None:
    """Accept and never answer."""
    proxy.silent = True
    proxy.cut()


def refuse_websockets(proxy: FaultProxy, _: random.Random) -> None:
    """Leave nothing but HTTP."""
    proxy.no_websockets = True
    proxy.cut()


def fail(proxy: FaultProxy, _: random.Random) -> None:
    """Answer that the servers behind are gone."""
    proxy.failing = True
    proxy.cut()


def drop_events(proxy: FaultProxy, chance: random.Random) -> None:
    """Lose one event in five, in silence."""
    proxy.rewrite = dropping(chance, 0.2)


def delay(proxy: FaultProxy, chance: random.Random) -> None:
    """Let everything be late, by different times on different connections, so that their order is lost."""
    proxy.delay = lambda: chance.uniform(0, 0.4)


def lose_answers(proxy: FaultProxy, chance: random.Random) -> None:
    """Do what is asked, and leave one request in three without its answer."""
    proxy.loses_answer = lambda: chance.random() < 0.3


def close(proxy: FaultProxy, chance: random.Random) -> None:
    """Close the websockets with one of the codes that servers use."""
    proxy.close_websockets(chance.choice([1000, 1001, 1006, 1011, 1012]))


def refuse_joins(proxy: FaultProxy, _: random.Random) -> None:
    """Answer every join with an error, on new websockets."""
    proxy.rewrite = _refused
    proxy.close_websockets(1012)


def end_channels(proxy: FaultProxy, chance: random.Random) -> None:
    """Say that the channels are over, in one of the server's three ways."""
    proxy.inject(chance.choice(ENDS))


FAULTS: tuple[Fault, ...] = (
    cut,
    refuse,
    stall,
    forget,
    be_silent,
    refuse_websockets,
    fail,
    drop_events,
    delay,
    lose_answers,
    close,
    refuse_joins,
    end_channels,
)

ENDS: tuple[Message, ...] = (
    {"topic": "realtime:tavern", "event": "phx_close", "payload": {}, "ref": "1"},
    {"topic": "realtime:tavern", "event": "phx_error", "payload": {}, "ref": None},
    {
        "topic": "realtime:tavern",
        "event": "system",
        "ref": None,
        "payload": {
            "extension": "postgres_changes",
            "status": "error",
            "message": "An exception happened",
            "channel": "tavern",
        },
    },
)
"""What a server says at the end of a channel."""


def dropping(chance: random.Random, share: float) -> Callable[[Message], Message | None]:
    """Return what loses this share of the events, in silence."""

    def drop(message: Message) -> Message | None:
        return None if message["event"] == "postgres_changes" and chance.random() < share else message

    return drop


def _refused(message: Message) -> Message:
    if message["event"] != "phx_reply" or not message["topic"].startswith("realtime:"):
        return message
    reason = {"reason": "ChannelRateLimitReached: Too many channels"}
    return {**message, "payload": {"status": "error", "response": reason}}


@dataclass(slots=True)
class Weather:
    """Breaks and mends the passage at random. What is done depends on the seed, not on the time it takes."""

    proxy: FaultProxy
    chance: random.Random
    longest: float = 0.7
    """Seconds before the next fault or the next mending."""
    others: Mapping[str, Callable[[], None]] = field(default_factory=dict)
    """What else may happen meanwhile, by name."""
    happened: Counter[str] = field(default_factory=Counter)

    def blow(self, seconds: float) -> None:
        """Go on for so long. Does not heal at the end."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self._worsen()
            let_pass(self.chance.uniform(0.05, self.longest))
            if self.chance.random() < 0.7:
                self._mend()
                let_pass(self.chance.uniform(0.05, self.longest))

    def _worsen(self) -> None:
        names = [*(fault.__name__ for fault in FAULTS), *self.others]
        name = self.chance.choice(names)
        self.happened[name] += 1
        if name in self.others:
            self.others[name]()
        else:
            next(fault for fault in FAULTS if fault.__name__ == name)(self.proxy, self.chance)

    def _mend(self) -> None:
        (self.proxy.heal if self.chance.random() < 0.5 else self.proxy.heal_quietly)()


def let_pass(seconds: float) -> None:
    """Let time pass: a storm is made of it. Nothing is waited for here that could be asked about."""
    threading.Event().wait(seconds)
