"""Finds similar names for hints, with the algorithm of fuzzyset, the library that PostgREST uses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from math import sqrt

_CANDIDATES = 50


def closest(names: Iterable[str], given: str, *, at_least: float = 0.33) -> str | None:
    """Return the most similar name.

    Arguments:
        names: the names to choose from.
        given: the name to compare with.
        at_least: the lowest score, from 0 to 1. If no name reaches it, the result is None.
    """
    found = ranked(names, given, at_least=at_least)
    return found[0][1] if found else None


def ranked(names: Iterable[str], given: str, *, at_least: float = 0.33) -> list[tuple[float, str]]:
    """Return the scores and names of similar names, best first.

    Arguments:
        names: the names to choose from.
        given: the name to compare with.
        at_least: the lowest score, from 0 to 1.
    """
    wanted = given.lower()
    known = dict.fromkeys(names)
    exact = [(1.0, name) for name in known if name.lower() == wanted]
    if exact:
        return exact[:1]
    for size in (3, 2):
        matches = _alike(known, wanted, size)
        scored = [(_similarity(wanted, name.lower()), name) for _, name in matches[:_CANDIDATES]]
        good = sorted((pair for pair in scored if pair[0] >= at_least), key=lambda pair: -pair[0])
        if matches:
            return good
    return []


def _alike(names: Iterable[str], wanted: str, size: int) -> list[tuple[float, str]]:
    grams = _grams(wanted, size)
    scored = []
    for name in names:
        others = _grams(name.lower(), size)
        shared = sum(count * others[gram] for gram, count in grams.items())
        if shared:
            scored.append((shared / (_norm(grams) * _norm(others)), name))
    return sorted(scored, key=lambda pair: -pair[0])


def _grams(text: str, size: int) -> Counter[str]:
    kept = "-" + "".join(c for c in text if c.isalnum() or c in " ,_") + "-"
    return Counter(kept[at : at + size] for at in range(max(len(kept) - size + 1, 1)))


def _norm(grams: Counter[str]) -> float:
    return sqrt(sum(count * count for count in grams.values()))


def _similarity(one: str, other: str) -> float:
    longest = max(len(one), len(other))
    return 1 - _distance(one[:200], other[:200]) / longest if longest else 1.0


def _distance(one: str, other: str) -> int:
    previous = list(range(len(other) + 1))
    for row, left in enumerate(one, start=1):
        current = [row]
        for column, right in enumerate(other, start=1):
            change = previous[column - 1] + (left != right)
            current.append(min(previous[column] + 1, current[column - 1] + 1, change))
        previous = current
    return previous[-1]
