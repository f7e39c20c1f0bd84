"""Agreement: published and hand-computed examples, and properties of any votes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.ratings.task_models import Verdict
from ratings.agreement import Vote, agreement, gold_scores, pairwise_kappa

A, B, TIE, BAD = Verdict.A, Verdict.B, Verdict.TIE, Verdict.BOTH_BAD

VOTES = st.lists(
    st.builds(
        Vote,
        st.sampled_from(["t1", "t2", "t3", "t4", "t5"]),
        st.sampled_from(["r1", "r2", "r3", "r4"]),
        st.sampled_from(list(Verdict)),
    ),
    max_size=30,
)


def two_raters(table: dict[tuple[Verdict, Verdict], int]) -> list[Vote]:
    """Return the votes of two raters; `table` counts each pair of their verdicts."""
    votes, task = [], 0
    for (one, other), count in table.items():
        for _ in range(count):
            votes += [Vote(f"t{task}", "one", one), Vote(f"t{task}", "other", other)]
            task += 1
    return votes


def rows(*tasks: str) -> list[Vote]:
    """Return votes from letters: a text for each task, a letter for each rater, a dot for no vote."""
    letters = {"a": A, "b": B, "t": TIE, "x": BAD}
    return [
        Vote(f"t{task}", f"r{rater}", letters[letter])
        for task, given_ in enumerate(tasks)
        for rater, letter in enumerate(given_)
        if letter != "."
    ]


def test_cohens_kappa_of_a_published_example() -> None:
    # https://en.wikipedia.org/wiki/Cohen%27s_kappa: 20, 5, 10, 15 of 50 proposals.
    found = agreement(two_raters({(A, A): 20, (A, B): 5, (B, A): 10, (B, B): 15}))
    assert found.alike == 0.7
    assert found.cohen is not None
    assert found.cohen.value == pytest.approx(0.4)
    assert found.cohen.tasks == 50
    assert found.cohen.in_words == "fair"
    assert found.cohen.low is not None
    assert found.cohen.high is not None
    assert found.cohen.low < 0.4 < found.cohen.high


def test_fleiss_kappa_by_hand() -> None:
    # Agreement within the tasks is 1, 1/3, 1, 1/3, on average 2/3; by chance it is 1/2.
    found = agreement(rows("aaa", "aab", "bbb", "abb"))
    assert found.fleiss is not None
    assert found.fleiss.value == pytest.approx((2 / 3 - 1 / 2) / (1 - 1 / 2))
    assert found.fleiss.tasks == 4
    assert found.cohen is None


def test_fleiss_kappa_uses_the_tasks_with_the_most_common_number_of_votes() -> None:
    found = agreement(rows("aaa", "aab", "bbb", "abb", "ab.", "a.."))
    assert found.fleiss == agreement(rows("aaa", "aab", "bbb", "abb")).fleiss
    assert (found.tasks, found.raters, found.votes) == (6, 3, 15)


def test_krippendorffs_alpha_of_the_published_example() -> None:
    # https://en.wikipedia.org/wiki/Krippendorff%27s_alpha: three observers, with gaps.
    observers = (".....cdabaacc.c", "a.baccdc.......", "..bacdd.baacc.d")
    letters = {"a": "a", "b": "b", "c": "t", "d": "x", ".": "."}
    units = ["".join(letters[line[unit]] for line in observers) for unit in range(15)]
    found = agreement(rows(*units))
    assert found.alpha is not None
    assert round(found.alpha.value, 3) == 0.691


@pytest.mark.parametrize("votes", [[], rows("a"), rows("a", "b"), rows("aa", "aa")])
def test_undefined_statistics_are_none(votes: list[Vote]) -> None:
    found = agreement(votes)
    assert (found.cohen, found.fleiss, found.alpha) == (None, None, None)


def test_the_later_vote_of_a_rater_counts() -> None:
    again = [*rows("ab", "aa"), Vote("t0", "r1", A)]
    assert agreement(again).alike == 1


def test_kappa_is_computed_for_every_pair_of_raters() -> None:
    votes = rows("aab", "bba", "aab", "bb.", "ab.")
    found = {(pair.one, pair.other): pair.kappa for pair in pairwise_kappa(votes)}
    assert found["r0", "r2"].value == pytest.approx((0 - 4 / 9) / (1 - 4 / 9))
    assert found["r0", "r1"].tasks == 5
    assert pairwise_kappa(votes, least=4) == tuple(
        pair for pair in pairwise_kappa(votes) if (pair.one, pair.other) == ("r0", "r1")
    )


def test_gold_is_scored_with_wilsons_interval() -> None:
    votes = rows("ab", "bb", "aa", "xx")
    scores = gold_scores(votes, {"t0": A, "t1": B, "t2": A})
    assert (scores["r0"].correct, scores["r0"].total, scores["r0"].accuracy) == (3, 3, 1)
    assert (scores["r1"].correct, scores["r1"].total) == (2, 3)
    # (2/3 + z²/6 ± z √(2/27 + z²/36)) / (1 + z²/3) with z = 1.96
    assert (scores["r1"].low, scores["r1"].high) == pytest.approx((0.2077, 0.9385), abs=1e-4)


@settings(deadline=None)
@given(VOTES, st.permutations(["r1", "r2", "r3", "r4"]))
def test_names_and_order_do_not_matter(votes: list[Vote], names: list[str]) -> None:
    renamed = dict(zip(["r1", "r2", "r3", "r4"], names, strict=True))
    latest = list({(vote.task_id, vote.rater_id): vote for vote in votes}.values())
    other = [Vote(vote.task_id, renamed[vote.rater_id], vote.verdict) for vote in reversed(latest)]
    one, two = agreement(votes), agreement(other)
    assert (one.alike, one.tasks, one.raters, one.votes) == (two.alike, two.tasks, two.raters, two.votes)
    for left, right in ((one.cohen, two.cohen), (one.fleiss, two.fleiss), (one.alpha, two.alpha)):
        assert (left is None) == (right is None)
        if left is not None and right is not None:
            assert left.value == pytest.approx(right.value)
            assert -1 <= left.value <= 1 + 1e-9


@settings(deadline=None)
@given(VOTES)
def test_equal_votes_are_complete_agreement(votes: list[Vote]) -> None:
    verdicts = {"t1": A, "t2": B, "t3": TIE, "t4": BAD, "t5": A}
    same = [Vote(vote.task_id, vote.rater_id, verdicts[vote.task_id]) for vote in votes]
    found = agreement(same)
    assert found.alike in (None, 1)
    for estimate in (found.cohen, found.fleiss, found.alpha):
        assert estimate is None or estimate.value == pytest.approx(1)
