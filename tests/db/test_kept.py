"""What a browser keeps of a sign-in, as text and in its order."""

import pytest

from db.kept import Kept


def test_the_text_of_the_cookie_is_read_back() -> None:
    kept = Kept("abc-DEF_123", "11111111-2222-3333-4444-555555555555", 7)
    assert Kept.parse(str(kept)) == kept


@pytest.mark.parametrize(
    "text", ["", "bare", "a~b", "a~b~", "a~b~c", "a~b~-1", "a~~1", "a~b~1~2", "a~b~" + "9" * 5000]
)
def test_any_other_text_is_a_token_of_nothing_known(text: str) -> None:
    assert Kept.parse(text) == Kept(text)


def test_only_tokens_of_one_session_have_an_order() -> None:
    second, third = Kept("b", "ada", 2), Kept("c", "ada", 3)
    assert third.newer_than(second)
    assert not second.newer_than(third)
    assert not third.newer_than(third)
    assert not Kept("d", "bo", 4).newer_than(second)
    assert not Kept("d", "", 4).newer_than(Kept("e", "", 3))
