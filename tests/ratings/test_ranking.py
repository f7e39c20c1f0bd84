"""The Bradley-Terry ranking: a published example, closed forms, and what must hold for any comparisons."""

from __future__ import annotations

import math
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.ratings.task_models import Verdict
from ratings.ranking import Comparison, PairTally, ranking, tally

TEAMS = ("Milwaukee", "Detroit", "Toronto", "New York", "Boston", "Cleveland", "Baltimore")
WON = (
    (0, 7, 9, 7, 7, 9, 11),
    (6, 0, 7, 5, 11, 9, 9),
    (4, 6, 0, 7, 7, 8, 12),
    (6, 8, 6, 0, 6, 7, 10),
    (6, 2, 6, 7, 0, 7, 12),
    (4, 4, 5, 6, 6, 0, 6),
    (2, 4, 1, 3, 1, 7, 0),
)

COUNTS = st.integers(0, 12)
PAIRS = st.lists(
    st.builds(PairTally, st.sampled_from("ab"), st.sampled_from("cd"), COUNTS, COUNTS, COUNTS, COUNTS),
    max_size=6,
)


def test_baseball_in_1987() -> None:
    # Agresti, Categorical Data Analysis, table 10.10: the strengths above Baltimore's.
    tallies = [
        PairTally(TEAMS[one], TEAMS[other], WON[one][other], WON[other][one])
        for one, other in combinations(range(7), 2)
    ]
    found = ranking(tallies)
    strengths = {candidate.name: candidate.strength for candidate in found.candidates}
    above = [round(strengths[team] - strengths["Baltimore"], 2) for team in TEAMS]
    assert above == [1.58, 1.44, 1.29, 1.25, 1.11, 0.68, 0]
    assert not found.regularized
    assert [candidate.rank for candidate in found.candidates] == [1, 1, 1, 1, 1, 2, 6]
    assert (found.candidates[0].wins, found.candidates[0].losses) == (50, 28)


def test_two_candidates_have_a_closed_form() -> None:
    found = ranking([PairTally("a", "b", 30, 9, ties=2)])
    first, second = found.candidates
    assert first.strength - second.strength == pytest.approx(math.log(31 / 10))
    reach = 1.959964 / 2 * math.sqrt(1 / 31 + 1 / 10)
    assert (first.low, first.high) == pytest.approx((first.strength - reach, first.strength + reach))
    assert found.chance("a", "b") == pytest.approx(31 / 41)
    assert (first.rank, second.rank, first.games) == (1, 2, 41)


def test_candidates_that_cannot_be_distinguished_share_a_rank() -> None:
    found = ranking([PairTally("a", "b", 6, 5), PairTally("b", "c", 40, 2), PairTally("a", "c", 40, 2)])
    assert [(one.name, one.rank) for one in found.candidates] == [("a", 1), ("b", 1), ("c", 3)]


def test_a_candidate_that_won_everything_has_a_finite_regularized_strength() -> None:
    found = ranking([PairTally("a", "b", 20, 0), PairTally("b", "c", 20, 0)])
    assert found.regularized
    assert [one.name for one in found.candidates] == ["a", "b", "c"]
    assert all(math.isfinite(bound) for one in found.candidates for bound in (one.low, one.high))
    assert not ranking([PairTally("a", "b", 20, 1), PairTally("b", "c", 20, 1)]).regularized


def test_groups_that_were_never_compared_are_ranked_together() -> None:
    found = ranking([PairTally("a", "b", 30, 3), PairTally("c", "d", 30, 3)])
    assert found.regularized
    assert [one.name for one in found.candidates] == ["a", "c", "b", "d"]


def test_both_bad_does_not_change_the_ranking() -> None:
    with_bad = ranking([PairTally("a", "b", 5, 3, both_bad=40)])
    without = ranking([PairTally("a", "b", 5, 3)])
    assert [one.strength for one in with_bad.candidates] == [one.strength for one in without.candidates]
    assert with_bad.candidates[0].both_bad == 40
    only_bad = ranking([PairTally("a", "b", both_bad=4)])
    assert [(one.rank, one.strength) for one in only_bad.candidates] == [(1, 0), (1, 0)]


def test_verdicts_are_counted_on_either_side() -> None:
    one, other = ("x", "y"), ("y", "x")
    verdicts = [(one, Verdict.A), (other, Verdict.A), (other, Verdict.B), (one, Verdict.TIE)]
    comparisons = [Comparison(*names, verdict) for names, verdict in verdicts]
    comparisons.append(Comparison("y", "x", Verdict.BOTH_BAD))
    assert tally(comparisons) == (PairTally("x", "y", 2, 1, 1, 1),)
    assert tally([]) == ()
    assert ranking([]).candidates == ()


@settings(deadline=None)
@given(PAIRS)
def test_strengths_are_finite_sum_to_zero_and_are_sorted(pairs: list[PairTally]) -> None:
    found = ranking(pairs)
    strengths = [one.strength for one in found.candidates]
    assert sum(strengths) == pytest.approx(0, abs=1e-6)
    assert strengths == sorted(strengths, reverse=True)
    assert all(one.low <= one.strength <= one.high for one in found.candidates)
    for one in found.candidates:
        assert one.rank == 1 + sum(other.low > one.high for other in found.candidates)


def _turned(pair: PairTally) -> tuple[int, int, int, int]:
    return pair.second_wins, pair.first_wins, pair.ties, pair.both_bad


@settings(deadline=None)
@given(PAIRS, st.permutations("abcd"))
def test_names_do_not_matter(pairs: list[PairTally], names: list[str]) -> None:
    renamed = dict(zip("abcd", names, strict=True))
    # The two sides are swapped too, since a tally has the same content in both orders.
    swapped = [
        PairTally(
            renamed[pair.second],
            renamed[pair.first],
            pair.second_wins,
            pair.first_wins,
            pair.ties,
            pair.both_bad,
        )
        for pair in reversed(pairs)
    ]
    before = {renamed[one.name]: one.strength for one in ranking(pairs).candidates}
    after = {one.name: one.strength for one in ranking(swapped).candidates}
    assert before == pytest.approx(after, abs=1e-6)


@settings(deadline=None)
@given(PAIRS.filter(bool))
def test_another_win_never_lowers_the_winner(pairs: list[PairTally]) -> None:
    first = pairs[0]
    before = {one.name: one.strength for one in ranking(pairs).candidates}
    more = ranking([*pairs, PairTally(first.first, first.second, 1)])
    if more.regularized == ranking(pairs).regularized:
        after = {one.name: one.strength for one in more.candidates}
        assert after[first.first] - after[first.second] >= before[first.first] - before[first.second] - 1e-6
