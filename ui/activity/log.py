"""The change log as a table of HTML: who did what to which row, and what changed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from db.hub.models import ChangeLogEntry
from livetables.tables.rows import Rows
from livetables.tables.snapshot import Snapshot
from ui.base import times
from ui.base.html import EMPTY, Markup, Template, join
from ui.base.people import FindUser, avatar_html, name_html, name_of
from ui.base.region import Region
from ui.base.text import shortened

TABLES: Mapping[str, str] = {
    "users": "People",
    "events": "Events",
    "event_cohosts": "Co-hosts",
    "rsvps": "Answers",
    "tavern_messages": "Common room",
    "private_messages": "Private messages",
    "model_prices": "Prices",
}
"""The tables to choose from, and what the page calls them."""

_ACTIONS: Mapping[str, str] = {"INSERT": "added", "UPDATE": "changed", "DELETE": "removed"}
_BOOKKEEPING = frozenset({"id", "version", "updated_at", "updated_by", "created_at"})
_LONGEST_VALUE = 90
_UUID_LENGTH = 36
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:")

_TABLE = Template(
    '<table class="tv-log"><thead><tr><th>When</th><th>Who</th><th>Table</th><th>Action</th>'
    "<th>What changed</th></tr></thead><tbody>{rows}</tbody></table>"
)
_ROW = Template(
    '<tr data-row="{id}"><td data-label="When"><time title="{exactly}">{when}</time></td>'
    '<td data-label="Who">{who}</td><td data-label="Table">{table}</td>'
    '<td data-label="Action"><span class="tv-op {action}">{action}</span></td>'
    '<td data-label="What changed">{changes}</td></tr>'
)
_PERSON = Template("{avatar} {name}")
_INSERTED = Template("<div><b>{field}</b> <ins>{after}</ins></div>")
_DELETED = Template("<div><b>{field}</b> <del>{before}</del></div>")
_UPDATED = Template("<div><b>{field}</b> <del>{before}</del> → <ins>{after}</ins></div>")
_PRIVATE: Final = Template('<i class="tv-lead">private</i>')()
_NOTHING: Final = Template("<i>nothing</i>")()


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One column of a changed row. None stands for no value."""

    field: str
    before: object
    after: object


@dataclass(frozen=True, slots=True)
class Reader:
    """How the log is written for its reader: in which region, on which day, and with which names."""

    region: Region
    today: date
    find: FindUser
    names: Mapping[str, str]
    """The names of ids that are not a person's, such as the titles of events."""


def newest_first(log: Snapshot[ChangeLogEntry]) -> Sequence[ChangeLogEntry]:
    """Return the loaded entries; sorted once a snapshot."""
    return log.derived("newest first", _sorted)


def _sorted(rows: Rows[ChangeLogEntry]) -> list[ChangeLogEntry]:
    return sorted(rows.values(), key=lambda entry: (entry.changed_at, entry.id), reverse=True)


def chosen(entries: Iterable[ChangeLogEntry], table: str | None, actor: str | None) -> list[ChangeLogEntry]:
    """Keep the entries of one table and one person; None keeps all."""
    return [
        entry
        for entry in entries
        if (table is None or entry.table_name == table) and (actor is None or entry.actor == actor)
    ]


def field_changes(entry: ChangeLogEntry) -> list[FieldChange]:
    """Return which columns changed and how, without bookkeeping columns such as `version`."""
    old, new = entry.old or {}, entry.new or {}
    fields = [field for field in {**old, **new} if field not in _BOOKKEEPING]
    return [
        FieldChange(field, old.get(field), new.get(field))
        for field in fields
        if old.get(field) != new.get(field)
    ]


def table_html(entries: Iterable[ChangeLogEntry], reader: Reader) -> Markup:
    """Show entries as rows of a table."""
    return _TABLE(rows=join(_row_html(entry, reader) for entry in entries))


def _row_html(entry: ChangeLogEntry, reader: Reader) -> Markup:
    return _ROW(
        id=entry.id,
        exactly=times.full(entry.changed_at, reader.region),
        when=times.second_of_day(entry.changed_at, reader.region, reader.today),
        who=_person_html(entry.actor, reader) if entry.actor else "the system",
        table=TABLES.get(entry.table_name, entry.table_name),
        action=_ACTIONS.get(entry.op, entry.op.lower()),
        changes=_changes_html(entry, reader),
    )


def _person_html(user_id: str, reader: Reader) -> Markup:
    user = reader.find(user_id)
    return _PERSON(avatar=avatar_html(user, "small"), name=name_html(user))


def _changes_html(entry: ChangeLogEntry, reader: Reader) -> Markup:
    if entry.old is None and entry.new is None:
        return _PRIVATE
    return join(_change_html(change, entry.op, reader) for change in field_changes(entry))


def _change_html(change: FieldChange, op: str, reader: Reader) -> Markup:
    field = change.field.removesuffix("_id").removesuffix("_at").replace("_", " ")
    before, after = _value_html(change.before, reader), _value_html(change.after, reader)
    if op == "INSERT":
        return _INSERTED(field=field, after=after) if change.after not in (None, "") else EMPTY
    if op == "DELETE":
        return _DELETED(field=field, before=before) if change.before not in (None, "") else EMPTY
    return _UPDATED(field=field, before=before, after=after)


def _value_html(value: object, reader: Reader) -> Markup | str:
    if value is None or value == "":
        return _NOTHING
    text = str(value)
    if len(text) == _UUID_LENGTH:
        person = reader.find(text)
        text = name_of(person) if person else reader.names.get(text, text)
    return _moment(text, reader.region) or shortened(text, _LONGEST_VALUE)


def _moment(text: str, region: Region) -> str | None:
    """Return a timestamp of the log in the reader's zone; None when the text is none."""
    if not _TIMESTAMP.match(text):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return times.full(moment, region) if moment.tzinfo else None
