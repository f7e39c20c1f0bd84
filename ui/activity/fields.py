"""What an entry of the change log has changed, field by field, as its reader sees it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from db.hub.models import ChangeLogEntry
from ui.base import times
from ui.base.html import EMPTY, Markup, Template, join
from ui.base.links import link_html, to_event
from ui.base.people import FindUser, linked_name_html
from ui.base.region import Region
from ui.base.text import one_line, shortened

_BOOKKEEPING: Final = frozenset({"id", "version", "updated_at", "updated_by", "created_at"})
_LONGEST_VALUE: Final = 300
_UUID_LENGTH: Final = 36
_TIMESTAMP: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:")

_FIELDS = Template("<dl>{rows}</dl>")
_LINK = Template("<div><dt>{field}</dt><dd>{link}</dd></div>")
_INSERTED = Template('<div><dt>{field}</dt><dd dir="auto"><ins>{after}</ins></dd></div>')
_DELETED = Template('<div><dt>{field}</dt><dd dir="auto"><del>{before}</del></dd></div>')
_UPDATED = Template('<div><dt>{field}</dt><dd dir="auto"><del>{before}</del> → <ins>{after}</ins></dd></div>')
_TITLE = Template("<bdi>{title}</bdi>")
_NOTHING: Final = Template("<i>nothing</i>")()


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One column of a changed row. None stands for no value."""

    field: str
    before: object
    after: object

    @property
    def label(self) -> str:
        """The column's name for people."""
        return self.field.removesuffix("_id").removesuffix("_at").replace("_", " ")


@dataclass(frozen=True, slots=True)
class Reader:
    """How the log is written for its reader: in which region, on which day, and with which names."""

    region: Region
    today: date
    find: FindUser
    names: Mapping[str, str]
    """The titles of events by their ids."""


def field_changes(entry: ChangeLogEntry) -> list[FieldChange]:
    """Return which columns changed and how, without bookkeeping columns such as `version`."""
    old, new = entry.old or {}, entry.new or {}
    fields = [field for field in {**old, **new} if field not in _BOOKKEEPING]
    return [
        FieldChange(field, old.get(field), new.get(field))
        for field in fields
        if old.get(field) != new.get(field)
    ]


def fields_html(entry: ChangeLogEntry, reader: Reader) -> Markup:
    """Show the fields of an entry with their values; nothing if there are none to show."""
    rows = join(_change_html(change, entry.op, reader) for change in field_changes(entry))
    return _FIELDS(rows=join((*_links(entry, reader), rows))) if rows else EMPTY


def _links(entry: ChangeLogEntry, reader: Reader) -> Iterator[Markup]:
    """Lead to who has done it, and to the event or person whose row it was."""
    own_id = str(entry.row_key.get("id", ""))
    if entry.actor and reader.find(entry.actor):
        yield _LINK(field="by", link=_value_html(entry.actor, reader))
    if own_id != entry.actor and _is_known(own_id, reader):
        yield _LINK(field="of", link=_value_html(own_id, reader))


def _is_known(row_id: str, reader: Reader) -> bool:
    return reader.find(row_id) is not None or row_id in reader.names


def _change_html(change: FieldChange, op: str, reader: Reader) -> Markup:
    field = change.label
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
    person = reader.find(text) if len(text) == _UUID_LENGTH else None
    if person is not None:
        return linked_name_html(person)
    if text in reader.names:
        return link_html(to_event(text), _TITLE(title=one_line(reader.names[text])))
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
