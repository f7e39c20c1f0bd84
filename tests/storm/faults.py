"""Faults of the proxy between the engine and its Supabase, chosen at random from one seed."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.livetables.fault_proxy import FaultProxy, Message

Fault = Callable[[FaultProxy, random.Random], None]


def cut(proxy: FaultProxy, _: random.Random) -> None:
    """Reset every connection."""
    proxy.cut()


def refuse(proxy: FaultProxy, _: random.Random) -> None:
    """Accept no connection."""
    proxy.refuse()


def stall(proxy: FaultProxy, _: random.Random) -> None:
    """Be half-open: pass on nothing and close nothing."""
    proxy.stalled = True


def forget(proxy: FaultProxy, _: random.Random) -> None:
    """Leave the present connections half-open for ever."""
    proxy.forget()


def answer_nothing(proxy: FaultProxy, _: random.Random) -> None:
    """Accept connections and never answer."""
    proxy.silent = True
    proxy.cut()


def refuse_websockets(proxy: FaultProxy, _: random.Random) -> None:
    """Allow only HTTP."""
    proxy.no_websockets = True
    proxy.cut()


def fail(proxy: FaultProxy, _: random.Random) -> None:
    """Answer every request with 503."""
    proxy.failing = True
    proxy.cut()


def drop_events(proxy: FaultProxy, chance: random.Random) -> None:
    """Drop one event in five without notice."""
    proxy.rewrite = dropping(chance, 0.2)


def delay(proxy: FaultProxy, chance: random.Random) -> None:
    """Delay each connection by another time, so that messages overtake each other."""
    proxy.delay = lambda: chance.uniform(0, 0.4)


def lose_answers(proxy: FaultProxy, chance: random.Random) -> None:
    """Pass on every request, and drop the answers of one in three."""
    proxy.loses_answer = lambda: chance.random() < 0.3


def close(proxy: FaultProxy, chance: random.Random) -> None:
    """Close the websockets with one of the codes that servers use."""
    proxy.close_websockets(chance.choice([1000, 1001, 1006, 1011, 1012]))


def refuse_joins(proxy: FaultProxy, _: random.Random) -> None:
    """Close the websockets, and refuse every join on the new ones."""
    proxy.rewrite = _refused
    proxy.close_websockets(1012)


def end_channels(proxy: FaultProxy, chance: random.Random) -> None:
    """End all channels, or one of them, with one of the three messages that a server uses."""
    end, topics = chance.choice(ENDS), sorted(proxy.topics)
    for topic in topics if chance.random() < 0.5 else topics[-1:]:
        proxy.inject({**end, "topic": topic})


FAULTS: tuple[Fault, ...] = (
    cut,
    refuse,
    stall,
    forget,
    answer_nothing,
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
"""The messages with which a server ends a channel."""


def dropping(chance: random.Random, share: float) -> Callable[[Message], Message | None]:
    """Return a filter that drops this share of the events without notice."""

    def drop(message: Message) -> Message | None:
        return None if message["event"] == "postgres_changes" and chance.random() < share else message

    return drop


def _refused(message: Message) -> Message:
    if message["event"] != "phx_reply" or not message["topic"].startswith("realtime:"):
        return message
    reason = {"reason": "ChannelRateLimitReached: Too many channels"}
    return {**message, "payload": {"status": "error", "response": reason}}


@dataclass(slots=True)
class RandomFaults:
    """Breaks and heals the proxy at random. The order of the faults depends on the seed alone."""

    proxy: FaultProxy
    chance: random.Random
    longest: float = 0.7
    """The longest time in seconds between a fault and the next fault or healing."""
    others: Mapping[str, Callable[[], None]] = field(default_factory=dict)
    """Other things that happen at random, by name."""
    happened: Counter[str] = field(default_factory=Counter)

    def run(self, seconds: float) -> None:
        """Make faults for so many seconds. Leaves the last ones in place."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self._break()
            elapse(self.chance.uniform(0.05, self.longest))
            if self.chance.random() < 0.7:
                self._heal()
                elapse(self.chance.uniform(0.05, self.longest))

    def _break(self) -> None:
        names = [*(fault.__name__ for fault in FAULTS), *self.others]
        name = self.chance.choice(names)
        self.happened[name] += 1
        if name in self.others:
            self.others[name]()
        else:
            next(fault for fault in FAULTS if fault.__name__ == name)(self.proxy, self.chance)

    def _heal(self) -> None:
        (self.proxy.heal if self.chance.random() < 0.5 else self.proxy.heal_quietly)()


def elapse(seconds: float) -> None:
    """Let a fault last. The test needs the time itself, so there is no condition to wait for."""
    threading.Event().wait(seconds)
