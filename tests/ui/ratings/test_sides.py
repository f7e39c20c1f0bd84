"""Half of the raters see a task's candidates swapped, and their verdicts name the right candidate."""

from __future__ import annotations

from collections import Counter

import pytest

from db.ratings.task_models import Verdict
from ui.ratings.sides import mirrored, swapped


def test_half_of_the_raters_see_a_task_swapped_and_always_the_same_half() -> None:
    orders = [swapped("task", f"rater_{number}") for number in range(400)]
    assert orders == [swapped("task", f"rater_{number}") for number in range(400)]
    assert 150 < Counter(orders)[True] < 250


@pytest.mark.parametrize("verdict", list(Verdict))
def test_a_verdict_on_sides_becomes_one_on_candidates_and_back(verdict: Verdict) -> None:
    assert mirrored(verdict, swapped=False) is verdict
    assert mirrored(mirrored(verdict, swapped=True), swapped=True) is verdict
    assert (mirrored(verdict, swapped=True) is verdict) == (verdict in (Verdict.TIE, Verdict.BOTH_BAD))
