"""The cookie of a sign-in: its text, and which of two is newer."""

import pytest

from livetables.auth.cookie import SessionCookie


def test_the_text_of_the_cookie_is_read_back() -> None:
    cookie = SessionCookie("abc-DEF_123", "11111111-2222-3333-4444-555555555555", 7)
    assert SessionCookie.parse(str(cookie)) == cookie


@pytest.mark.parametrize(
    "text", ["", "bare", "a~b", "a~b~", "a~b~c", "a~b~-1", "a~~1", "a~b~1~2", "a~b~" + "9" * 5000]
)
def test_any_other_text_is_a_token_of_an_unknown_session(text: str) -> None:
    assert SessionCookie.parse(text) == SessionCookie(text)


def test_only_tokens_of_one_session_have_an_order() -> None:
    second, third = SessionCookie("b", "ada", 2), SessionCookie("c", "ada", 3)
    assert third.newer_than(second)
    assert not second.newer_than(third)
    assert not third.newer_than(third)
    assert not SessionCookie("d", "bo", 4).newer_than(second)
    assert not SessionCookie("d", "", 4).newer_than(SessionCookie("e", "", 3))
