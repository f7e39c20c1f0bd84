"""Saving what a person edited while somebody else may be editing it too: no text is lost.

Fields that only one of the two has changed merge by themselves. A field that both have changed, differently,
is a clash: both versions are shown, and the person decides for each field.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from operator import itemgetter
from typing import Final, cast

import streamlit as st

from db.auth.accounts import SignedIn
from db.columns import Record
from db.errors import ConflictError, DatabaseError, InvalidValueError
from db.rows import Values
from livetables.merging import Choice, Merge, changed, decided, merge
from livetables.tables.changes import Key
from ui.base import session, times
from ui.base.html import Markup, Template, show
from ui.base.people import name_of
from ui.base.text import as_label
from ui.base.write_queue import Expected, Write
from ui.writes.submit import submit

_MOST_MERGES = 5
"""Attempts to write a merged change before somebody else changes the row again."""

_VERSIONS = Template(
    '<div class="tv-versions"><b>{label}</b>'
    "<p><small>Yours</small>{mine}</p><p><small>Theirs</small>{theirs}</p></div>"
)
_NOTHING: Final = Template("<i>nothing</i>")()


@dataclass(frozen=True, slots=True)
class Editing:
    """A row that a person edits: which one, its fields as JSON, and how to write some of them.

    `values_of` may raise the `DatabaseError` that makes editing pointless. `author_of` returns the id of a
    version's author, for tables whose rows have no `updated_by`.
    """

    table: str
    key: Key
    values_of: Callable[[Record], Values]
    write: Callable[[SignedIn, Values, int], Record]
    expect: Callable[[Values], Expected]
    labels: Mapping[str, str]
    author_of: Callable[[Record], object] = itemgetter("updated_by")


@dataclass(frozen=True, slots=True)
class Edit:
    """What a person made of a row: `mine`, from `base`, which was the row at this version."""

    base: Values
    mine: Values
    version: int

    @property
    def values(self) -> Values:
        """The fields that they changed."""
        return changed(self.base, self.mine)


@dataclass(frozen=True, slots=True)
class Also:
    """What is written before an edit and with it, in one step for the person. It has to be idempotent."""

    write: Callable[[SignedIn], None]
    expected: Sequence[Expected]


@dataclass(frozen=True, slots=True)
class Clash:
    """Both versions of a row, until the person has decided."""

    mine: Values
    theirs: Values
    merged: Merge
    version: int
    changed_at: datetime | None
    changed_by: str | None


@dataclass(frozen=True, slots=True)
class PartlySaved:
    """What the database refused, and why, by field. All other fields are saved."""

    refused: Mapping[str, str]


def author_name(user_id: str | None) -> str:
    """Return the name of a change's author, `You` for the signed-in person."""
    if user_id is not None and user_id == session.my_id():
        return "You"
    return name_of(session.users().get((user_id,)) if user_id is not None else None)


def describe_change(
    labels: Mapping[str, str], fields: Iterable[str], changed_by: str | None, changed_at: datetime
) -> str:
    """Return a sentence about a change: `Ada changed the location 7 s ago.`."""
    names = [labels.get(field, field).lower() for field in fields]
    listed = f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)
    what = f"the {listed}" if listed else "something"
    return f"{author_name(changed_by)} changed {what} {times.ago(changed_at, datetime.now(UTC))}."


def save(editing: Editing, edit: Edit, also: Also | None = None, *, each_field_alone: bool = False) -> Write:
    """Write what the person changed; nothing is written when that is nothing.

    Somebody else's change in between is merged. If both clash, the `Clash` is the result of the write. With
    `each_field_alone` a refused field does not keep the others from being saved; the result is `PartlySaved`.
    """
    engine, values = session.engine(), edit.values
    write_fields = write_each if each_field_alone else write_merged

    def apply(me: SignedIn, record: Record) -> None:
        engine.apply_written(editing.table, record, me.user_id)

    def write(me: SignedIn) -> Clash | PartlySaved | None:
        if also is not None:
            also.write(me)
        return write_fields(editing, edit, me, apply)

    expected = [*(also.expected if also else ()), *([editing.expect(values)] if values else [])]
    return submit(write, *expected, notify=False)


