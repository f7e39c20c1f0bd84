"""Accounts on the real Auth service: one sign-in for all tabs of a browser, over once it is over."""

import gc
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import httpx
import pytest

from db import errors
from db.auth import Accounts, ConfirmationNeeded, SignedIn
from db.clients import Clients
from db.settings import Settings
from tests.db.conftest import PASSWORD, SignUp
from tests.support.wait import wait_for

HOSTED = Settings("https://x.supabase.co", "a-key-that-is-long-enough")


def another_process(clients: Clients) -> Accounts:
    """Stand for a process that knows none of the sign-ins of the first."""
    return Accounts(clients)


def test_signing_up_signs_in(sign_up: SignUp) -> None:
    me = sign_up("Nia")
    assert me.claims["sub"] == me.user_id
    assert me.email.startswith("nia-")
    assert me.access_token()


def test_signing_in_again(accounts: Accounts, sign_up: SignUp) -> None:
    me = sign_up("Ola")
    again = accounts.sign_in(f" {me.email} ", PASSWORD)
    assert again.user_id == me.user_id
    assert again is not me


def test_a_wrong_password(accounts: Accounts, sign_up: SignUp) -> None:
    me = sign_up("Pam")
    with pytest.raises(errors.SignInFailed):
        accounts.sign_in(me.email, "something else")


def test_the_same_address_twice(accounts: Accounts, sign_up: SignUp) -> None:
    me = sign_up("Quinn")
    with pytest.raises(errors.SignUpRefused, match="already"):
        accounts.sign_up(me.email, PASSWORD, "Quinn again")


def test_a_weak_password(accounts: Accounts) -> None:
    with pytest.raises(errors.SignUpRefused):
        accounts.sign_up(f"{uuid.uuid4().hex}@tavern.test", "abc", "Weak")


def test_a_reload_finds_the_living_sign_in(accounts: Accounts, sign_up: SignUp) -> None:
    me = sign_up("Rob")
    token = me.refresh_token
    assert accounts.restore(token) is me
    assert me.refresh_token == token


def test_many_tabs_restore_at_once_and_share_one(clients: Clients, sign_up: SignUp) -> None:
    token = sign_up("Sam").refresh_token
    restarted = another_process(clients)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: restarted.restore(token), range(8)))
    assert len({id(each) for each in found}) == 1
    restarted.close()


def test_a_tab_with_the_token_before_joins_the_others(accounts: Accounts, sign_up: SignUp) -> None:
    me = sign_up("Tia")
    before = me.refresh_token
    me.renew()
    assert me.refresh_token != before
    assert accounts.restore(before) is me


def test_the_token_before_is_good_after_a_restart(clients: Clients, sign_up: SignUp) -> None:
    me = sign_up("Uma")
    before = me.refresh_token
    me.renew()
    restarted = another_process(clients)
    assert restarted.restore(before).user_id == me.user_id
    restarted.close()


def test_threads_that_saw_the_same_old_token_renew_it_once(sign_up: SignUp) -> None:
    me = sign_up("Vic")
    seen = me.access_token()
    renewed: list[str] = []
    me.on_token(renewed.append)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: me.renew(seen), range(8)))
    assert renewed == [me.access_token()]


def test_nobody_is_told_of_tokens_after_unsubscribing(sign_up: SignUp) -> None:
    me = sign_up("Wil")
    told: list[str] = []
    me.on_token(told.append)()
    me.renew()
    assert not told


def test_a_callback_that_fails_harms_nobody(sign_up: SignUp) -> None:
    me = sign_up("Xan")
    told: list[str] = []

    def fail(_token: str) -> None:
        raise RuntimeError("not my day")

    me.on_token(fail)
    me.on_token(told.append)
    me.renew()
    assert told == [me.access_token()]


def test_signing_out_ends_it_everywhere(accounts: Accounts, sign_up: SignUp) -> None:
    me = sign_up("Yan")
    other_browser = accounts.sign_in(me.email, PASSWORD)
    ended: list[SignedIn] = []
    other_browser.on_end(lambda: ended.append(other_browser))
    accounts.sign_out(me, everywhere=True)
    assert ended == [other_browser]
    for one in (me, other_browser):
        assert one.ended
        with pytest.raises(errors.SignedOut):
            one.access_token()
        with pytest.raises(errors.SignedOut):
            accounts.restore(one.refresh_token)


