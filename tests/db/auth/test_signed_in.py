"""A sign-in that several processes share through the browser's cookie: each refreshes it, none ends it."""

from collections.abc import Callable
from contextlib import closing

import psycopg2
import pytest

from db.auth.accounts import Accounts, SignedIn
from db.auth.signed_in import BROWSER_TIMEOUT
from db.clients import Clients
from db.errors import UnreachableError
from livetables.auth.cookie import SessionCookie
from local_supabase.stack.runtime import StackInfo
from tests.db.auth.conftest import Clock
from tests.db.conftest import SignUp

Renew = Callable[[SignedIn], None]


def without_refresher(clients: Clients) -> Accounts:
    """Return the accounts of a process that refreshes no tokens by itself."""
    accounts = Accounts(clients)
    accounts.close()
    return accounts


@pytest.fixture
def accounts(clients: Clients) -> Accounts:
    """Give the accounts of the process in which people sign in."""
    return without_refresher(clients)


@pytest.fixture
def there(clients: Clients) -> Accounts:
    """Give the accounts of another process."""
    return without_refresher(clients)


@pytest.fixture
def renew(clock: Clock, stack: StackInfo) -> Renew:
    """Give a function that renews a sign-in when that is due, an hour after the last time."""

    def renew(me: SignedIn) -> None:
        clock.now = max(clock.now, me.refresh_due + 1)
        with closing(psycopg2.connect(stack.database_url)) as database, database:
            database.cursor().execute(
                "update auth.refresh_tokens set updated_at = updated_at - interval '1 hour'"
                " where session_id = %s",
                (me.session_id,),
            )
        me.renew()

    return renew


def test_a_new_tab_brings_the_token_that_another_process_has_rotated(
    there: Accounts, sign_up: SignUp, renew: Renew
) -> None:
    me = sign_up("Ada")
    same = there.restore(str(me.cookie))
    for _ in range(3):
        renew(me)
    tokens: list[str] = []
    same.on_token(tokens.append)
    assert there.restore(str(me.cookie)) is same
    assert tokens == [same.access_token()]
    for one in (me, same, me):
        renew(one)
    assert same.cookie == me.cookie


def test_the_newer_token_of_the_browser_is_presented(there: Accounts, sign_up: SignUp, renew: Renew) -> None:
    me = sign_up("Ada")
    same = there.restore(str(me.cookie))
    for _ in range(3):
        renew(me)
    same.receive_cookie(me.cookie)
    assert same.cookie == me.cookie
    renew(same)
    assert same.cookie.newer_than(me.cookie)
    renew(me)
    assert same.cookie == me.cookie


def test_a_process_that_was_suspended_waits_for_the_browser_s_cookie(
    there: Accounts, sign_up: SignUp, renew: Renew, clock: Clock
) -> None:
    me = sign_up("Ada")
    same = there.restore(str(me.cookie))
    requests: list[str] = []
    same.on_browser_token_needed(lambda: requests.append(same.browser_token_request()))
    assert not same.needs_browser_token()
    for _ in range(3):
        renew(me)
    assert same.needs_browser_token()
    assert not me.needs_browser_token()
    assert requests == [same.browser_token_request()]
    assert requests[0]
    with pytest.raises(UnreachableError):
        same.access_token()
    there.refresh_due()
    same.receive_cookie(SessionCookie("somebody-else", "another-session", 99))
    assert same.needs_browser_token()
    same.receive_cookie(me.cookie)
    assert not same.needs_browser_token()
    assert same.access_token()
    renew(me)
    assert not same.ended
    assert not me.ended


def test_without_an_answer_of_the_browser_the_own_token_is_presented_later(
    accounts: Accounts, sign_up: SignUp, clock: Clock
) -> None:
    me = sign_up("Ada")
    clock.now += 10_000
    with pytest.raises(UnreachableError):
        me.access_token()
    accounts.refresh_due()
    clock.now += BROWSER_TIMEOUT + 1
    accounts.refresh_due()
    assert me.cookie.rotation == 0  # nobody has needed it
    assert me.access_token()
    assert me.cookie.rotation == 1
    assert not me.needs_browser_token()


def test_after_the_browser_s_answer_a_token_is_presented_at_once(sign_up: SignUp, clock: Clock) -> None:
    me = sign_up("Ada")
    clock.now += 10_000
    assert me.needs_browser_token()
    me.receive_cookie(me.cookie)
    assert me.access_token()
    assert me.cookie.rotation == 1


def test_a_wrong_token_in_the_cookie_ends_no_sign_in(sign_up: SignUp) -> None:
    me, bo = sign_up("Ada"), sign_up("Bo")
    mine, rotation = me.cookie.session_id, me.cookie.rotation
    for token in ("made up", bo.refresh_token):
        me.receive_cookie(SessionCookie(token, mine, me.cookie.rotation + 5))
        me.renew()
        rotation += 1
        assert (me.cookie.session_id, me.cookie.rotation) == (mine, rotation)
    bo.renew()
    assert not me.ended
    assert not bo.ended
