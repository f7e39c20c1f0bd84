"""The activity feed as one table of HTML: who did what to which row, and what changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
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
}
_ACTIONS: Mapping[str, str] = {"INSERT": "added", "UPDATE": "changed", "DELETE": "removed"}
_BOOKKEEPING = frozenset({"version", "updated_at", "created_at"})
_LONGEST = 90

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
    return sorted(rows.values(), key=lambda entry: entry.id, reverse=True)


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


def table_html(entries: Iterable[ChangeLogEntry], find: Find, zone: ZoneInfo, today: date) -> str:
    """Show entries as rows."""
    rows = "".join(_row_html(entry, find, zone, today) for entry in entries)
    return (
        '<table class="tv-log"><thead><tr><th>When</th><th>Who</th><th>Table</th><th>Action</th>'
        f"<th>What changed</th></tr></thead><tbody>{rows}</tbody></table>"
    )


def _row_html(entry: ChangeLogEntry, find: Find, zone: ZoneInfo, today: date) -> str:
    actor = find(entry.actor) if entry.actor else None
    who = (
        f"{avatar_html(actor, 'small')} <bdi>{as_html(name_of(actor))}</bdi>" if entry.actor else "the system"
    )
    moment = entry.changed_at.astimezone(zone)
    when = f"{moment:%H:%M:%S}" if moment.date() == today else times.short_day(entry.changed_at, zone, today)
    table = TABLES.get(entry.table_name, entry.table_name)
    action = _ACTIONS.get(entry.op, entry.op.lower())
    exactly = as_html(times.full(entry.changed_at, zone))
    return (
        f'<tr data-row="{entry.id}"><td data-label="When"><time title="{exactly}">{when}</time></td>'
        f'<td data-label="Who">{who}</td><td data-label="Table">{as_html(table)}</td>'
        f'<td data-label="Action"><span class="tv-op {as_html(action)}">{as_html(action)}</span></td>'
        f'<td data-label="What changed">{_changes_html(entry, find)}</td></tr>'
    )


def _changes_html(entry: ChangeLogEntry, find: Find) -> str:
    if entry.old is None and entry.new is None:
        return '<i class="tv-lead">private</i>'
    return "".join(_change_html(change, entry.op, find) for change in field_changes(entry))


def _change_html(change: FieldChange, op: str, find: Find) -> str:
    name = as_html(change.field.replace("_", " "))
    before, after = _value_html(change.before, find), _value_html(change.after, find)
    if op == "INSERT":
        return f"<div><b>{name}</b> <ins>{after}</ins></div>" if change.after is not None else ""
    if op == "DELETE":
        return f"<div><b>{name}</b> <del>{before}</del></div>" if change.before is not None else ""
    return f"<div><b>{name}</b> <del>{before}</del> → <ins>{after}</ins></div>"


def _value_html(value: object, find: Find) -> str:
    if value is None or value == "":
        return "<i>nothing</i>"
    text = str(value)
    person = find(text) if len(text) == 36 else None
    return as_html(name_of(person) if person else shortened(text, _LONGEST))
