"""The agreement of raters: Cohen's and Fleiss' kappa, Krippendorff's alpha, and scores on gold tasks.

The statistics come from statsmodels and krippendorff. This module brings judgments into the form that each of
them needs, and returns None where a number would mean nothing: if no task has two raters, or if all verdicts
are the same, because then chance alone would agree as often.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import krippendorff
import numpy as np
from statsmodels.stats.inter_rater import cohens_kappa, fleiss_kappa
from statsmodels.stats.proportion import proportion_confint

from db.ratings.task_models import Verdict

CATEGORIES: Final = tuple(Verdict)
_INDEX: Final = {verdict: number for number, verdict in enumerate(CATEGORIES)}


@dataclass(frozen=True, slots=True)
class Vote:
    """The verdict of a rater on a task."""

    task_id: str
    rater_id: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Estimate:
    """A statistic between -1 and 1 over this many tasks, with its 95 % interval if it has one."""

    value: float
    tasks: int
    low: float | None = None
    high: float | None = None

    @property
    def in_words(self) -> str:
        """The value in the words of Landis and Koch (1977), https://doi.org/10.2307/2529310."""
        bounds = ((0.0, "poor"), (0.2, "slight"), (0.4, "fair"), (0.6, "moderate"), (0.8, "substantial"))
        return next((word for bound, word in bounds if self.value <= bound), "almost perfect")


@dataclass(frozen=True, slots=True)
class Agreement:
    """All statistics of the same votes. `alike` is the share of equal pairs of votes, 0 to 1.

    Cohen's kappa is for two raters, None for more (see `pairwise_kappa`). Fleiss' kappa uses the tasks with
    the most common number of votes. Krippendorff's alpha uses all tasks with two votes or more.
    """

    tasks: int
    raters: int
    votes: int
    alike: float | None
    cohen: Estimate | None
    fleiss: Estimate | None
    alpha: Estimate | None


@dataclass(frozen=True, slots=True)
class PairAgreement:
    """The agreement of two raters on the tasks that both have judged."""

    one: str
    other: str
    kappa: Estimate


@dataclass(frozen=True, slots=True)
class GoldScore:
    """How often a rater gave the right verdict on gold tasks. `low` and `high` are Wilson's 95 % interval."""

    correct: int
    total: int
    low: float
    high: float

    @property
    def accuracy(self) -> float:
        """The share of right verdicts, 0 to 1."""
        return self.correct / self.total


def agreement(votes: Iterable[Vote]) -> Agreement:
    """Return all statistics of these votes. If a rater voted twice on a task, the later vote counts."""
    tasks = _by_task(votes)
    raters = {rater for verdicts in tasks.values() for rater in verdicts}
    equal, pairs = _pairs(tasks.values())
    return Agreement(
        tasks=len(tasks),
        raters=len(raters),
        votes=sum(map(len, tasks.values())),
        alike=equal / pairs if pairs else None,
        cohen=_cohen(tasks, *sorted(raters)) if len(raters) == 2 else None,
        fleiss=_fleiss(tasks),
        alpha=_alpha(tasks),
    )


def pairwise_kappa(votes: Iterable[Vote], *, least: int = 2) -> Sequence[PairAgreement]:
    """Return Cohen's kappa for every two raters who share at least `least` tasks."""
    tasks = _by_task(votes)
    raters = sorted({rater for verdicts in tasks.values() for rater in verdicts})
    return tuple(_pair_agreements(tasks, raters, least))


def gold_scores(votes: Iterable[Vote], gold: Mapping[str, Verdict]) -> Mapping[str, GoldScore]:
    """Return the score of each rater who judged a gold task. `gold` has the right verdict by task id."""
    correct: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for task_id, verdicts in _by_task(votes).items():
        if task_id not in gold:
            continue
        for rater, verdict in verdicts.items():
            total[rater] += 1
            correct[rater] += verdict is gold[task_id]
    return {rater: _score(correct[rater], count) for rater, count in total.items()}


Verdicts = Mapping[str, Verdict]
"""The verdicts on one task, by rater."""


def _by_task(votes: Iterable[Vote]) -> Mapping[str, Verdicts]:
    tasks: defaultdict[str, dict[str, Verdict]] = defaultdict(dict)
    for vote in votes:
        tasks[vote.task_id][vote.rater_id] = vote.verdict
    return tasks


def _pairs(tasks: Collection[Verdicts]) -> tuple[int, int]:
    equal = pairs = 0
    for verdicts in tasks:
        counts = Counter(verdicts.values())
        pairs += len(verdicts) * (len(verdicts) - 1) // 2
        equal += sum(count * (count - 1) // 2 for count in counts.values())
    return equal, pairs


def _cohen(tasks: Mapping[str, Verdicts], one: str, other: str) -> Estimate | None:
    table = np.zeros((len(CATEGORIES), len(CATEGORIES)))
    for verdicts in tasks.values():
        if one in verdicts and other in verdicts:
            table[_INDEX[verdicts[one]], _INDEX[verdicts[other]]] += 1
    shared = int(table.sum())
    if not shared or _single_verdict(table.sum(axis=0), table.sum(axis=1), shared):
        return None
    with np.errstate(divide="ignore", invalid="ignore"):  # from tests of significance that are not used
        found = cohens_kappa(table)
    # The interval is that of a normal distribution, which has no bounds.
    low, high = np.clip((found.kappa_low, found.kappa_upp), -1, 1)
    return Estimate(float(found.kappa), shared, float(low), float(high))


def _single_verdict(columns: np.ndarray, rows: np.ndarray, total: int) -> bool:
    """Return whether both raters always gave one and the same verdict: kappa would be 0 / 0."""
    return float(columns @ rows) >= total * total


def _pair_agreements(
    tasks: Mapping[str, Verdicts], raters: Sequence[str], least: int
) -> Iterator[PairAgreement]:
    for one, other in combinations(raters, 2):
        kappa = _cohen(tasks, one, other)
        if kappa is not None and kappa.tasks >= least:
            yield PairAgreement(one, other, kappa)


def _fleiss(tasks: Mapping[str, Verdicts]) -> Estimate | None:
    sizes = Counter(len(verdicts) for verdicts in tasks.values() if len(verdicts) > 1)
    if not sizes:
        return None
    # Of equally common numbers the greater one, which says more about agreement.
    most_common = max(sizes, key=lambda size: (sizes[size], size))
    table = _counts([verdicts for verdicts in tasks.values() if len(verdicts) == most_common])
    if np.count_nonzero(table.sum(axis=0)) < 2:
        return None
    return Estimate(float(fleiss_kappa(table, method="fleiss")), len(table))


def _alpha(tasks: Mapping[str, Verdicts]) -> Estimate | None:
    table = _counts([verdicts for verdicts in tasks.values() if len(verdicts) > 1])
    if not len(table) or np.count_nonzero(table.sum(axis=0)) < 2:
        return None
    alpha = krippendorff.alpha(value_counts=table, level_of_measurement="nominal")
    return Estimate(float(alpha), len(table))


def _counts(tasks: Sequence[Verdicts]) -> np.ndarray:
    """Return how often each task (row) got each verdict (column)."""
    table = np.zeros((len(tasks), len(CATEGORIES)), dtype=int)
    for row, verdicts in enumerate(tasks):
        for verdict in verdicts.values():
            table[row, _INDEX[verdict]] += 1
    return table


def _score(correct: int, total: int) -> GoldScore:
    low, high = proportion_confint(correct, total, alpha=0.05, method="wilson")
    return GoldScore(correct, total, float(low), float(high))
