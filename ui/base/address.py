"""The parameters of a page's address: one rule for all pages.

Streamlit sends the address with every message of the browser, as the browser shows it at that moment. So what
a browser sends before it has heard of a new address still names the old one, and a page that believed it
would go back by itself. `Parameter` tells such a message from a person who goes elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self, cast

import streamlit as st

from livetables.rerun import is_history_navigation
from ui.base import tab

_MOST: Final = 20
"""Values that a browser which lags behind may still show."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a tab's address; None stands for an address without it.

    `values` are the one that a person went to, and those that the server has written since. The last one
    holds.
    """

    values: tuple[str | None, ...]

    @property
    def value(self) -> str | None:
        """The value that holds."""
        return self.values[-1]

    def write(self, value: str | None) -> Self:
        """Return it after the server has sent the browser a new value."""
        return self if value == self.value else type(self)((*self.values, value)[-_MOST:])

    def hear(self, value: str | None, *, navigated: bool) -> Self:
        """Return it after a message of the browser, which shows a value.

        Somebody who goes back or forward (`navigated`) means what the address names. So does who goes to a
        value that was not written here: they used a link. Any other value is what holds, or older.
        """
        return type(self)((value,)) if navigated or value not in self.values else self


def arrived(name: str) -> bool:
    """Return whether the parameter was not read or written yet since the person came to the page."""
    return name not in _parameters()


def read(name: str) -> str | None:
    """Return a parameter of the address. Call it in full runs only, which always know their address."""
    asked = st.query_params.get(name)
    known = _parameters().get(name, Parameter((asked,)))
    now = _parameters()[name] = known.hear(asked, navigated=is_history_navigation())
    if now.value != asked:
        _put(name, now.value)
    return now.value


def write(name: str, value: str | None) -> None:
    """Change a parameter of the address, which is one step in the browser's history; None removes it."""
    _note(name, value)
    if st.query_params.get(name) != value:
        _put(name, value)


def replace(parameters: Mapping[str, str]) -> None:
    """Replace the whole address at once, as one step in the browser's history."""
    for name in _parameters().keys() | parameters.keys():
        _note(name, parameters.get(name))
    st.query_params.from_dict(parameters)


def _note(name: str, value: str | None) -> None:
    known = _parameters().get(name, Parameter((st.query_params.get(name),)))
    _parameters()[name] = known.write(value)


def _put(name: str, value: str | None) -> None:
    if value is None:
        st.query_params.pop(name, None)
    else:
        st.query_params[name] = value


def _parameters() -> dict[str, Parameter]:
    return cast("dict[str, Parameter]", st.session_state.setdefault(tab.ADDRESS, {}))
