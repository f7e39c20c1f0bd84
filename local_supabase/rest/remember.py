"""Remembering what short texts mean."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
# Long texts are rare, and many of them would fill the memory.
_LONGEST = 2000


def remembered(size: int) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Keep the results of a pure function for its latest `size` different arguments, if these are short."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        kept = lru_cache(maxsize=size)(function)

        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            if all(argument is None or len(str(argument)) <= _LONGEST for argument in args):
                return kept(*args, **kwargs)  # type: ignore[arg-type]  # texts can be hashed
            return function(*args, **kwargs)

        return call

    return decorate
