"""Which versions of Streamlit the library works with."""

from __future__ import annotations

import logging
import re
from functools import cache
from importlib.metadata import version
from typing import Final

from livetables.errors import UnsupportedStreamlitError

_log: Final = logging.getLogger(__name__)

OLDEST: Final = (1, 67)
NEWEST: Final = (1, 67)
"""The minor versions that the tests run with, from the oldest to the newest.

1.66 has other private names for what `rerun` uses, such as no `Runtime.get_app_session`.
"""


def refusal(installed: str) -> str:
    """Return what to tell somebody who has this version of Streamlit, which does not work."""
    after = _text((NEWEST[0], NEWEST[1] + 1))
    return (
        f"livetables works with Streamlit {_range()}, and {installed} is installed. "
        f"Install one that works: pip install 'streamlit>={_text(OLDEST)},<{after}'"
    )


def is_tested(installed: str) -> bool:
    """Return whether the tests run with this version of Streamlit."""
    return OLDEST <= _minor(installed) <= NEWEST


@cache
def check() -> None:
    """Find out, once, whether the installed Streamlit works.

    A version that the tests do not run with is used, with a warning in the log, if it has all that is needed.

    Raises `UnsupportedStreamlitError` if it has not.
    """
    installed = version("streamlit")
    try:
        from livetables.rerun import missing_names

        missing = missing_names()
    except (ImportError, AttributeError) as error:
        raise UnsupportedStreamlitError(refusal(installed)) from error
    if missing:
        raise UnsupportedStreamlitError(f"{refusal(installed)}. It lacks {', '.join(missing)}.")
    if not is_tested(installed):
        _log.warning("livetables is tested with Streamlit %s, not with %s", _range(), installed)


def _range() -> str:
    return _text(NEWEST) if OLDEST == NEWEST else f"{_text(OLDEST)} to {_text(NEWEST)}"


def _minor(installed: str) -> tuple[int, int]:
    numbers = re.match(r"(\d+)\.(\d+)", installed)
    return (int(numbers[1]), int(numbers[2])) if numbers else (0, 0)


def _text(minor: tuple[int, int]) -> str:
    return ".".join(str(number) for number in minor)
