"""A token that the project refuses is renewed once, and the request is sent again."""

import pytest

from db import errors
from db.auth.accounts import Accounts
from tests.db.conftest import SignUp, SignUpOver
from tests.db.hub.samples import new_message
from tests.db.transports import SpoilsFirstToken


def test_a_refused_token_is_renewed_and_the_row_is_written(sign_up_over: SignUpOver) -> None:
    network = SpoilsFirstToken()
    me = sign_up_over("Ann", network)
    before = me.refresh_token
    assert new_message(me).body == "Hello"
    assert (network.spoiled, me.refresh_token == before) == (1, False)


def test_after_signing_out_nothing_is_written(accounts: Accounts, sign_up: SignUp) -> None:
    me = sign_up("Ann")
    accounts.sign_out(me, everywhere=True)
    with pytest.raises(errors.SignedOutError):
        new_message(me)
