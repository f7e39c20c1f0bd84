"""Wakes: merged per session, a few at a time, and none lost."""

import asyncio
from collections import Counter

import pytest

from live.rerun import Wake
from live.wakes import AT_ONCE, Wakes
from tests.support.wait import wait_until


class Sessions:
    """Sessions whose scripts run until the test ends them."""

    def __init__(self) -> None:
        self.running: set[str] = set()
        self.busy: set[str] = set()
        self.delivered: list[tuple[str, frozenset[str]]] = []
        self.most = 0

    def deliver(self, session: str, tables: frozenset[str]) -> Wake:
        if session in self.busy or session in self.running:
            return Wake.BUSY
        self.delivered.append((session, tables))
        if session == "gone":
            return Wake.GONE
        self.running.add(session)
        self.most = max(self.most, len(self.running))
        return Wake.STARTED

    def at_rest(self, session: str) -> bool:
        return session not in self.running


def _wakes(sessions: Sessions) -> Wakes:
    return Wakes(asyncio.get_running_loop(), sessions.deliver, sessions.at_rest)


async def test_only_a_few_run_at_the_same_time_and_all_have_their_turn() -> None:
    sessions = Sessions()
    names = [f"s{number}" for number in range(50)]
    _wakes(sessions).wake(names, frozenset({"things"}))
    while len(sessions.delivered) < len(names):
        before = len(sessions.delivered)
        await wait_until(lambda: sessions.running, what="sessions to run")
        sessions.running.clear()
        await wait_until(lambda b=before: len(sessions.delivered) > b, what="the next to run")  # type: ignore[misc]
    assert sessions.most <= AT_ONCE
    assert [name for name, _ in sessions.delivered] == names


async def test_what_changes_while_a_session_waits_joins_its_wake() -> None:
    sessions = Sessions()
    wakes = _wakes(sessions)
    wakes.wake([f"s{number}" for number in range(AT_ONCE)], frozenset({"things"}))
    await wait_until(lambda: len(sessions.running) == AT_ONCE, what="the first to run")
    for table in ("things", "others", "things"):
        wakes.wake(["late"], frozenset({table}))
    sessions.running.clear()
    await wait_until(lambda: "late" in sessions.running, what="the late one to run")
    assert Counter(name for name, _ in sessions.delivered)["late"] == 1
    assert sessions.delivered[-1] == ("late", frozenset({"things", "others"}))


async def test_a_busy_session_is_asked_again_and_holds_up_nobody() -> None:
    sessions = Sessions()
    sessions.busy.add("typing")
    wakes = _wakes(sessions)
    wakes.wake(["typing", "free"], frozenset({"things"}))
    await wait_until(lambda: "free" in sessions.running, what="the free one to run")
    assert "typing" not in sessions.running
    sessions.busy.clear()
    await wait_until(lambda: "typing" in sessions.running, what="the busy one to run")


async def test_a_wake_during_the_sessions_own_wake_follows_it() -> None:
    sessions = Sessions()
    wakes = _wakes(sessions)
    wakes.wake(["one"], frozenset({"things"}))
    await wait_until(lambda: "one" in sessions.running, what="it to run")
    wakes.wake(["one"], frozenset({"others"}))
    sessions.running.clear()
    await wait_until(lambda: len(sessions.delivered) == 2, what="it to run again")
    assert sessions.delivered[1] == ("one", frozenset({"others"}))


async def test_sessions_that_are_gone_are_dropped() -> None:
    sessions = Sessions()
    wakes = _wakes(sessions)
    wakes.wake(["gone"], frozenset({"things"}))
    await wait_until(lambda: sessions.delivered, what="it to be tried")
    await wait_until(lambda: not wakes._scheduled, what="the turn to end")
    assert len(sessions.delivered) == 1


def test_after_the_server_ended_nothing_is_woken() -> None:
    loop = asyncio.new_event_loop()
    sessions = Sessions()
    wakes = Wakes(loop, sessions.deliver, sessions.at_rest)
    loop.close()
    wakes.wake(["one"], frozenset({"things"}))
    assert sessions.delivered == []


async def test_between_two_wakes_of_a_session_there_is_a_pause_and_others_go_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("live.wakes.PAUSE", 3600.0)
    monkeypatch.setattr("live.wakes.LONGEST_PAUSE", 3600.0)
    sessions = Sessions()
    wakes = _wakes(sessions)
    wakes.wake(["slow"], frozenset({"things"}))
    await wait_until(lambda: "slow" in sessions.running, what="it to run")
    sessions.running.clear()
    await wait_until(lambda: "slow" in wakes.pausing, what="its end to be noticed")
    wakes.wake(["slow", "other"], frozenset({"things"}))
    await wait_until(lambda: "other" in sessions.running, what="the other to run")
    assert [name for name, _ in sessions.delivered] == ["slow", "other"]
