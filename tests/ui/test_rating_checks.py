"""A check that is missing, broken or slow keeps nobody from rating."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import cast

import httpx
import pytest

from db.auth import SignedIn
from db.clients import Clients
from db.settings import Settings
from tests.support.wait import wait_for
from ui.rating_checks import Checker

Answer = Callable[[httpx.Request], httpx.Response]


@dataclass
class Caller:
    """Somebody signed in, whose calls of functions get the answers of the test."""

    answer: Answer
    asked: list[str] = field(default_factory=list)
    user_id: str = "me"

    def __post_init__(self) -> None:
        self.clients = Clients(Settings("http://project.example", "k" * 20), httpx.MockTransport(self._send))

    def _send(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.read().decode())
        return self.answer(request)

    def access_token(self) -> str:
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
        checker.ask(caller.as_signed_in(), ["one", "two"])
    checker.ask(caller.as_signed_in(), ["three"])
    wait_for(lambda: len(caller.asked) >= 3, what="the checks to be asked for")
    assert caller.asked == ['{"task_id":"one"}', '{"task_id":"two"}', '{"task_id":"three"}']
    checker.ask(caller.as_signed_in(), ["one"], again=True)
    wait_for(lambda: len(caller.asked) == 4, what="the check that a person asked for again")


@pytest.mark.parametrize("fault", [missing, crashed, too_slow])
def test_where_the_function_fails_it_is_left_alone_after_a_few_tries(
    caller_of: Callable[[Answer], Caller], fault: Answer
) -> None:
    caller = caller_of(fault)
    checker = Checker()
    checker.ask(caller.as_signed_in(), [str(number) for number in range(20)])
    wait_for(lambda: len(caller.asked) >= 3, what="the first tries")
    wait_for(lambda: checker.idle, what="the rest to be left out")
    assert len(caller.asked) == 3
    checker.ask(caller.as_signed_in(), ["later"])
    assert checker.idle


def test_tasks_that_are_too_long_do_not_stop_the_checks_of_others(
    caller_of: Callable[[Answer], Caller],
) -> None:
    caller = caller_of(lambda request: httpx.Response(413, json={"error": "Too long."}))
    checker = Checker()
    checker.ask(caller.as_signed_in(), [str(number) for number in range(7)])
    wait_for(lambda: checker.idle, what="all of them to be asked for")
    assert len(caller.asked) == 7


def test_a_function_that_hangs_holds_up_nobody_who_asks(caller_of: Callable[[Answer], Caller]) -> None:
    release = threading.Event()

    def hang(request: httpx.Request) -> httpx.Response:
        release.wait(30)
        return httpx.Response(200, json={})

    caller = caller_of(hang)
    checker = Checker()
    checker.ask(caller.as_signed_in(), ["one"])
    wait_for(lambda: caller.asked, what="the call that hangs")
    checker.ask(caller.as_signed_in(), ["two", "three"])  # returns, or the test would not go on
    assert caller.asked == ['{"task_id":"one"}']
    assert not checker.idle
    release.set()
    wait_for(lambda: checker.idle, what="the others to be asked for")
    assert len(caller.asked) == 3
