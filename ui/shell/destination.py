"""The address that somebody asked for before they had to sign in, carried through the account pages.

It is one of the app's own pages with its query, never a whole address, so a link cannot lead elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import parse_qsl, urlencode

import streamlit as st

from ui.base.navigation import Place, here, page

_PARAMETER: Final = "next"
_LONGEST: Final = 4000
"""Characters of a query. Servers refuse addresses that are much longer."""
_ACCOUNT_PAGES: Final = frozenset({Place.SIGN_IN, Place.CREATE_ACCOUNT})
_NO_DESTINATIONS: Final = _ACCOUNT_PAGES | {Place.NOT_FOUND}


@dataclass(frozen=True, slots=True)
class Destination:
    """A page and the parameters of its address, in their order."""

    place: Place = Place.TAVERN
    query: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what `str` made. What is no page of the app, or an account page, is the common room."""
        path, _, query = text.partition("?")
        try:
            place = Place(path)
        except ValueError:  # the address was typed by hand
            return cls()
        if place in _NO_DESTINATIONS:
            return cls()
        try:
            return cls(place, tuple(parse_qsl(query, keep_blank_values=True, max_num_fields=100)))
        except ValueError:  # more fields than any page has
            return cls(place)

    def __str__(self) -> str:
        """Return it as the value of one parameter: `agents?run=…`."""
        query = urlencode(self.query)
        return f"{self.place.value}?{query}" if query and len(query) <= _LONGEST else self.place.value


def wanted() -> Destination:
    """Return where this tab goes on after signing in: the open address, unless it is an account page's."""
    if here() in _ACCOUNT_PAGES:
        return Destination.parse(st.query_params.get(_PARAMETER, Place.TAVERN))
    if here() is Place.NOT_FOUND:
        return Destination()
    names = list(st.query_params)
    return Destination(
        here(), tuple((name, value) for name in names for value in st.query_params.get_all(name))
    )


def link_parameters() -> dict[str, str]:
    """Return the parameters of a link to an account page, which keep where this tab wants to be."""
    return {_PARAMETER: str(wanted())}


def go() -> None:
    """Leave an account page for the address that led to it. Ends the run."""
    destination = wanted()
    st.switch_page(page(destination.place), query_params=destination.query)
