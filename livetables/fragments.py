"""Fragments that show live tables, and rerun when one of them changes."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Final, ParamSpec

import streamlit as st

from livetables.presence.model import PRESENCE
from livetables.pseudo_tables import STATUS
from livetables.rerun import supported
from livetables.running_session import rendering
from livetables.tables.part import Dependency, Part

__all__ = ["FALLBACK_EVERY", "PRESENCE", "STATUS", "Part", "live_fragment"]

P = ParamSpec("P")

FALLBACK_EVERY: Final = 1.0
"""Seconds between two reruns of a fragment if the installed Streamlit cannot be asked to rerun it."""


def live_fragment(
    *,
    tables: Sequence[Dependency],
    varies_by: Sequence[str] = (),
    key: str | None = None,
    shared: bool = False,
) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """Turn a function into a fragment that reruns when one of `tables` changes, and only then.

    Before the body runs, all tables in `st.session_state` move to the newest moment together.

    - `tables` are the names of the tables it shows, `STATUS` for the connection, `PRESENCE` for who is here.
      With a `Part` of a table it reruns only when the value of that part changes.
    - `varies_by` names everything else the output depends on: "time_zone", "language", "role", "user", or a
      key of `st.session_state`.
    - `key` is the fragment's name, unique in the app. By default it is the function's module and name.
    - `shared` says that the body depends on nothing but `tables`, `varies_by` and its arguments, and does
      nothing but show elements. When a table changes, it then runs for one of the sessions that agree in all
      of them, and the others are sent the elements that differ. A body with a widget reruns for each all the
      same.

    The function returns nothing. Put what other parts of the page need into `st.session_state`.
    """
    names = (tables,) if isinstance(tables, str) else tuple(tables)  # a `str` is a `Sequence[str]` too

    def decorate(function: Callable[P, None]) -> Callable[P, None]:
        @functools.wraps(function)
        def shown(*args: P.args, **kwargs: P.kwargs) -> None:
            with rendering(names, varies_by, (args, tuple(kwargs.items())), shared=shared):
                function(*args, **kwargs)

        name = key or f"{function.__module__}.{function.__qualname__}"
        return st.fragment(shown, key=name, run_every=None if supported() else FALLBACK_EVERY)

    return decorate
