"""Background work uses the newest token of its owner, which is kept as long as there is work."""

import gc

import jwt
import pytest

from api.tokens import Tokens
from db.errors import SignedOutError


def token(ends: int) -> str:
    return jwt.encode({"sub": "ann", "exp": ends}, "x" * 40, algorithm="HS256")


def test_work_uses_the_newest_token_that_its_owner_sent() -> None:
    now = [100.0]
    tokens = Tokens(lambda: now[0])
    held = tokens.hold("ann", token(200))
    tokens.seen("ann", token(300))
    tokens.seen("ann", token(250))
    tokens.seen("bob", token(900))
    assert held() == token(300)
    assert tokens.hold("ann", token(150)) is held
    now[0] = 300
    with pytest.raises(SignedOutError):
        held()
    tokens.seen("ann", token(400))
    assert held() == token(400)


def test_no_token_is_kept_without_work() -> None:
    tokens = Tokens(lambda: 0.0)
    held = tokens.hold("ann", token(200))
    del held
    gc.collect()
    assert tokens.hold("ann", token(100))() == token(100)
