"""Reruns of sessions: merged per session, a few at a time, and none lost."""

import asyncio
from collections import Counter

import pytest

from livetables.faults import FAULTS
from livetables.rerun_scheduler import MAX_CONCURRENT, RerunResult, RerunScheduler
from tests.support.wait import wait_until

THINGS, OTHERS = frozenset({"things"}), frozenset({"others"})


class Sessions:
    """Sessions whose scripts run until the test ends them."""

    def __init__(self) -> None:
        self.running: set[str] = set()
        self.busy: set[str] = set()
        self.reruns: list[tuple[str, frozenset[str]]] = []
        self.most_running = 0

    def rerun(self, session: str, tables: frozenset[str]) -> RerunResult:
        if session in self.busy or session in self.running:
            return RerunResult.BUSY
        self.reruns.append((session, tables))
        if session == "gone":
            return RerunResult.GONE
        self.running.add(session)
        self.most_running = max(self.most_running, len(self.running))
        return RerunResult.STARTED

    def is_idle(self, session: str) -> bool:
        return session not in self.running


def _scheduler(sessions: Sessions) -> RerunScheduler:
    return RerunScheduler(asyncio.get_running_loop(), sessions.rerun, sessions.is_idle)


async def test_only_a_few_sessions_rerun_at_the_same_time_and_all_do_in_order() -> None:
    sessions = Sessions()
    names = [f"s{number}" for number in range(50)]
    _scheduler(sessions).schedule(names, THINGS)
    while len(sessions.reruns) < len(names):
        before = len(sessions.reruns)
        await wait_until(lambda: sessions.running, what="sessions to run")
        sessions.running.clear()
        await wait_until(lambda b=before: len(sessions.reruns) > b, what="the next to run")  # type: ignore[misc]
    assert sessions.most_running <= MAX_CONCURRENT
    assert [name for name, _ in sessions.reruns] == names


async def test_changes_while_a_session_waits_join_its_rerun() -> None:
    sessions = Sessions()
    scheduler = _scheduler(sessions)
    scheduler.schedule([f"s{number}" for number in range(MAX_CONCURRENT)], THINGS)
    await wait_until(lambda: len(sessions.running) == MAX_CONCURRENT, what="the first to run")
    for tables in (THINGS, OTHERS, THINGS):
        scheduler.schedule(["late"], tables)
    sessions.running.clear()
    await wait_until(lambda: "late" in sessions.running, what="the late one to run")
    assert Counter(name for name, _ in sessions.reruns)["late"] == 1
    assert sessions.reruns[-1] == ("late", THINGS | OTHERS)


async def test_a_busy_session_is_asked_again_and_delays_no_other() -> None:
    sessions = Sessions()
    sessions.busy.add("typing")
    scheduler = _scheduler(sessions)
    scheduler.schedule(["typing", "free"], THINGS)
    await wait_until(lambda: "free" in sessions.running, what="the free one to run")
    assert "typing" not in sessions.running
    sessions.busy.clear()
    await wait_until(lambda: "typing" in sessions.running, what="the busy one to run")
    assert [name for name, _ in sessions.reruns] == ["free", "typing"]


async def test_a_fault_of_one_session_ends_no_other_ones_reruns() -> None:
    sessions = Sessions()
    faults = FAULTS.counts.get("rerun", 0)
    failing = True

    def rerun(session: str, tables: frozenset[str]) -> RerunResult:
        if session == "broken" and failing:
            raise RuntimeError("can't start new thread")
        return sessions.rerun(session, tables)

    scheduler = RerunScheduler(asyncio.get_running_loop(), rerun, sessions.is_idle)
    scheduler.schedule(["broken", "fine"], THINGS)
    await wait_until(lambda: "fine" in sessions.running, what="the other session to run")
    assert FAULTS.counts["rerun"] > faults
    failing = False
    await wait_until(lambda: "broken" in sessions.running, what="the broken session to run again")
    sessions.running.clear()
    scheduler.schedule(["later"], THINGS)
    await wait_until(lambda: "later" in sessions.running, what="a later session to run")
    assert ("later", THINGS) in sessions.reruns


async def test_a_fault_while_looking_at_a_session_ends_nothing() -> None:
    sessions = Sessions()

    def is_idle(session: str) -> bool:
        if session == "broken":
            raise RuntimeError("no such session")
        return sessions.is_idle(session)

    scheduler = RerunScheduler(asyncio.get_running_loop(), sessions.rerun, is_idle)
    scheduler.schedule(["broken"], THINGS)
    await wait_until(lambda: sessions.reruns, what="the first to run")
    scheduler.schedule(["fine"], THINGS)
    await wait_until(lambda: "fine" in sessions.running, what="the next to run")
    assert [name for name, _ in sessions.reruns] == ["broken", "fine"]


async def test_a_change_during_a_sessions_rerun_leads_to_another_one() -> None:
    sessions = Sessions()
    scheduler = _scheduler(sessions)
    scheduler.schedule(["one"], THINGS)
    await wait_until(lambda: "one" in sessions.running, what="it to run")
    scheduler.schedule(["one"], OTHERS)
    sessions.running.clear()
    await wait_until(lambda: len(sessions.reruns) == 2, what="it to run again")
    assert sessions.reruns[1] == ("one", OTHERS)


async def test_sessions_that_are_gone_are_dropped() -> None:
    sessions = Sessions()
    scheduler = _scheduler(sessions)
    scheduler.schedule(["gone"], THINGS)
    await wait_until(lambda: sessions.reruns and scheduler.idle, what="it to be tried and dropped")
    assert len(sessions.reruns) == 1


def test_after_the_server_has_stopped_nothing_reruns() -> None:
    loop = asyncio.new_event_loop()
    sessions = Sessions()
    scheduler = RerunScheduler(loop, sessions.rerun, sessions.is_idle)
    loop.close()
    scheduler.schedule(["one"], THINGS)
    assert sessions.reruns == []


async def test_after_a_rerun_a_session_pauses_and_others_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("livetables.rerun_pauses.MIN_PAUSE", 3600.0)
    monkeypatch.setattr("livetables.rerun_pauses.MAX_PAUSE", 3600.0)
    sessions = Sessions()
    scheduler = _scheduler(sessions)
    scheduler.schedule(["slow"], THINGS)
    await wait_until(lambda: "slow" in sessions.running, what="it to run")
    sessions.running.clear()
    await wait_until(lambda: scheduler.pausing("slow"), what="its end to be noticed")
    scheduler.schedule(["slow", "other"], THINGS)
    await wait_until(lambda: "other" in sessions.running, what="the other to run")
    assert [name for name, _ in sessions.reruns] == ["slow", "other"]
