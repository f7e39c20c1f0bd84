"""Accounts on the real Auth service: all tabs of a browser share one sign-in, and it ends for all of them."""

import gc
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import httpx
import pytest

from db import errors
from db.auth.accounts import Accounts, ConfirmationNeeded, SignedIn
from db.auth.signed_in import REFRESH_MARGIN
from db.clients import Clients
from db.settings import Settings
from tests.db.auth.conftest import Clock
from tests.db.conftest import PASSWORD, SignUp, SignUpOver
from tests.db.transports import Severable, ShortLivedTokens
from tests.support.wait import wait_for

HOSTED = Settings("https://x.supabase.co", "a-key-that-is-long-enough")


def another_process(clients: Clients) -> Accounts:
    """Return the accounts of a process that does not know the sign-ins of the first."""
    return Accounts(clients)


def test_signing_up_signs_in(sign_up: SignUp) -> None:
    me = sign_up("Nia")
    assert me.claims["sub"] == me.user_id
    assert me.email.startswith("nia-")
    assert me.access_token()


def test_signing_in_again(accounts: Accounts, sign_up: SignUp) -> None:
    me = sign_up("Ola")
    again = accounts.sign_in(f" {me.email.upper()} ", PASSWORD)
    assert again.user_id == me.user_id
    assert again is not me


def test_a_wrong_password(accounts: Accounts, sign_up: SignUp) -> None:
    me = sign_up("Pam")
    with pytest.raises(errors.SignInFailedError):
        accounts.sign_in(me.email, "something else")


def test_the_same_address_twice(accounts: Accounts, sign_up: SignUp) -> None:
    me = sign_up("Quinn")
    with pytest.raises(errors.SignUpRefusedError, match="already"):
        accounts.sign_up(me.email, PASSWORD, "Quinn again")


def test_a_weak_password(accounts: Accounts) -> None:
    with pytest.raises(errors.SignUpRefusedError):
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


def test_no_token_is_reported_after_unsubscribing(sign_up: SignUp) -> None:
    me = sign_up("Wil")
    tokens: list[str] = []
    me.on_token(tokens.append)()
    me.renew()
    assert not tokens


def test_a_failing_callback_does_not_keep_the_others_from_being_called(sign_up: SignUp) -> None:
    me = sign_up("Xan")
    tokens: list[str] = []

    def fail(_token: str) -> None:
        raise RuntimeError("fails")

    me.on_token(fail)
    me.on_token(tokens.append)
    me.renew()
    assert tokens == [me.access_token()]


def test_signing_out_ends_it_everywhere(accounts: Accounts, sign_up: SignUp) -> None:
    me = sign_up("Yan")
    other_browser = accounts.sign_in(me.email, PASSWORD)
    ended: list[SignedIn] = []
    other_browser.on_end(lambda: ended.append(other_browser))
    accounts.sign_out(me, everywhere=True)
    assert ended == [other_browser]
    for one in (me, other_browser):
        assert one.ended
        with pytest.raises(errors.SignedOutError):
            one.access_token()
        with pytest.raises(errors.SignedOutError):
            accounts.restore(one.refresh_token)


def test_signing_out_of_one_browser_leaves_the_other(accounts: Accounts, sign_up: SignUp) -> None:
    me = sign_up("Zoe")
    other_browser = accounts.sign_in(me.email, PASSWORD)
    accounts.sign_out(me, everywhere=False)
    assert me.ended
    other_browser.renew()
    assert not other_browser.ended


def test_signing_out_elsewhere_is_noticed_at_the_next_refresh(clients: Clients, sign_up: SignUp) -> None:
    me = sign_up("Abe")
    elsewhere = another_process(clients)
    elsewhere.sign_out(elsewhere.sign_in(me.email, PASSWORD), everywhere=True)
    with pytest.raises(errors.SignedOutError):
        me.renew()
    assert me.ended
    elsewhere.close()


def test_an_unknown_token_is_refused(accounts: Accounts) -> None:
    with pytest.raises(errors.SignedOutError):
        accounts.restore("no-such-token")


def test_an_unreachable_service() -> None:
    away = Clients(Settings("http://127.0.0.1:9", "a-key-that-is-long-enough"))
    nowhere = Accounts(away)
    with pytest.raises(errors.UnreachableError):
        nowhere.sign_in("a@b.example", PASSWORD)
    with pytest.raises(errors.UnreachableError):
        nowhere.restore("some-token")
    away.close()


def test_tokens_are_renewed_by_themselves(sign_up_over: SignUpOver) -> None:
    me = sign_up_over("Ben", ShortLivedTokens())
    first = me.refresh_token
    wait_for(lambda: me.refresh_token != first, what="a new token")
    assert not me.ended


def test_a_sign_in_that_no_tab_holds_is_forgotten(accounts: Accounts, sign_up: SignUp) -> None:
    me = sign_up("Cal")
    token = me.refresh_token
    del me
    gc.collect()
    assert accounts.restore(token).refresh_token != token


def test_a_token_that_cannot_be_renewed_serves_until_it_expires(
    clock: Clock, sign_up_over: SignUpOver
) -> None:
    network = Severable()
    me = sign_up_over("Dan", network)
    token = me.access_token()
    network.severed = True
    clock.now = me.refresh_due + 1
    assert me.access_token() == token
    clock.now += REFRESH_MARGIN
    with pytest.raises(errors.UnreachableError):
        me.access_token()
    assert not me.ended


def test_signing_out_while_the_service_is_unreachable_ends_it_here(
    settings: Settings, sign_up: SignUp
) -> None:
    network = Severable()
    with closing(Clients(settings, network)) as clients, closing(Accounts(clients)) as accounts:
        me = accounts.sign_in(sign_up("Eli").email, PASSWORD)
        network.severed = True
        with pytest.raises(errors.UnreachableError):
            accounts.sign_out(me, everywhere=True)
        assert me.ended


def test_a_project_that_requires_a_confirmed_address_says_so() -> None:
    """Hosted projects do by default. They answer a sign-up with the user, without a session."""
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
        result = Accounts(hosted).sign_up(" New@Tavern.test ", PASSWORD, "New")
    assert result == ConfirmationNeeded("new@tavern.test")


def test_an_unconfirmed_address_is_refused_with_what_to_do() -> None:
    refusal = {"code": "email_not_confirmed", "message": "Email not confirmed"}
    headers = {"X-Supabase-Api-Version": "2024-01-01"}
    answering = httpx.MockTransport(lambda _request: httpx.Response(400, json=refusal, headers=headers))
    with (
        closing(Clients(HOSTED, answering)) as hosted,
        pytest.raises(errors.EmailNotConfirmedError, match="open the link"),
    ):
        Accounts(hosted).sign_in("new@tavern.test", PASSWORD)


def test_a_rate_limit_while_restoring_ends_no_sign_in() -> None:
    refusal = {"code": "over_request_rate_limit", "message": "Request rate limit reached"}
    headers = {"X-Supabase-Api-Version": "2024-01-01"}
    answering = httpx.MockTransport(lambda _request: httpx.Response(429, json=refusal, headers=headers))
    with closing(Clients(HOSTED, answering)) as hosted, pytest.raises(errors.UnreachableError):
        Accounts(hosted).restore("token")
