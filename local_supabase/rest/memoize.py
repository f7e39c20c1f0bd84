"""Memoizes pure functions of short texts."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
# Long texts are rare, and keeping many of them would take too much memory.
_LONGEST = 2000


def memoized(size: int) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorate a pure function so that it keeps its results for short arguments.

    Arguments:
        size: how many results are kept. The least recently used ones are dropped.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        cached = lru_cache(maxsize=size)(function)

        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            if all(argument is None or len(str(argument)) <= _LONGEST for argument in args):
                return cached(*args, **kwargs)  # type: ignore[arg-type]  # texts can be hashed
            return function(*args, **kwargs)

        return call

    return decorate
