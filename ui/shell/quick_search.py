"""Quick search: Ctrl+K on every page finds people, events, messages and pages.

The script (`quick_search.js`) has the dialog. It is sent people and events when it opens, and answers each
key itself. Messages are looked for by the server after a moment: first those that are loaded, then all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, Self

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

from db.errors import DatabaseError
from db.hub import search
from livetables.running_session import enter_fragment
from ui.base import folding, html, session, tab
from ui.base.fragments import rerun_only
from ui.base.html_cache import shared_html
from ui.base.navigation import Place
from ui.base.people import finder
from ui.events import tables
from ui.events.cards import Viewing, viewing_now
from ui.messages import tables as message_tables
from ui.shell import search_index
from ui.shell.search_index import LONGEST_QUERY, SHORTEST_QUERY, Entry, Groups, Said
from ui.writes.submit import fetch_for_anybody

_ASKED: Final = "quick_search_asked"
_ANSWERED: Final = "quick_search_answered"

_BUTTON: Final = html.Template(
    '<button type="button" class="tv-find" data-quick-search aria-haspopup="dialog">'
    '<span>Search</span><kbd aria-hidden="true"></kbd></button>'
)()


@dataclass(frozen=True, slots=True)
class Asked:
    """What the browser wants to know: whether the search is open, the query, and whether in all messages."""

    nonce: str = ""
    is_open: bool = False
    query: str = ""
    everywhere: bool = False

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read what the browser has sent; what is none of that is a closed search."""
        match value:
            case {
                "nonce": str(nonce),
                "open": bool(is_open),
                "query": str(query),
                "everywhere": bool(everywhere),
            }:
                return cls(nonce, is_open, " ".join(query[:LONGEST_QUERY].split()), everywhere)
            case _:
                return cls()

    @property
    def wants_messages(self) -> bool:
        """Whether there is enough of a query to look for messages."""
        return self.is_open and len(self.query) >= SHORTEST_QUERY


@cache
def _component(name: str) -> ComponentRenderer:
    script = (Path(__file__).parent / f"{name}.js").read_text(encoding="utf-8")
    return st.components.v2.component(f"tavern_{name}", js=script)


def button() -> None:
    """Show the button that opens the search."""
    html.show(_BUTTON)


def show(names: Mapping[Place, str]) -> None:
    """Listen for the keys that open the search. Call it on every page.

    Args:
        names: The pages that the person may open, with their names in the menu.
    """
    data = {
        "turn": tab.turn(),
        "pages": [entry.values for entry in search_index.pages(names)],
        "shortest": SHORTEST_QUERY,
        "longest": LONGEST_QUERY,
    }
    _component("quick_search")(key="quick_search_watch", data=data)
    _index()
    _answer()


@st.fragment(key="quick_search_index")
def _index() -> None:
    """Send people and events to a browser in which the search is open, and keep them live there."""
    asked = _asked()
    enter_fragment(("users", "events") if asked.is_open else ())
    found: dict[str, object] = {"index": None, "plain": {}}
    if asked.is_open:
        found = {"index": _people_and_events(viewing_now()), "plain": _plain()}
    # With the nonce no two messages are the same: a browser that opens the search again at once may just have
    # dropped the message that Streamlit would refer to.
    data = {"turn": tab.turn(), "found": found, "nonce": asked.nonce}
    _component("quick_search_link")(key=tab.own_key("search_index_watch"), data=data)


def _people_and_events(viewing: Viewing) -> Groups:
    people, events = _everybody(), _all_events(viewing)
    return search_index.grouped(People=people[: search_index.MOST], Events=events[: search_index.MOST])


def _everybody() -> list[Entry]:
    return search_index.people(session.users())


def _all_events(viewing: Viewing) -> list[Entry]:
    events = tables.events()
    return shared_html(("search", events, viewing), lambda: search_index.events(events, viewing))


@cache
def _plain() -> Mapping[str, str]:
    return dict(folding.plain_characters())


@st.fragment(key="quick_search")
def _answer() -> None:
    key = tab.own_key("search_watch")

    def on_asked() -> None:
        was_open = _asked().is_open
        reported = st.session_state.get(key)
        asked = Asked.parse(reported.get("asked") if isinstance(reported, Mapping) else None)
        st.session_state[_ASKED] = asked
        if asked.is_open is not was_open:
            rerun_only("quick_search_index", "quick_search")

    data = {"turn": tab.turn(), "found": {"answer": _answer_to(_asked())}, "asks": True}
    _component("quick_search_link")(key=key, data=data, on_asked_change=on_asked)


def _asked() -> Asked:
    asked: Asked = st.session_state.get(_ASKED, Asked())
    return asked


def _answer_to(asked: Asked) -> Mapping[str, Any] | None:
    """Answer once: later runs have other causes."""
    if not asked.wants_messages:
        st.session_state.pop(_ANSWERED, None)
        return None
    known: tuple[str, Mapping[str, Any]] | None = st.session_state.get(_ANSWERED)
    if known is None or known[0] != asked.nonce:
        known = st.session_state[_ANSWERED] = asked.nonce, _find(asked)
    return known[1]


def _find(asked: Asked) -> Mapping[str, Any]:
    me, viewing, problem = session.my_id(), viewing_now(), ""
    found = search_index.loaded(
        asked.query, message_tables.tavern_messages(), message_tables.private_messages(), me
    )
    if asked.everywhere:
        stored = _stored(asked.query)
        if isinstance(stored, DatabaseError):
            problem = f"Only the newest messages were searched. {stored}"
        else:
            found += stored
    messages = search_index.messages(found, asked.query, finder(session.users()), me, viewing)
    return {
        "query": asked.query,
        "everywhere": asked.everywhere,
        "problem": problem,
        "groups": {**_beyond_the_index(asked.query, viewing), **search_index.grouped(Messages=messages)},
    }


def _stored(query: str) -> list[Said] | DatabaseError:
    me, clients = session.signed_in(), session.services().clients
    found = fetch_for_anybody(lambda: search.search(clients, me, query))
    return found if isinstance(found, DatabaseError) else search_index.stored(found, session.my_id())


def _beyond_the_index(query: str, viewing: Viewing) -> Groups:
    """Find the people and events that are too many to be sent to a browser."""
    people, events = _everybody()[search_index.MOST :], _all_events(viewing)[search_index.MOST :]
    return search_index.grouped(
        People=search_index.matching(people, query), Events=search_index.matching(events, query)
    )
