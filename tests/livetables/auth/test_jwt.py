"""Claims of tokens: read from any text, trusted by nobody."""

import base64
import json

import pytest

from livetables.auth.jwt import claims_of


def encoded(value: str) -> str:
    return base64.urlsafe_b64encode(value.encode()).rstrip(b"=").decode()


def test_the_claims_of_a_token_are_read() -> None:
    claims = {"sub": "ada", "session_id": "s-1"}
    assert claims_of(f"{encoded('{}')}.{encoded(json.dumps(claims))}.signature") == claims


@pytest.mark.parametrize(
    "token",
    ["", "opaque", "a.b", "a.b.c.d", "a.!.c", f"a.{encoded('[1]')}.c", f"a.{encoded('[' * 100_000)}.c"],
)
def test_any_other_text_has_no_claims(token: str) -> None:
    assert claims_of(token) == {}
