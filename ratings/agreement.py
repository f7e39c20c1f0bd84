"""How much raters agree: Cohen's and Fleiss' kappa, Krippendorff's alpha, and how often gold tasks are right.

The statistics are those of statsmodels and krippendorff; what is done here is to bring judgments into the
form each of them needs, and to say None where a number would mean nothing: without two raters of one task,
or when everybody said the same of everything, so that chance alone would agree as often.
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

from db.rating_task_models import Verdict

CATEGORIES: Final = tuple(Verdict)
_INDEX: Final = {verdict: number for number, verdict in enumerate(CATEGORIES)}


@dataclass(frozen=True, slots=True)
class Vote:
    """Who said what of which task."""

    task_id: str
    rater_id: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number between -1 and 1, with a 95 % interval where the statistic has one; of so many tasks."""

    value: float
    tasks: int
    low: float | None = None
    high: float | None = None

    @property
    def in_words(self) -> str:
        """How large that is, in the words of Landis and Koch (1977), https://doi.org/10.2307/2529310."""
        bounds = ((0.0, "poor"), (0.2, "slight"), (0.4, "fair"), (0.6, "moderate"), (0.8, "substantial"))
        return next((word for bound, word in bounds if self.value <= bound), "almost perfect")


@dataclass(frozen=True, slots=True)
class Agreement:
    """What all the statistics say of the same votes. `alike` is the share of equal pairs, 0 to 1.

    Cohen's kappa is for two raters (None for more: see `pairwise_kappa`); Fleiss' takes the tasks that have
    the most usual number of votes; Krippendorff's alpha takes every task with two votes or more.
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
    """How two raters agree on the tasks that both have judged."""

    one: str
    other: str
    kappa: Estimate


@dataclass(frozen=True, slots=True)
class GoldScore:
    """How often a rater gave the answer that a gold task should get, with a 95 % interval (Wilson's)."""

    correct: int
    total: int
    low: float
    high: float

    @property
    def accuracy(self) -> float:
        """The share, 0 to 1."""
        return self.correct / self.total


def agreement(votes: Iterable[Vote]) -> Agreement:
    """Work out everything for these votes; of two votes of one rater on one task the later counts."""
    tasks = _by_task(votes)
    raters = {rater for given in tasks.values() for rater in given}
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
    """Return Cohen's kappa for every two raters with at least so many tasks in common."""
    tasks = _by_task(votes)
    raters = sorted({rater for given in tasks.values() for rater in given})
    return tuple(_pair_agreements(tasks, raters, least))


def gold_scores(votes: Iterable[Vote], gold: Mapping[str, Verdict]) -> Mapping[str, GoldScore]:
    """Return, for each rater who judged any, how the gold tasks (task id: right verdict) were judged."""
    correct: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for task_id, given in _by_task(votes).items():
        if task_id not in gold:
            continue
        for rater, verdict in given.items():
            total[rater] += 1
            correct[rater] += verdict is gold[task_id]
    return {rater: _score(correct[rater], count) for rater, count in total.items()}


Given = Mapping[str, Verdict]
"""The verdicts on one task, by rater."""


def _by_task(votes: Iterable[Vote]) -> Mapping[str, Given]:
    tasks: defaultdict[str, dict[str, Verdict]] = defaultdict(dict)
    for vote in votes:
        tasks[vote.task_id][vote.rater_id] = vote.verdict
    return tasks


def _pairs(tasks: Collection[Given]) -> tuple[int, int]:
    equal = pairs = 0
    for given in tasks:
        counts = Counter(given.values())
        pairs += len(given) * (len(given) - 1) // 2
        equal += sum(count * (count - 1) // 2 for count in counts.values())
    return equal, pairs


def _cohen(tasks: Mapping[str, Given], one: str, other: str) -> Estimate | None:
    table = np.zeros((len(CATEGORIES), len(CATEGORIES)))
    for given in tasks.values():
        if one in given and other in given:
            table[_INDEX[given[one]], _INDEX[given[other]]] += 1
    shared = int(table.sum())
    if not shared or _by_chance_alone(table.sum(axis=0), table.sum(axis=1), shared):
        return None
    with np.errstate(divide="ignore", invalid="ignore"):  # of tests that nobody asks for
        found = cohens_kappa(table)
    # The interval is that of a normal distribution, which knows no bounds.
    low, high = np.clip((found.kappa_low, found.kappa_upp), -1, 1)
    return Estimate(float(found.kappa), shared, float(low), float(high))


def _by_chance_alone(columns: np.ndarray, rows: np.ndarray, total: int) -> bool:
    """Whether both always said the same one thing: kappa would be 0 / 0."""
    return float(columns @ rows) >= total * total


def _pair_agreements(
    tasks: Mapping[str, Given], raters: Sequence[str], least: int
) -> Iterator[PairAgreement]:
    for one, other in combinations(raters, 2):
        kappa = _cohen(tasks, one, other)
        if kappa is not None and kappa.tasks >= least:
            yield PairAgreement(one, other, kappa)


def _fleiss(tasks: Mapping[str, Given]) -> Estimate | None:
    sizes = Counter(len(given) for given in tasks.values() if len(given) > 1)
    if not sizes:
        return None
    # Of equally usual numbers the greater one, which says more about agreement.
    usual = max(sizes, key=lambda size: (sizes[size], size))
    table = _counts([given for given in tasks.values() if len(given) == usual])
    if np.count_nonzero(table.sum(axis=0)) < 2:
        return None
    return Estimate(float(fleiss_kappa(table, method="fleiss")), len(table))


def _alpha(tasks: Mapping[str, Given]) -> Estimate | None:
    table = _counts([given for given in tasks.values() if len(given) > 1])
    if not len(table) or np.count_nonzero(table.sum(axis=0)) < 2:
        return None
    alpha = krippendorff.alpha(value_counts=table, level_of_measurement="nominal")
    return Estimate(float(alpha), len(table))


def _counts(tasks: Sequence[Given]) -> np.ndarray:
    """Return how often each task (row) got each verdict (column)."""
    table = np.zeros((len(tasks), len(CATEGORIES)), dtype=int)
    for row, given in enumerate(tasks):
        for verdict in given.values():
            table[row, _INDEX[verdict]] += 1
    return table


def _score(correct: int, total: int) -> GoldScore:
    low, high = proportion_confint(correct, total, alpha=0.05, method="wilson")
    return GoldScore(correct, total, float(low), float(high))
