"""A sign-in that is kept for days, and what becomes of it when nobody tells that it has ended."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import httpx
import psycopg2
import pytest

from db.auth import CHECK_EVERY, Accounts, SignedIn
from db.clients import Clients
from db.settings import Settings
from local_supabase.runtime import StackInfo
from tests.db.conftest import PASSWORD, SignUp
from tests.support.wait import wait_for

ROTATIONS = 200
"""More than eight days of tokens that live for an hour."""


class Clock:
    """Stands for the module `time`."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def time(self) -> float:
        """Tell the time that the test has made it."""
        return self.now


class Counting(httpx.BaseTransport):
    """Counts the requests for new tokens and for the person, on their way to the real service."""

    def __init__(self) -> None:
        self.inner = httpx.HTTPTransport()
        self.refreshes = self.checks = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Pass it on."""
        self.refreshes += request.url.params.get("grant_type") == "refresh_token"
        self.checks += request.url.path.endswith("/user")
        return self.inner.handle_request(request)

    def close(self) -> None:
        """Close the connections."""
        self.inner.close()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("db.auth.time", clock)
    monkeypatch.setattr("db.signed_in.time", clock)
    return clock


@pytest.fixture
def counting(settings: Settings) -> Iterator[tuple[Counting, Callable[[], Accounts]]]:
    """Give a transport that counts, and a way to make the accounts of a process on it."""
    counting = Counting()
    with closing(Clients(settings, counting)) as clients:
        made: list[Accounts] = []

        def make() -> Accounts:
            made.append(Accounts(clients))
            return made[-1]

        yield counting, make
        for accounts in made:
            accounts.close()


def test_tokens_are_renewed_for_days_by_one_at_a_time(
    clock: Clock, counting: tuple[Counting, Callable[[], Accounts]]
) -> None:
    service, new_process = counting
    accounts = new_process()
    me = accounts.sign_up(f"long-{id(clock)}@tavern.test", PASSWORD, "Long")
    assert isinstance(me, SignedIn)
    cookie, restarts = str(me.kept), 0
    with ThreadPoolExecutor(4) as tabs:
        for rotation in range(1, ROTATIONS + 1):
            clock.now = me.refresh_due + 1
            accounts._wake.set()
            tokens = {tab.result() for tab in [tabs.submit(me.access_token) for _ in range(4)]}
            assert len(tokens) == 1
            assert service.refreshes == rotation + restarts
            if rotation % 40 == 0:
                # The server restarts, and the browser's cookie is one rotation behind.
                accounts.close()
                accounts, restarts = new_process(), restarts + 1
                me = accounts.restore(cookie)
            cookie = str(me.kept)
    assert not me.ended
    assert me.kept.turn == ROTATIONS


def test_what_ended_elsewhere_is_found_out_by_asking(
    clock: Clock, counting: tuple[Counting, Callable[[], Accounts]], sign_up: SignUp, stack: StackInfo
) -> None:
    service, new_process = counting
    accounts, me = new_process(), sign_up("Abe")
    there, gone = (accounts.sign_in(me.email, PASSWORD) for _ in range(2))
    with closing(psycopg2.connect(stack.database_url)) as database, database:
        database.cursor().execute("delete from auth.sessions where id = %s", (gone.claims["session_id"],))
    clock.now += CHECK_EVERY - 1
    accounts._refresh_due()
    assert (service.checks, gone.ended) == (0, False)
    clock.now += 2
    accounts._wake.set()
    wait_for(lambda: gone.ended, what="it to be found out")
    assert not there.ended


def test_while_the_service_is_silent_nobody_is_asked_about_twice(
    clock: Clock, accounts: Accounts, sign_up: SignUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [sign_up(name) for name in ("Bea", "Cid", "Dot")]
    asked: list[SignedIn] = []
    away = Clients(Settings("http://127.0.0.1:9", "a-key-that-is-long-enough"))

    def check(self: SignedIn) -> None:
        asked.append(self)
        self.clients = away
        original(self)

    original = SignedIn.check
    monkeypatch.setattr(SignedIn, "check", check)
    clock.now += CHECK_EVERY + 1
    pause = accounts._refresh_due()
    away.close()
    assert len(asked) == 1
    assert pause > 1
    assert not any(one.ended for one in people)
