"""A check that is missing, broken or slow keeps nobody from rating."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import cast

import httpx
import pytest

from db.auth.accounts import SignedIn
from db.clients import Clients
from db.errors import SignedOutError
from db.settings import Settings
from livetables.faults import FAULTS
from tests.support.wait import wait_for
from ui.ratings.auto_check import Checker

Answer = Callable[[httpx.Request], httpx.Response]


@dataclass
class Caller:
    """Somebody signed in, whose calls of functions get the answers of the test."""

    answer: Answer
    asked: list[str] = field(default_factory=list)
    user_id: str = "me"
    error: Exception | None = None
    """What asking for the access token raises."""

    def __post_init__(self) -> None:
        self.clients = Clients(Settings("http://project.example", "k" * 20), httpx.MockTransport(self._send))

    def _send(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.read().decode())
        return self.answer(request)

    def access_token(self) -> str:
        if self.error is not None:
            raise self.error
        return "token"

    def renew(self, seen: str | None = None) -> None:
        raise AssertionError(seen)

    def as_signed_in(self) -> SignedIn:
        return cast("SignedIn", self)


@pytest.fixture
def caller_of() -> Iterator[Callable[[Answer], Caller]]:
    callers: list[Caller] = []

    def make(answer: Answer) -> Caller:
        callers.append(Caller(answer))
        return callers[-1]

    yield make
    for caller in callers:
        caller.clients.close()


def missing(request: httpx.Request) -> httpx.Response:
    return httpx.Response(404, json={"code": "NOT_FOUND", "message": "Requested function was not found"})


def crashed(request: httpx.Request) -> httpx.Response:
    return httpx.Response(503, json={"code": "BOOT_ERROR", "message": "Function failed to start"})


def too_slow(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout("too slow", request=request)


def test_each_task_is_asked_for_once(caller_of: Callable[[Answer], Caller]) -> None:
    caller = caller_of(lambda request: httpx.Response(200, json={}))
    checker = Checker()
    for _ in range(3):
        checker.request(caller.as_signed_in(), ["one", "two"])
    checker.request(caller.as_signed_in(), ["three"])
    wait_for(lambda: len(caller.asked) >= 3, what="the checks to be asked for")
    assert caller.asked == ['{"task_id":"one"}', '{"task_id":"two"}', '{"task_id":"three"}']
    checker.request(caller.as_signed_in(), ["one"], force=True)
    wait_for(lambda: len(caller.asked) == 4, what="the check that a person asked for again")


@pytest.mark.parametrize("fault", [missing, crashed, too_slow])
def test_where_the_function_fails_it_is_left_alone_after_a_few_tries(
    caller_of: Callable[[Answer], Caller], fault: Answer
) -> None:
    caller = caller_of(fault)
    checker = Checker()
    checker.request(caller.as_signed_in(), [str(number) for number in range(20)])
    wait_for(lambda: len(caller.asked) >= 3, what="the first tries")
    wait_for(lambda: checker.idle, what="the rest to be left out")
    assert len(caller.asked) == 3
    checker.request(caller.as_signed_in(), ["later"])
    assert checker.idle


def test_tasks_that_are_too_long_do_not_stop_the_checks_of_others(
    caller_of: Callable[[Answer], Caller],
) -> None:
    caller = caller_of(lambda request: httpx.Response(413, json={"error": "Too long."}))
    checker = Checker()
    checker.request(caller.as_signed_in(), [str(number) for number in range(7)])
    wait_for(lambda: checker.idle, what="all of them to be asked for")
    assert len(caller.asked) == 7


def test_a_function_that_hangs_holds_up_nobody_who_asks(caller_of: Callable[[Answer], Caller]) -> None:
    release = threading.Event()

    def hang(request: httpx.Request) -> httpx.Response:
        release.wait(30)
        return httpx.Response(200, json={})

    caller = caller_of(hang)
    checker = Checker()
    checker.request(caller.as_signed_in(), ["one"])
    wait_for(lambda: caller.asked, what="the call that hangs")
    checker.request(caller.as_signed_in(), ["two", "three"])  # returns, or the test would not go on
    assert caller.asked == ['{"task_id":"one"}']
    assert not checker.idle
    release.set()
    wait_for(lambda: checker.idle, what="the others to be asked for")
    assert len(caller.asked) == 3


def found(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json={})


def test_tasks_of_somebody_who_signed_out_stop_no_other_checks(
    caller_of: Callable[[Answer], Caller],
) -> None:
    gone, other = caller_of(found), caller_of(found)
    gone.error = SignedOutError()
    checker = Checker()
    checker.request(gone.as_signed_in(), [str(number) for number in range(7)])
    checker.request(other.as_signed_in(), ["mine"])
    wait_for(lambda: checker.idle, what="all of them to be tried")
    assert other.asked == ['{"task_id":"mine"}']
    # Nobody has checked the tasks of who has left, so others may ask for them at once.
    checker.request(other.as_signed_in(), ["0", "1"])
    wait_for(lambda: checker.idle, what="the rest")
    assert other.asked[1:] == ['{"task_id":"0"}', '{"task_id":"1"}']


def test_checks_that_fail_for_one_person_go_on_for_others(caller_of: Callable[[Answer], Caller]) -> None:
    """Otherwise a few tasks that make the function crash would end the checks of all tenants."""
    hostile, other = caller_of(crashed), caller_of(found)
    hostile.user_id = "hostile"
    checker = Checker()
    checker.request(hostile.as_signed_in(), [str(number) for number in range(7)])
    wait_for(lambda: checker.idle, what="the first tries")
    assert len(hostile.asked) == 3
    checker.request(other.as_signed_in(), ["mine"])
    wait_for(lambda: checker.idle, what="the other's check")
    assert other.asked == ['{"task_id":"mine"}']


def test_a_fault_ends_one_check_and_not_all(caller_of: Callable[[Answer], Caller]) -> None:
    broken, other = caller_of(found), caller_of(found)
    broken.error = ZeroDivisionError()
    before = FAULTS.counts.get("auto-check", 0)
    checker = Checker()
    checker.request(broken.as_signed_in(), ["one"])
    checker.request(other.as_signed_in(), ["two"])
    wait_for(lambda: checker.idle, what="both to be tried")
    assert other.asked == ['{"task_id":"two"}']
    assert FAULTS.counts["auto-check"] == before + 1


def test_checks_go_on_after_a_moment_without_threads(
    caller_of: Callable[[Answer], Caller], monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_thread(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    caller, checker = caller_of(found), Checker()
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", no_thread)
        checker.request(caller.as_signed_in(), ["one"])
    checker.request(caller.as_signed_in(), ["two"])
    wait_for(lambda: checker.idle, what="both checks")
    assert caller.asked == ['{"task_id":"one"}', '{"task_id":"two"}']