def test_signing_out_of_one_browser_leaves_the_other(accounts: Accounts, sign_up: SignUp) -> None:
    me = sign_up("Zoe")
    other_browser = accounts.sign_in(me.email, PASSWORD)
    accounts.sign_out(me, everywhere=False)
    assert me.ended
    other_browser.renew()
    assert not other_browser.ended


def test_signing_out_elsewhere_is_found_out_at_the_next_refresh(clients: Clients, sign_up: SignUp) -> None:
    me = sign_up("Abe")
    elsewhere = another_process(clients)
    elsewhere.sign_out(elsewhere.sign_in(me.email, PASSWORD), everywhere=True)
    with pytest.raises(errors.SignedOut):
        me.renew()
    assert me.ended
    elsewhere.close()


def test_a_token_nobody_gave(accounts: Accounts) -> None:
    with pytest.raises(errors.SignedOut):
        accounts.restore("no-such-token")


def test_nobody_answers() -> None:
    away = Clients(Settings("http://127.0.0.1:9", "a-key-that-is-long-enough"))
    nowhere = Accounts(away)
    with pytest.raises(errors.Unreachable):
        nowhere.sign_in("a@b.example", PASSWORD)
    with pytest.raises(errors.Unreachable):
        nowhere.restore("some-token")
    away.close()


def test_tokens_are_renewed_by_themselves(accounts: Accounts, sign_up: SignUp) -> None:
    me = sign_up("Ben")
    first = me.refresh_token
    me._expires_at = time.time() + 30
    accounts._wake.set()
    wait_for(lambda: me.refresh_token != first, what="a new token")


def test_a_sign_in_that_no_tab_holds_is_forgotten(accounts: Accounts, sign_up: SignUp) -> None:
    me = sign_up("Cal")
    token = me.refresh_token
    del me
    gc.collect()
    assert accounts.restore(token).refresh_token != token


@pytest.fixture
def nowhere() -> Iterator[Clients]:
    """Give clients of a database that does not answer."""
    with closing(Clients(Settings("http://127.0.0.1:9", "a-key-that-is-long-enough"))) as opened:
        yield opened


def test_a_token_that_still_lives_does_while_it_cannot_be_renewed(sign_up: SignUp, nowhere: Clients) -> None:
    me = sign_up("Dan")
    token = me.access_token()
    me.clients, me._expires_at = nowhere, time.time() + 5
    assert me.access_token() == token
    me._expires_at = time.time() - 1
    with pytest.raises(errors.Unreachable):
        me.access_token()
    assert not me.ended


def test_signing_out_while_nobody_answers_ends_it_here(
    accounts: Accounts, sign_up: SignUp, nowhere: Clients
) -> None:
    me = sign_up("Eli")
    accounts._clients = nowhere
    with pytest.raises(errors.Unreachable):
        accounts.sign_out(me, everywhere=True)
    assert me.ended


def test_a_project_that_wants_the_address_confirmed_says_so() -> None:
    """Hosted projects do by default; their answer to a sign-up is the user without a session."""
    user = {
        "id": str(uuid.uuid4()),
        "aud": "authenticated",
        "email": "new@tavern.test",
        "app_metadata": {},
        "user_metadata": {},
        "created_at": "2026-11-20T18:00:00Z",
        "confirmation_sent_at": "2026-11-20T18:00:00Z",
    }
    answering = httpx.MockTransport(lambda _request: httpx.Response(200, json=user))
    with closing(
        Clients(Settings("https://x.supabase.co", "a-key-that-is-long-enough"), answering)
    ) as hosted:
        result = Accounts(hosted).sign_up(" new@tavern.test ", PASSWORD, "New")
    assert result == ConfirmationNeeded("new@tavern.test")


def test_an_address_not_confirmed_yet_is_told_what_to_do() -> None:
    refusal = {"code": "email_not_confirmed", "message": "Email not confirmed"}
    headers = {"X-Supabase-Api-Version": "2024-01-01"}
    answering = httpx.MockTransport(lambda _request: httpx.Response(400, json=refusal, headers=headers))
    with (
        closing(Clients(HOSTED, answering)) as hosted,
        pytest.raises(errors.EmailNotConfirmed, match="open the link"),
    ):
        Accounts(hosted).sign_in("new@tavern.test", PASSWORD)
