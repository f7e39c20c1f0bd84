"""Cancelling an event with a reason."""

import pytest

from ui.events.cancel import problem_of


@pytest.mark.parametrize("reason", ["", "  ", "The cook is ill.", "x" * 500, f"  {'x' * 500}\n"])
def test_a_reason_may_be_left_out_or_have_500_characters(reason: str) -> None:
    assert problem_of(reason) is None


def test_a_longer_reason_is_named_with_its_length() -> None:
    assert (
        problem_of("x" * 1501) == "A reason has up to 500 characters, and this has 1,501. Please shorten it."
    )
