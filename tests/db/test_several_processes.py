"""One browser, several processes of the app: each renews the sign-in, and none ends it for all of them."""

from collections.abc import Callable
from contextlib import closing

import psycopg2
import pytest

from db.auth import Accounts, SignedIn
from db.clients import Clients
from db.errors import Unreachable
from db.kept import Kept
from db.signed_in import BROWSER_SPEAKS
from local_supabase.runtime import StackInfo
from tests.db.conftest import SignUp
from tests.db.test_long_sessions import Clock, clock

__all__ = ["clock"]

Renew = Callable[[SignedIn], None]


def without_refresher(clients: Clients) -> Accounts:
    """Make the accounts of a process in which nothing happens by itself."""
    accounts = Accounts(clients)
    accounts.close()
    return accounts


@pytest.fixture
def accounts(clients: Clients) -> Accounts:
    """Give those of the process in which people sign in."""
    return without_refresher(clients)


@pytest.fixture
def there(clients: Clients) -> Accounts:
    """Give those of another process."""
    return without_refresher(clients)


@pytest.fixture
def renew(clock: Clock, stack: StackInfo) -> Renew:
    """Give a way to renew a sign-in when that is due, an hour after it was."""

    def renew(me: SignedIn) -> None:
        clock.now = max(clock.now, me.refresh_due + 1)
        with closing(psycopg2.connect(stack.database_url)) as database, database:
            database.cursor().execute(
                "update auth.refresh_tokens set updated_at = updated_at - interval '1 hour'"
                " where session_id = %s",
                (me.claims["session_id"],),
            )
        me.renew()

    return renew


def test_a_new_tab_brings_what_the_other_process_has_renewed(
    there: Accounts, sign_up: SignUp, renew: Renew
) -> None:
    me = sign_up("Ada")
    same = there.restore(str(me.kept))
    for _ in range(3):
        renew(me)
    told: list[str] = []
    same.on_token(told.append)
    assert there.restore(str(me.kept)) is same
    assert told == [same.access_token()]
    for one in (me, same, me):
        renew(one)
    assert same.kept == me.kept


def test_what_the_browser_tells_is_what_is_presented(there: Accounts, sign_up: SignUp, renew: Renew) -> None:
    me = sign_up("Ada")
    same = there.restore(str(me.kept))
    for _ in range(3):
        renew(me)
    same.hear(me.kept)
    assert same.kept == me.kept
    renew(same)
    assert same.kept.newer_than(me.kept)
    renew(me)
    assert same.kept == me.kept


def test_a_process_that_was_away_asks_the_browser_first(
    there: Accounts, sign_up: SignUp, renew: Renew, clock: Clock
) -> None:
    me = sign_up("Ada")
    same = there.restore(str(me.kept))
    asked: list[str] = []
    same.on_doubt(lambda: asked.append(same.doubt()))
    assert not same.doubt()
    for _ in range(3):
        renew(me)
    assert same.doubt()
    assert not me.doubt()
    assert asked == [same.doubt()]
    with pytest.raises(Unreachable):
        same.access_token()
    there._refresh_due()
    same.hear(Kept("somebody-else", "another-session", 99))
    assert same.doubt()
    same.hear(me.kept)
    assert not same.doubt()
    assert same.access_token()
    renew(me)
    assert not same.ended
    assert not me.ended


def test_the_only_process_goes_on_when_no_browser_speaks(
    accounts: Accounts, sign_up: SignUp, clock: Clock
) -> None:
    me = sign_up("Ada")
    clock.now += 10_000
    with pytest.raises(Unreachable):
        me.access_token()
    accounts._refresh_due()
    clock.now += BROWSER_SPEAKS + 1
    accounts._refresh_due()
    assert me.kept.turn == 0  # nobody needs it
    assert me.access_token()
    assert me.kept.turn == 1
    assert not me.doubt()


def test_the_only_process_goes_on_at_once_when_the_browser_speaks(sign_up: SignUp, clock: Clock) -> None:
    me = sign_up("Ada")
    clock.now += 10_000
    assert me.doubt()
    me.hear(me.kept)
    assert me.access_token()
    assert me.kept.turn == 1


def test_what_is_no_token_harms_nobody(sign_up: SignUp) -> None:
    me, bo = sign_up("Ada"), sign_up("Bo")
    mine = me.kept.session_id
    for token in ("made up", bo.refresh_token):
        me.hear(Kept(token, mine, me.kept.turn + 5))
        turn = me._turn
        me.renew()
        assert (me.kept.session_id, me.kept.turn) == (mine, turn + 1)
    bo.renew()
    assert not me.ended
    assert not bo.ended
