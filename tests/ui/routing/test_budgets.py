"""The limits of a budget."""

import pytest

from ui.routing.budgets import limits_problem


@pytest.mark.parametrize(("soft", "hard"), [(None, 1), (1, None), (0, 1), (2, 1)])
def test_a_budget_needs_two_limits_in_order(soft: float | None, hard: float | None) -> None:
    assert limits_problem(soft, hard) is not None
    assert limits_problem(1, 1) is None
