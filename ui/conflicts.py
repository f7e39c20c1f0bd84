"""Saving what a person edited while somebody else may be editing it too: nobody's words are lost.

What only one of the two has changed goes together by itself. A field that both have changed, differently, is
a clash: both versions are shown, and the person decides for each field.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

import streamlit as st

from db.auth import SignedIn
from db.errors import Conflict, DatabaseError
from db.merge import Choice, Merge, changed, decided, merge
from db.models import Record
from db.rows import Values
from ui import session, times, writing
from ui.people import name_of
from ui.text import as_html, as_label

_MOST_MERGES = 5
"""Tries to get a merged change in between somebody who saves all the time."""


@dataclass(frozen=True, slots=True)
class Editing:
    """A row that is being edited: where it is, its fields as JSON, and how to write some of them."""

    table: str
    values_of: Callable[[Record], Values]
    write: Callable[[SignedIn, Values, int], Record]
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Clash:
    """Both versions of a row, until the person has decided."""

    mine: Values
    theirs: Values
    merged: Merge
    version: int
    changed_at: datetime | None
    changed_by: str | None


def by_whom(user_id: str | None) -> str:
    """Name whoever changed something, as the beginning of a sentence."""
    if user_id is not None and user_id == session.my_id():
        return "You"
    return name_of(session.users().get((user_id,)) if user_id is not None else None)


def change_told(
    labels: Mapping[str, str], fields: Iterable[str], changed_by: str | None, changed_at: datetime
) -> str:
    """Say who changed which fields and when, as in `Ada changed the location 7 s ago.`, in one sentence."""
    names = [labels.get(field, field).lower() for field in fields]
    listed = f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)
    what = f"the {listed}" if listed else "something"
    return f"{by_whom(changed_by)} changed {what} {times.ago(changed_at, datetime.now(UTC))}."


def save(editing: Editing, base: Values, mine: Values, version: int) -> Clash | DatabaseError | None:
    """Write what `mine` changes of `base`, which was seen at this version; None when it is saved.

    Somebody else's change in between is merged, or comes back as a clash.
    """
    return _save(editing, changed(base, mine), base, mine, version)


def save_decided(
    editing: Editing, clash: Clash, choices: Mapping[str, Choice]
) -> Clash | DatabaseError | None:
    """Write on top of the other version what the person has decided to keep of theirs."""
    values = cast("Values", decided(clash.merged, clash.mine, choices))
    mine = {**clash.theirs, **values}
    return _save(editing, values, clash.theirs, mine, clash.version)


def _save(
    editing: Editing, values: Values, base: Values, mine: Values, version: int
) -> Clash | DatabaseError | None:
    for _ in range(_MOST_MERGES):
        if not values:
            return None
        result = writing.attempt(lambda me, v=values, at=version: editing.write(me, v, at))  # type: ignore[misc]
        if not isinstance(result, Conflict):
            return _shown(editing, result)
        clash = _compare(editing, base, mine, result.current)
        if clash.merged.clashes:
            return clash
        values = cast("Values", clash.merged.mine)
        base, mine, version = clash.theirs, {**clash.theirs, **values}, clash.version
    return DatabaseError("Somebody else keeps changing this. Please try again in a moment.")


def _shown(editing: Editing, result: Record | DatabaseError) -> DatabaseError | None:
    if isinstance(result, DatabaseError):
        return result
    writing.show_written(editing.table, [result])
    return None


def _compare(editing: Editing, base: Values, mine: Values, current: Record) -> Clash:
    writing.show_written(editing.table, [current])
    theirs = editing.values_of(current)
    updated, author = current.get("updated_at"), current.get("updated_by")
    return Clash(
        mine=mine,
        theirs=theirs,
        merged=merge(base, mine, theirs),
        version=int(str(current["version"])),
        changed_at=datetime.fromisoformat(updated) if isinstance(updated, str) else None,
        changed_by=author if isinstance(author, str) else None,
    )


def choose(editing: Editing, clash: Clash, key: str) -> dict[str, Choice]:
    """Show both versions of every clash and let the person decide."""
    when = times.ago(clash.changed_at, datetime.now(UTC)) if clash.changed_at else "meanwhile"
    st.warning(
        f"{as_label(by_whom(clash.changed_by))} saved something different {as_label(when)}. "
        "Which shall stand? "
        "What only one of you has changed is kept.",
        icon=":material/call_merge:",
    )
    return {field: _choose_one(editing, clash, field, key) for field in clash.merged.clashes}


def _choose_one(editing: Editing, clash: Clash, field: str, key: str) -> Choice:
    label = editing.labels.get(field, field)
    with st.container(border=True):
        st.html(
            f'<div class="tv-versions"><b>{as_html(label)}</b>'
            f"<p><small>Yours</small>{_version_html(clash.mine[field])}</p>"
            f"<p><small>Theirs</small>{_version_html(clash.theirs[field])}</p></div>"
        )
        return st.segmented_control(
            label,
            list(Choice),
            format_func=lambda choice: choice.value,
            default=Choice.MINE,
            required=True,
            label_visibility="collapsed",
            key=f"{key}_{clash.version}_{field}",
        )


def _version_html(value: object) -> str:
    if value is None or value == "":
        return "<i>nothing</i>"
    text = str(value)
    try:
        return as_html(times.full(datetime.fromisoformat(text), session.zone()))
    except (ValueError, TypeError):
        return as_html(text)
