"""Fragments that show live tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ParamSpec

P = ParamSpec("P")

STATUS = "status"
"""Declared among `tables`, it wakes a fragment when the connection's status changes."""


def live_fragment(
    *, tables: Sequence[str], varies_by: Sequence[str] = (), key: str | None = None
) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """Turn a function into a fragment that reruns when one of `tables` changes, and only then.

    Before the body runs, every table in `st.session_state` moves to the newest moment, all of them together.

    - `tables` are the names of the tables it shows, `STATUS` for the connection.
    - `varies_by` names everything else its output depends on: "time_zone", "language", "role", "user", or a
      key of `st.session_state`. Sessions that agree in these may one day be served by one rendering, so
      name all of them.
    - `key` is the fragment's name, unique in the app; the function's module and name by default.

    The function returns nothing; what other parts need of it goes into `st.session_state`.
    """
    raise NotImplementedError
