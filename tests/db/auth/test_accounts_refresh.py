"""Keeping sign-ins fresh: for days, and until they end somewhere else."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import httpx
import psycopg2
import pytest

from db.auth.accounts import CHECK_EVERY, RETRY_PAUSE, Accounts, SignedIn
from db.clients import Clients
from db.settings import Settings
from livetables.faults import FAULTS
from local_supabase.stack.runtime import StackInfo
from tests.db.auth.conftest import Clock
from tests.db.conftest import PASSWORD, SignUp
from tests.db.transports import RealNetwork

ROTATIONS = 200
"""More than eight days, with tokens that expire after an hour."""


class Counting(RealNetwork):
    """Counts the refreshes of tokens and the checks of sessions."""

    def __init__(self) -> None:
        super().__init__()
        self.refreshes = self.checks = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Count and send the request."""
        self.refreshes += request.url.params.get("grant_type") == "refresh_token"
        self.checks += request.url.path.endswith("/user")
        return super().handle_request(request)


@pytest.fixture
def counting(settings: Settings) -> Iterator[tuple[Counting, Callable[[], Accounts]]]:
    """Give a network that counts, and a function that makes the accounts of a process on it."""
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
    cookie, restarts = str(me.cookie), 0
    with ThreadPoolExecutor(5) as tabs:
        for rotation in range(1, ROTATIONS + 1):
            clock.now = me.refresh_due + 1
            refresher = tabs.submit(accounts.refresh_due)
            tokens = {tab.result() for tab in [tabs.submit(me.access_token) for _ in range(4)]}
            refresher.result()
            assert len(tokens) == 1
            assert service.refreshes == rotation + restarts
            if rotation % 40 == 0:
                # The server restarts, and the browser's cookie is one rotation behind.
                accounts.close()
                accounts, restarts = new_process(), restarts + 1
                me = accounts.restore(cookie)
            cookie = str(me.cookie)
    assert not me.ended
    assert me.cookie.rotation == ROTATIONS


def test_a_session_that_ended_elsewhere_is_noticed_by_the_next_check(
    clock: Clock, counting: tuple[Counting, Callable[[], Accounts]], sign_up: SignUp, stack: StackInfo
) -> None:
    service, new_process = counting
    accounts, me = new_process(), sign_up("Abe")
    there, gone = (accounts.sign_in(me.email, PASSWORD) for _ in range(2))
    with closing(psycopg2.connect(stack.database_url)) as database, database:
        database.cursor().execute("delete from auth.sessions where id = %s", (gone.session_id,))
    clock.now += CHECK_EVERY - 1
    accounts.refresh_due()
    assert (service.checks, gone.ended) == (0, False)
    clock.now += 2
    accounts.refresh_due()
    assert gone.ended
    assert not there.ended


def test_while_the_service_is_unreachable_only_one_session_is_checked(
    clock: Clock, accounts: Accounts, sign_up: SignUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [sign_up(name) for name in ("Bea", "Cid", "Dot")]
    checked: list[SignedIn] = []
    away = Clients(Settings("http://127.0.0.1:9", "a-key-that-is-long-enough"))

    def check(self: SignedIn) -> None:
        checked.append(self)
        self.clients = away
        original(self)

    original = SignedIn.check
    monkeypatch.setattr(SignedIn, "check", check)
    clock.now += CHECK_EVERY + 1
    pause = accounts.refresh_due()
    away.close()
    assert len(checked) == 1
    assert pause > 1
    assert not any(one.ended for one in people)


def test_a_fault_of_one_sign_in_leaves_all_others_fresh(
    clock: Clock,
    counting: tuple[Counting, Callable[[], Accounts]],
    sign_up: SignUp,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    accounts, me = counting[1](), sign_up("Abe")
    signed_in = [accounts.sign_in(me.email, PASSWORD) for _ in range(3)]
    before, renew = clock.now, SignedIn.renew_if_due
    faults = FAULTS.counts.get("token-refresher", 0)

    def broken_for_one(one: SignedIn) -> None:
        if one is signed_in[1]:
            raise KeyError("a claim that nobody expects")
        renew(one)

    monkeypatch.setattr(SignedIn, "renew_if_due", broken_for_one)
    clock.now = max(one.refresh_due for one in signed_in) + 1
    assert accounts.refresh_due() <= RETRY_PAUSE
    assert [one.refresh_due > clock.now for one in signed_in] == [True, False, True]
    assert FAULTS.counts["token-refresher"] > faults
    assert clock.now > before
