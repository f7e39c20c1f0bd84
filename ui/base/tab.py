"""A tab of the browser, and whose it is.

What a person leaves in `st.session_state` (a text that was not sent, a chosen conversation, the outcome of an
upload) is theirs. It stays while they are away, because a sign-in may end while somebody works. It goes when
they sign out, and when another person signs in.
"""

from __future__ import annotations

from typing import Final

import streamlit as st

SERVICES: Final = "tavern_services"
PAGES: Final = "tavern_pages"
HERE: Final = "tavern_here"
ADDRESS: Final = "tavern_address"
SIGNED_IN: Final = "tavern_signed_in"
IDENTIFIED: Final = "tavern_identified"
RESTORE_TRIED: Final = "tavern_restore_tried"
ENDED_COOKIE: Final = "tavern_ended_cookie"
_OWNER: Final = "tavern_owner"
_TURN: Final = "tavern_turn"

_OWN_KEYS: Final = frozenset(
    {SERVICES, PAGES, HERE, SIGNED_IN, IDENTIFIED, RESTORE_TRIED, ENDED_COOKIE, _OWNER, _TURN}
)
"""The keys of `st.session_state` that belong to the tab, whoever sits in front of it."""


def belong_to(user_id: str) -> None:
    """Make a person the owner of the running tab. What another owner has left goes."""
    if st.session_state.get(_OWNER) not in (None, user_id):
        clear()
    st.session_state[_OWNER] = user_id


def clear() -> None:
    """Remove everything but the tab's own keys, because the owner leaves."""
    for key in list(st.session_state):
        if key not in _OWN_KEYS:
            del st.session_state[key]
    st.session_state[_OWNER] = None
    st.session_state[_TURN] = turn() + 1


def own_key(name: str) -> str:
    """Return the key of a widget that visitors see as well, another one for each owner of the tab.

    The browser keeps what was typed into a widget, or clicked in a component, for as long as the page shows
    it. Only a new key makes it forget.
    """
    return f"{name}_{turn()}"


def turn() -> int:
    """Return a number that changes with each owner of the running tab."""
    return int(st.session_state.get(_TURN, 0))
