"""Drafts: what a person has typed and not sent, one for each person and place.

The browser keeps them (`drafts.js`), so they survive another page, a reload and a new tab, and typing costs
the server nothing. A draft is put back in its place until it is sent or discarded, and only for its person.
docs/security.md says where that ends.

A visitor's draft belongs to the tab and waits there through signing in.

Every field for text is kept so, but those in `NOT_KEPT`.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final, cast

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

from ui.base import session

NOT_KEPT: Final[Mapping[str, str]] = {
    "Password": "No password is written down anywhere.",
    "Search": "Nothing is lost with it. Where its result is worth a link, it is in the address.",
    "Search the log": "It is in the address.",
    "Value": "A filter is in the address as soon as it is applied.",
    "Invitation code": "It is pasted, or comes in the address, and whoever has it can join.",
    "Six-digit code of your authenticator app": "It is good for half a minute.",
    "2. Enter the six digits that the app shows": "They are good for half a minute.",
    "Folder": "It belongs to a file, which a page cannot keep.",
}
"""The fields that are no drafts, by their labels, and why."""

ACCOUNT: Final = "account"
"""Who has begun to create an account and then signs in need not type the address again."""
ROOM: Final = "chat:room"
NEW_EVENT: Final = "event:new"
NEW_TENANT: Final = "tenant:new"
AGENT: Final = "agent:new"
BUDGET: Final = "budget"
PRICE: Final = "price"
PROFILE: Final = "profile"
_SHOWN: Final = "drafts_shown"
_FORGOTTEN: Final = "drafts_forgotten"
_MOST_FORGOTTEN: Final = 20


def conversation(user_id: str) -> str:
    """Name the place of a private message."""
    return f"conversation:{user_id}"


def event(event_id: str) -> str:
    """Name the place of an edit of an event."""
    return f"event:{event_id}"


def cancellation(event_id: str) -> str:
    """Name the place of the reason for cancelling an event."""
    return f"event:{event_id}:cancelled"


def discussion(event_id: str) -> str:
    """Name the place of a message about an event."""
    return f"event:{event_id}:discussion"


def copy_of(event_id: str) -> str:
    """Name the place of a new event that is a copy of another one."""
    return f"event:new:{event_id}"


def message(message_id: str) -> str:
    """Name the place of an edit of a message."""
    return f"message:{message_id}"


def new_campaign(tenant_id: str) -> str:
    """Name the place of a new campaign of a tenant."""
    return f"campaign:new:{tenant_id}"


def new_task(campaign_id: str) -> str:
    """Name the place of a new task of a campaign."""
    return f"task:new:{campaign_id}"


def comment(task_id: str) -> str:
    """Name the place of the comment on a task that is being rated."""
    return f"comment:{task_id}"


def new_invitation(tenant_id: str) -> str:
    """Name the place of a new invitation to a tenant."""
    return f"invitation:new:{tenant_id}"


def pasted_tasks(campaign_id: str) -> str:
    """Name the place of the tasks that are pasted as text."""
    return f"tasks:{campaign_id}"


@dataclass(frozen=True, slots=True)
class Draft:
    """How the widgets of a place are shown.

    `key` begins the keys of the widgets. It changes when they have to be shown anew. `options` are the labels
    of those that were chosen in select boxes, by the rest of the widget's key, one a line; the browser puts
    back all else by itself.
    """

    key: str
    options: Mapping[str, str]

    def index(self, name: str, labels: Sequence[str], otherwise: int = 0) -> int:
        """Return which of the labels was chosen in a select box, `otherwise` if none of them."""
        chosen = self.options.get(name)
        return labels.index(chosen) if chosen in labels else otherwise

    def several(self, name: str) -> list[str] | None:
        """Return the labels that were chosen in a box for several, None if the person has not changed it."""
        chosen = self.options.get(name)
        return None if chosen is None else chosen.splitlines()


@dataclass(frozen=True, slots=True)
class _Shown:
    options: Mapping[str, str] = field(default_factory=dict)
    turn: int = 0


@cache
def _component() -> ComponentRenderer:
    script = (Path(__file__).parent / "drafts.js").read_text(encoding="utf-8")
    return st.components.v2.component("tavern_drafts", js=script, isolate_styles=False)


def shown(place: str, name: str) -> Draft:
    """Return how to show the widgets of a place. `name` tells them from those of other places."""
    kept = _all_shown().get(place, _Shown())
    return Draft(f"{name}.{kept.turn}.{session.my_id() or 'visitor'}.", kept.options)


def keep(place: str, key: str, *, row: Mapping[str, str] | None = None, note: bool = False) -> None:
    """Keep what is typed into the widgets whose keys begin with `key`, and put back what was kept.

    Call it in the fragment of the widgets, also when they are not shown but may have been.

    Args:
        place: What the text is for.
        key: The `key` of `shown`.
        row: If the form changes a row that others change too: its texts, by the rest of the widget's key. A
            text goes back only into a field that still shows what the person saw when they began to type.
            Other texts are shown beside it.
        note: Whether to say that a draft is back, with a button to discard it.
    """
    _mount(place, {"place": place, "prefix": key, "row": row, "note": note})


def deliver_forgotten() -> None:
    """Tell the browser what to drop, on pages that keep no draft. Call it on every page."""
    _mount("", {})


def _mount(place: str, data: Mapping[str, object]) -> None:
    key = f"draft_{session.my_id() or 'visitor'}_{place}"

    def on_options() -> None:
        # The page may have changed since, and the component be gone.
        reported = st.session_state.get(key)
        take_options(place, reported.get("options") if isinstance(reported, Mapping) else None)

    _component()(
        key=key,
        data={"person": session.my_id() or "", "forgotten": forgotten(), **data},
        on_options_change=on_options,
    )


def take_options(place: str, reported: object) -> None:
    """Keep the options that the browser has reported; none once the draft was discarded."""
    chosen = reported.get("chosen") if isinstance(reported, Mapping) else None
    if not isinstance(chosen, Mapping):
        return
    options = {str(name): text for name, text in chosen.items() if isinstance(text, str)}
    _show_anew(place, options)


def _show_anew(place: str, options: Mapping[str, str]) -> None:
    turn = _all_shown().get(place, _Shown()).turn + 1
    st.session_state[_SHOWN] = {**_all_shown(), place: _Shown(options, turn)}


def _all_shown() -> Mapping[str, _Shown]:
    return cast("Mapping[str, _Shown]", st.session_state.get(_SHOWN, {}))


def forgotten() -> list[Mapping[str, object]]:
    """Return what the browser is told to drop, the newest last."""
    return cast("list[Mapping[str, object]]", st.session_state.get(_FORGOTTEN, []))


def forget(place: str, sent: str | None = None) -> None:
    """Drop the draft of a place, because it was sent or discarded.

    `sent` is the text that was sent, where the person may be typing the next one already: only that goes.
    """
    others = [each for each in forgotten() if each["place"] != place]
    print_ = None if sent is None else fingerprint(sent)
    newest = {"nonce": str(uuid.uuid4()), "place": place, "print": print_}
    st.session_state[_FORGOTTEN] = [*others, newest][-_MOST_FORGOTTEN:]
    if place in _all_shown():
        _show_anew(place, {})


def fingerprint(text: str) -> int:
    """Return a number by which the browser knows a text again, whatever its spaces (FNV-1a)."""
    value = 0x811C9DC5
    for byte in " ".join(text.split()).encode("utf-8", "surrogatepass"):
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return value
