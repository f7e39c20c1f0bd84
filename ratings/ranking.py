"""Ranks candidates by the Bradley-Terry model of pairwise preferences, fitted by statsmodels.

The model (Bradley and Terry 1952, https://doi.org/10.2307/2334029) gives each candidate a strength. The odds
of one against another are the exponential of the difference of their strengths. So it is a logistic
regression without intercept on these differences. A tie counts as half a win for each. `both_bad` says
nothing about which one is better, so it is counted but not used in the fit.

If a candidate won everything, or two groups were never compared, no finite solution exists. Then each
candidate gets half a win and half a loss against an imaginary average candidate, and the ranking is marked
`regularized`. All candidates can be compared then, but their strengths are a little closer to each other.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np
import statsmodels.api as sm

from db.ratings.task_models import Verdict

_PRIOR: Final = 0.5


@dataclass(frozen=True, slots=True)
class PairTally:
    """The results of two candidates against each other."""

    first: str
    second: str
    first_wins: int = 0
    second_wins: int = 0
    ties: int = 0
    both_bad: int = 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """One verdict on two candidates, A and B."""

    name_a: str
    name_b: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate in the ranking.

    `strength` is in log-odds, 0 for the average of all; `low` and `high` bound it at the ranking's level.
    `rank` is 1 plus the number of candidates that are better with certainty (their whole interval is above
    this one's), so candidates that cannot be distinguished share a rank.
    """

    name: str
    rank: int
    strength: float
    low: float
    high: float
    wins: int
    losses: int
    ties: int
    both_bad: int

    @property
    def games(self) -> int:
        """Comparisons that count in the fit."""
        return self.wins + self.losses + self.ties


@dataclass(frozen=True, slots=True)
class Ranking:
    """Candidates, best first. `level` is the confidence level of the intervals, such as 0.95."""

    candidates: Sequence[Ranked]
    regularized: bool
    level: float

    def chance(self, one: str, other: str) -> float:
        """Return the probability, 0 to 1, that `one` is preferred to `other`. Raises `KeyError`."""
        strengths = {candidate.name: candidate.strength for candidate in self.candidates}
        return 1 / (1 + math.exp(strengths[other] - strengths[one]))


def tally(comparisons: Iterable[Comparison]) -> Sequence[PairTally]:
    """Count the verdicts on each pair. It does not matter which of the two was A."""
    counts: defaultdict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for one in comparisons:
        first, second = sorted((one.name_a, one.name_b))
        winner = {Verdict.A: one.name_a, Verdict.B: one.name_b}.get(one.verdict)
        undecided = 2 if one.verdict is Verdict.TIE else 3
        counts[first, second][{first: 0, second: 1}.get(winner or "", undecided)] += 1
    return tuple(PairTally(*pair, *count) for pair, count in sorted(counts.items()))


def ranking(tallies: Iterable[PairTally], *, level: float = 0.95) -> Ranking:
    """Rank the candidates of these pairs, with intervals at this confidence level.

    Several tallies of one pair are added.
    """
    records = _records(tallies)
    names = sorted(records.names)
    if not names:
        return Ranking((), False, level)
    regularized = len(names) > 1 and not _strongly_connected(names, records.points)
    strengths, errors = _fit(names, records.points, regularized=regularized)
    half_width = NormalDist().inv_cdf(0.5 + level / 2) * errors
    lows, highs = strengths - half_width, strengths + half_width
    ranked = [
        Ranked(
            name,
            1 + int(np.sum(lows > highs[at])),
            float(strengths[at]),
            float(lows[at]),
            float(highs[at]),
            *records.counts[name],
        )
        for at, name in enumerate(names)
    ]
    return Ranking(tuple(sorted(ranked, key=lambda one: (-one.strength, one.name))), regularized, level)


Points = Mapping[tuple[str, str], float]
"""The points of the first against the second; a tie is half a point for each."""


@dataclass(frozen=True, slots=True)
class _Records:
    names: set[str]
    points: dict[tuple[str, str], float]
    counts: dict[str, list[int]]
    """Wins, losses, ties, both_bad."""


def _records(tallies: Iterable[PairTally]) -> _Records:
    found = _Records(set(), defaultdict(float), defaultdict(lambda: [0, 0, 0, 0]))
    for pair in tallies:
        sides = ((pair.first, pair.second, pair.first_wins), (pair.second, pair.first, pair.second_wins))
        for name, other, wins in sides:
            found.names.add(name)
            found.points[name, other] += wins + pair.ties / 2
            losses = pair.first_wins + pair.second_wins - wins
            for index, count in enumerate((wins, losses, pair.ties, pair.both_bad)):
                found.counts[name][index] += count
    return found


def _strongly_connected(names: Sequence[str], points: Points) -> bool:
    """Return whether wins lead from every candidate to every other; if not, no finite fit exists."""
    beats = {pair for pair, won in points.items() if won > 0}
    beaten = {(loser, winner) for winner, loser in beats}
    return all(_reached(names[0], edges) >= set(names) for edges in (beats, beaten))


def _reached(start: str, edges: set[tuple[str, str]]) -> set[str]:
    neighbors: defaultdict[str, set[str]] = defaultdict(set)
    for one, other in edges:
        neighbors[one].add(other)
    seen, waiting = {start}, [start]
    while waiting:
        new = neighbors[waiting.pop()] - seen
        seen |= new
        waiting += new
    return seen


def _fit(names: Sequence[str], points: Points, *, regularized: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return the strengths, 0 on average, and their standard errors."""
    count = len(names)
    if count == 1:
        return np.zeros(1), np.zeros(1)
    index = {name: at for at, name in enumerate(names)}
    design, won = [], []
    for (one, other), points_one in points.items():
        points_other = points[other, one]
        if one < other and points_one + points_other > 0:
            row = np.zeros(count)
            row[index[one]], row[index[other]] = 1, -1
            design.append(row)
            won.append((points_one, points_other))
    if regularized:
        # The imaginary candidate has strength 0, so it needs no column.
        design += list(np.eye(count))
        won += [(_PRIOR, _PRIOR)] * count
        free = np.asarray(design)
    else:
        # Only differences are determined, so the first candidate is fixed at 0 while fitting.
        free = np.asarray(design)[:, 1:]
    model = sm.GLM(np.asarray(won), free, family=sm.families.Binomial())
    # Newton, because the default (weighted least squares) warns about perfect fits, and two candidates always
    # have one.
    fitted = model.fit(
        method="newton", start_params=np.zeros(free.shape[1]), max_start_irls=0, maxiter=100, disp=0
    )
    spread = np.eye(count)[:, count - free.shape[1] :]
    center = (np.eye(count) - 1 / count) @ spread
    covariance = center @ fitted.cov_params() @ center.T
    return center @ fitted.params, np.sqrt(np.diag(covariance))
