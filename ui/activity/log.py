"""The change log as a list of sentences. What an entry has changed unfolds below its sentence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from db.hub.models import ChangeLogEntry
from livetables.tables.rows import Rows
from livetables.tables.snapshot import Snapshot
from ui.activity.fields import Reader, fields_html
from ui.activity.sentences import sentence_html
from ui.base import times
from ui.base.html import Markup, Template, join
from ui.base.people import avatar_html

TABLES: Final[Mapping[str, str]] = {
    "users": "People",
    "events": "Events",
    "event_cohosts": "Co-hosts",
    "rsvps": "Answers",
    "tavern_messages": "Common room",
    "event_messages": "Discussions",
    "private_messages": "Private messages",
    "model_prices": "Prices",
}
"""The tables to choose from, and what the page calls them."""

PAGE: Final = 25
"""Entries on one page."""

_DAY = Template('<section class="tv-activity"><div class="tv-day"><span>{day}</span></div>{rows}</section>')
_LIST = Template("<ul>{rows}</ul>")
_UNFOLDING = Template(
    '<li data-row="{id}"><details><summary>{line}</summary><div class="tv-change">{fields}</div></details>'
    "</li>"
)
_PLAIN = Template('<li data-row="{id}"><div class="tv-summary">{line}</div></li>')
_LINE = Template(
    '{avatar}<span class="tv-sentence" dir="auto">{sentence}</span><time title="{exactly}">{clock}</time>'
)


@dataclass(frozen=True, slots=True)
class Page:
    """A part of the log: its entries, the number of the first one, and whether more are loaded after them."""

    entries: Sequence[ChangeLogEntry]
    first: int
    more: bool


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


def page_after(entries: Sequence[ChangeLogEntry], last_seen: int | None) -> Page:
    """Return the page that follows the entry with an id; the newest page for None.

    What happens meanwhile moves no entry from one page to the next.
    """
    start = next((place + 1 for place, entry in enumerate(entries) if entry.id == last_seen), 0)
    return Page(entries[start : start + PAGE], start + 1, len(entries) > start + PAGE)


def list_html(entries: Iterable[ChangeLogEntry], reader: Reader) -> Markup:
    """Show entries by day, one sentence each."""
    return join(_days(entries, reader))


def _days(entries: Iterable[ChangeLogEntry], reader: Reader) -> Iterator[Markup]:
    zone = reader.region.zone
    for _, group in groupby(entries, key=lambda entry: entry.changed_at.astimezone(zone).date()):
        of_day = list(group)
        day = times.day_name(of_day[0].changed_at, reader.region, reader.today)
        yield _DAY(day=day, rows=_LIST(rows=join(_row_html(entry, reader) for entry in of_day)))


def _row_html(entry: ChangeLogEntry, reader: Reader) -> Markup:
    line = _LINE(
        avatar=avatar_html(reader.find(entry.actor) if entry.actor else None, "small"),
        sentence=sentence_html(entry, reader),
        exactly=times.full(entry.changed_at, reader.region),
        clock=reader.region.time_text(entry.changed_at.astimezone(reader.region.zone), seconds=True),
    )
    fields = fields_html(entry, reader)
    return _UNFOLDING(id=entry.id, line=line, fields=fields) if fields else _PLAIN(id=entry.id, line=line)
