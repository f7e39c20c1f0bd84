"""Fragments that show live tables."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, ParamSpec

import streamlit as st

from live.engine import STATUS
from live.presence import PRESENCE
from live.rerun import supported
from live.sessions import enter_fragment

__all__ = ["DECLARED", "FALLBACK_EVERY", "PRESENCE", "STATUS", "Declaration", "live_fragment"]

P = ParamSpec("P")

FALLBACK_EVERY: Final = 1.0
"""Seconds between reruns where sessions cannot be woken."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a live fragment shows and depends on, as declared."""

    key: str
    tables: tuple[str, ...]
    varies_by: tuple[str, ...]


DECLARED: Final[dict[str, Declaration]] = {}
"""Every live fragment of the process by key. What rendering once for many sessions will need to know."""


def live_fragment(
    *, tables: Sequence[str], varies_by: Sequence[str] = (), key: str | None = None
) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """Turn a function into a fragment that reruns when one of `tables` changes, and only then.

    Before the body runs, every table in `st.session_state` moves to the newest moment, all of them together.

    - `tables` are the names of the tables it shows, `STATUS` for the connection, `PRESENCE` for who is here.
    - `varies_by` names everything else its output depends on: "time_zone", "language", "role", "user", or a
      key of `st.session_state`. Sessions that agree in these may one day be served by one rendering, so name
      all of them.
    - `key` is the fragment's name, unique in the app; the function's module and name by default.

    The function returns nothing; what other parts need of it goes into `st.session_state`.
    """

    def decorate(function: Callable[P, None]) -> Callable[P, None]:
        name = key or f"{function.__module__}.{function.__qualname__}"
        declaration = Declaration(name, _names(tables), _names(varies_by))
        DECLARED[name] = declaration

        @functools.wraps(function)
        def shown(*args: P.args, **kwargs: P.kwargs) -> None:
            enter_fragment(declaration.tables)
            function(*args, **kwargs)

        return st.fragment(shown, key=name, run_every=None if supported() else FALLBACK_EVERY)

    return decorate


def _names(names: Sequence[str]) -> tuple[str, ...]:
    # ("users") is text and not a tuple, which no type checker tells apart here.
    return (names,) if isinstance(names, str) else tuple(names)
