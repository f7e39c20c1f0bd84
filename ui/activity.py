"""The activity feed as one table of HTML: who did what to which row, and what changed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from db.models import ChangeLogEntry, User
from live.rows import Rows
from live.snapshot import Snapshot
from ui import times
from ui.people import avatar_html, name_of
from ui.text import as_html, shortened

TABLES: Mapping[str, str] = {
    "users": "People",
    "events": "Events",
    "event_cohosts": "Co-hosts",
    "rsvps": "Answers",
    "tavern_messages": "Common room",
    "private_messages": "Private messages",
    "model_prices": "Prices",
}
_ACTIONS: Mapping[str, str] = {"INSERT": "added", "UPDATE": "changed", "DELETE": "removed"}
_BOOKKEEPING = frozenset({"id", "version", "updated_at", "updated_by", "created_at"})
_LONGEST = 90
_UUID_LENGTH = 36
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:")

Find = Callable[[str], User | None]


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One column of a changed row; None stands for nothing."""

    field: str
    before: object
    after: object


def newest_first(log: Snapshot[ChangeLogEntry]) -> Sequence[ChangeLogEntry]:
    """Return the loaded entries; sorted once for each snapshot."""
    return log.derived("newest first", _sorted)


def _sorted(rows: Rows[ChangeLogEntry]) -> list[ChangeLogEntry]:
    return sorted(rows.values(), key=lambda entry: (entry.changed_at, entry.id), reverse=True)


def chosen(entries: Iterable[ChangeLogEntry], table: str | None, actor: str | None) -> list[ChangeLogEntry]:
    """Keep the entries of a table and a person; None keeps all."""
    return [
        entry
        for entry in entries
        if (table is None or entry.table_name == table) and (actor is None or entry.actor == actor)
    ]


def field_changes(entry: ChangeLogEntry) -> list[FieldChange]:
    """Return which columns changed from what to what, without those that only keep the books."""
    old, new = entry.old or {}, entry.new or {}
    fields = [field for field in {**old, **new} if field not in _BOOKKEEPING]
    return [
        FieldChange(field, old.get(field), new.get(field))
        for field in fields
        if old.get(field) != new.get(field)
    ]


@dataclass(frozen=True, slots=True)
class Reader:
    """Who looks at the log: in which zone, on which day, and how ids and addresses are told in words."""

    zone: ZoneInfo
    today: date
    find: Find
    names: Mapping[str, str]
    """What an id that is not a person's stands for: the title of an event."""


def table_html(entries: Iterable[ChangeLogEntry], reader: Reader) -> str:
    """Show entries as rows."""
    rows = "".join(_row_html(entry, reader) for entry in entries)
    return (
        '<table class="tv-log"><thead><tr><th>When</th><th>Who</th><th>Table</th><th>Action</th>'
        f"<th>What changed</th></tr></thead><tbody>{rows}</tbody></table>"
    )


def _row_html(entry: ChangeLogEntry, reader: Reader) -> str:
    actor = reader.find(entry.actor) if entry.actor else None
    person = f"{avatar_html(actor, 'small')} <bdi>{as_html(name_of(actor))}</bdi>"
    moment = entry.changed_at.astimezone(reader.zone)
    today = moment.date() == reader.today
    when = f"{moment:%H:%M:%S}" if today else times.short_day(entry.changed_at, reader.zone, reader.today)
    table = TABLES.get(entry.table_name, entry.table_name)
    action = _ACTIONS.get(entry.op, entry.op.lower())
    cells = {
        "When": f'<time title="{as_html(times.full(entry.changed_at, reader.zone))}">{when}</time>',
        "Who": person if entry.actor else "the system",
        "Table": as_html(table),
        "Action": f'<span class="tv-op {as_html(action)}">{as_html(action)}</span>',
        "What changed": _changes_html(entry, reader),
    }
    columns = "".join(f'<td data-label="{label}">{cell}</td>' for label, cell in cells.items())
    return f'<tr data-row="{entry.id}">{columns}</tr>'


def _changes_html(entry: ChangeLogEntry, reader: Reader) -> str:
    if entry.old is None and entry.new is None:
        return '<i class="tv-lead">private</i>'
    return "".join(_change_html(change, entry.op, reader) for change in field_changes(entry))


def _change_html(change: FieldChange, op: str, reader: Reader) -> str:
    name = as_html(change.field.removesuffix("_id").removesuffix("_at").replace("_", " "))
    before, after = _value_html(change.before, reader), _value_html(change.after, reader)
    if op == "INSERT":
        return f"<div><b>{name}</b> <ins>{after}</ins></div>" if change.after not in (None, "") else ""
    if op == "DELETE":
        return f"<div><b>{name}</b> <del>{before}</del></div>" if change.before not in (None, "") else ""
    return f"<div><b>{name}</b> <del>{before}</del> → <ins>{after}</ins></div>"


def _value_html(value: object, reader: Reader) -> str:
    if value is None or value == "":
        return "<i>nothing</i>"
    text = str(value)
    if len(text) == _UUID_LENGTH:
        person = reader.find(text)
        text = name_of(person) if person else reader.names.get(text, text)
    return as_html(_moment(text, reader.zone) or shortened(text, _LONGEST))


def _moment(text: str, zone: ZoneInfo) -> str | None:
    """Tell a time of the log in the reader's zone; None when the text is not a time."""
    if not _TIMESTAMP.match(text):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return times.full(moment, zone) if moment.tzinfo else None
