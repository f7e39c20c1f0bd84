"""Saving what a person edited while somebody else may be editing it too: nobody's words are lost.

What only one of the two has changed goes together by itself. A field that both have changed, differently, is
a clash: both versions are shown, and the person decides for each field.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import itemgetter
from typing import cast

import streamlit as st

from db.auth import SignedIn
from db.errors import Conflict, DatabaseError
from db.merge import Choice, Merge, changed, decided, merge
from db.models import Record
from db.rows import Values
from live.changes import Key
from ui import session, times, writing
from ui.pending import Expected, State, Write, saving_html
from ui.people import name_of
from ui.text import as_html, as_label

_MOST_MERGES = 5
"""Tries to get a merged change in between somebody who saves all the time."""


@dataclass(frozen=True, slots=True)
class Editing:
    """A row that is being edited: which one, its fields as JSON, and how to write some of them.

    `values_of` may raise the `DatabaseError` that makes editing it pointless. `author_of` tells who wrote a
    version last, where the row does not say so itself.
    """

    table: str
    key: Key
    values_of: Callable[[Record], Values]
    write: Callable[[SignedIn, Values, int], Record]
    expect: Callable[[Values], Expected]
    labels: Mapping[str, str]
    author_of: Callable[[Record], object] = itemgetter("updated_by")


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


def save(editing: Editing, base: Values, mine: Values, version: int) -> Write:
    """Write what `mine` changes of `base`, which was seen at this version; nothing is written for no change.

    Somebody else's change in between is merged; where both clash, the `Clash` is the result of the write.
    """
    return _begin(editing, changed(base, mine), base, mine, version)


def save_decided(editing: Editing, clash: Clash, choices: Mapping[str, Choice]) -> Write:
    """Write on top of the other version what the person has decided to keep of theirs."""
    values = cast("Values", decided(clash.merged, clash.mine, choices))
    return _begin(editing, values, clash.theirs, {**clash.theirs, **values}, clash.version)


def _begin(editing: Editing, values: Values, base: Values, mine: Values, version: int) -> Write:
    engine = session.engine()

    def show(me: SignedIn, record: Record) -> None:
        engine.apply_written(editing.table, record, me.user_id)

    def do(me: SignedIn) -> Clash | None:
        return merged_in(editing, me, show, values, base, mine, version)

    return writing.ask(do, *([editing.expect(values)] if values else []), told=False)


def merged_in(
    editing: Editing,
    me: SignedIn,
    show: Callable[[SignedIn, Record], None],
    values: Values,
    base: Values,
    mine: Values,
    version: int,
) -> Clash | None:
    """Write `values`, and after somebody else's change what is left of them; None when all is written.

    Any row that the database returns is given to `show`. Raises `DatabaseError`.
    """
    for _ in range(_MOST_MERGES):
        if not values:
            return None
        try:
            show(me, editing.write(me, values, version))
        except Conflict as conflict:
            show(me, conflict.current)
            clash = _compare(editing, base, mine, conflict.current)
        else:
            return None
        if clash.merged.clashes:
            return clash
        values, version = cast("Values", clash.merged.mine), clash.version
    raise DatabaseError("Somebody else keeps changing this. Please try again in a moment.")


def _compare(editing: Editing, base: Values, mine: Values, current: Record) -> Clash:
    theirs = editing.values_of(current)
    updated, author = current.get("updated_at"), editing.author_of(current)
    return Clash(
        mine=mine,
        theirs=theirs,
        merged=merge(base, mine, theirs),
        version=int(str(current["version"])),
        changed_at=datetime.fromisoformat(updated) if isinstance(updated, str) else None,
        changed_by=author if isinstance(author, str) else None,
    )


class Saving:
    """How far saving a form has come, kept in the session under a name of the form's own.

    The form stays as it is while its write is under way and after a refusal, with what was typed in it.
    """

    def __init__(self, name: str) -> None:
        self._name = f"{name}_saving"
        self._deciding = f"{name}_deciding"

    @property
    def _write(self) -> Write | None:
        return cast("Write | None", st.session_state.get(self._name))

    def begin(self, write: Write, decided: Clash | None = None) -> None:
        """Follow this write from now on; `decided` is the clash that it puts an end to."""
        st.session_state[self._name] = write
        st.session_state[self._deciding] = decided

    def forget(self) -> None:
        """Follow none."""
        for name in (self._name, self._deciding):
            st.session_state.pop(name, None)

    @property
    def busy(self) -> bool:
        """Whether the database has yet to answer."""
        return self._write is not None and not self._write.done

    @property
    def clash(self) -> Clash | None:
        """What has to be decided before anything is saved, also while the decision is being saved."""
        result = self._write.result if self._write else None
        decided: Clash | None = st.session_state.get(self._deciding)
        return result if isinstance(result, Clash) else decided

    @property
    def saved(self) -> bool:
        """Whether it is done."""
        write = self._write
        return write is not None and write.state is State.DONE and not isinstance(write.result, Clash)

    @property
    def result(self) -> object:
        """What has come of it; None as long as it is not done."""
        return self._write.result if self._write is not None and self.saved else None

    def finished(self) -> bool:
        """Whether it has been done since the last look; then that is said, and it is followed no longer."""
        write = self._write
        if write is None or not self.saved:
            return False
        if write.words:
            writing.say(write.words)
        self.forget()
        return True

    def submit(self, label: str, icon: str | None = None) -> bool:
        """Show the form's button, and return whether it counts: not while a write is under way."""
        busy = self.busy
        pressed = st.form_submit_button(label, icon=icon, type="primary", disabled=busy)
        self.mark()
        return pressed and not busy

    def mark(self) -> None:
        """Say that it is under way. Belongs into the form, which rests meanwhile.

        The fields are not disabled: Streamlit forgets what stands in a disabled field.
        """
        if self.busy:
            st.html(saving_html(True))

    def show(self) -> None:
        """Say why it was refused."""
        if self._write is not None:
            writing.complain(self._write.error)


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