def save_decided(editing: Editing, clash: Clash, choices: Mapping[str, Choice]) -> Write:
    """Write, on top of the other version, what the person has decided to keep of theirs."""
    return save(editing, decided_edit(clash, choices))


def decided_edit(clash: Clash, choices: Mapping[str, Choice]) -> Edit:
    """Return the edit of the other version that the person's choices make."""
    values = cast("Values", decided(clash.merged, clash.mine, choices))
    return Edit(base=clash.theirs, mine={**clash.theirs, **values}, version=clash.version)


def write_merged(
    editing: Editing, edit: Edit, me: SignedIn, apply: Callable[[SignedIn, Record], None]
) -> Clash | None:
    """Write an edit, merged with what others changed in between; return the clash if they cannot be merged.

    Every row that the database returns is passed to `apply`.

    Raises:
        DatabaseError: The write was refused, or others keep changing the row.
    """
    values, version = edit.values, edit.version
    for _ in range(_MOST_MERGES):
        if not values:
            return None
        try:
            apply(me, editing.write(me, values, version))
        except ConflictError as conflict:
            apply(me, conflict.current)
            clash = _compare(editing, edit, conflict.current)
        else:
            return None
        if clash.merged.clashes:
            return clash
        values, version = cast("Values", clash.merged.mine), clash.version
    raise DatabaseError("Somebody else keeps changing this. Please try again in a moment.")


def write_each(
    editing: Editing, edit: Edit, me: SignedIn, apply: Callable[[SignedIn, Record], None]
) -> Clash | PartlySaved | None:
    """Write an edit as `write_merged` does, without the fields whose values the database refuses.

    Raises:
        DatabaseError: It was refused for another reason than the value of one field.
    """
    refused: dict[str, str] = {}
    while True:
        kept = {name: edit.base[name] if name in refused else value for name, value in edit.mine.items()}
        accepted = replace(edit, mine=kept)
        try:
            clash = write_merged(editing, accepted, me, apply)
        except InvalidValueError as error:
            if error.field is None or error.field not in accepted.values:
                raise
            refused[error.field] = str(error)
        else:
            return clash or (PartlySaved(refused) if refused else None)


def _compare(editing: Editing, edit: Edit, current: Record) -> Clash:
    theirs = editing.values_of(current)
    updated, author = current.get("updated_at"), editing.author_of(current)
    return Clash(
        mine=edit.mine,
        theirs=theirs,
        merged=merge(edit.base, edit.mine, theirs),
        version=int(str(current["version"])),
        changed_at=datetime.fromisoformat(updated) if isinstance(updated, str) else None,
        changed_by=author if isinstance(author, str) else None,
    )


def choose(editing: Editing, clash: Clash, key: str) -> dict[str, Choice]:
    """Show both versions of every clashing field, and return the person's choices."""
    when = times.ago(clash.changed_at, datetime.now(UTC)) if clash.changed_at else "meanwhile"
    st.warning(
        f"{as_label(author_name(clash.changed_by))} saved a different version {as_label(when)}. "
        "Choose which one to keep. Fields that only one of you changed are merged.",
        icon=":material/call_merge:",
    )
    return {field: _choose_one(editing, clash, field, key) for field in clash.merged.clashes}


def _choose_one(editing: Editing, clash: Clash, field: str, key: str) -> Choice:
    label = editing.labels.get(field, field)
    with st.container(border=True):
        mine, theirs = _version_html(clash.mine[field]), _version_html(clash.theirs[field])
        show(_VERSIONS(label=label, mine=mine, theirs=theirs))
        return st.segmented_control(
            label,
            list(Choice),
            format_func=lambda choice: choice.value,
            default=Choice.MINE,
            required=True,
            label_visibility="collapsed",
            key=f"{key}_{clash.version}_{field}",
        )


def _version_html(value: object) -> Markup | str:
    if value is None or value == "":
        return _NOTHING
    text = str(value)
    try:
        return times.full(datetime.fromisoformat(text), session.region())
    except (ValueError, TypeError):
        return text
