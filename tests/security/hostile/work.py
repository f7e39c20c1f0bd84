"""People who write and listen, and what they notice of attackers."""

from __future__ import annotations

import asyncio
import json
import signal
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field

from local_supabase.stack.privileges import child_setup
from local_supabase.stack.runtime import StackInfo
from tests.local_supabase.realtime.client import connect
from tests.security.hostile.acts import Target
from tests.support.people import Person
from tests.support.stack import PROJECT


@dataclass(slots=True)
class Noticed:
    """What the people noticed.

    Attributes:
        answered: the seconds until each write was answered.
        arrived: the seconds until each written message arrived at all listeners.
        lost: the messages that were acknowledged and did not arrive.
    """

    answered: list[float] = field(default_factory=list)
    arrived: list[float] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    def with_(self, other: Noticed) -> Noticed:
        """Return what was noticed in both parts."""
        return Noticed(self.answered + other.answered, self.arrived + other.arrived, self.lost + other.lost)

    def percentile(self, percent: int) -> tuple[float, float]:
        """Return the percentiles of `answered` and of `arrived`, in seconds."""
        answered, arrived = (
            statistics.quantiles(seconds, n=100)[percent - 1] for seconds in (self.answered, self.arrived)
        )
        return answered, arrived


@contextmanager
def attacked(stack: StackInfo, attacker: Person, acts: Sequence[str]) -> Iterator[None]:
    """Let a process each repeat the acts while the block runs; it begins when all have acted once."""
    session = attacker.client.auth.get_session()
    assert session is not None
    target = json.dumps(asdict(Target(stack.url, stack.anon_key, session.access_token)))
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.security.hostile.acts", act],
            cwd=PROJECT.parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=child_setup(None, death_signal=signal.SIGKILL),
        )
        for act in acts
    ]
    try:
        for process in processes:
            assert process.stdin is not None
            process.stdin.write(target + "\n")
            process.stdin.flush()
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "attacking\n"
        yield
        assert all(process.poll() is None for process in processes), "An attacker has ended."
    finally:
        for process in processes:
            process.kill()
            process.communicate()


async def work(stack: StackInfo, people: Sequence[Person], *, seconds: float, at_least: int) -> Noticed:
    """Let the people write in turn, and listen, for so long and so many messages."""
    noticed = Noticed()
    url = f"{stack.url}/realtime/v1".replace("http", "ws", 1)
    async with connect(url, stack.anon_key) as listener:
        await listener.subscribe("room", {"event": "INSERT", "schema": "public", "table": "tavern_messages"})
        until = time.monotonic() + seconds
        written = 0
        while written < at_least or time.monotonic() < until:
            body = f"At work {uuid.uuid4()}"
            write = people[written % len(people)].client.table("tavern_messages").insert({"body": body})
            started = time.perf_counter()
            await asyncio.to_thread(write.execute)
            noticed.answered.append(time.perf_counter() - started)
            try:
                await listener.find(lambda message, body=body: body in str(message))  # type: ignore[misc]
                noticed.arrived.append(time.perf_counter() - started)
            except TimeoutError:
                noticed.lost.append(body)
            listener.received.clear()
            written += 1
            if written % 50 == 0:
                await listener.settle()  # a heartbeat, without which the socket is closed
    return noticed
