"""Who is here: the reports of all processes merged into one state, without any I/O.

Every process reports all of its tabs in one payload and repeats it, so the report of a dead process expires
by itself. Its age counts from its arrival, so the clocks of two machines need not agree.

Reports arrive over a public channel that anybody with the public key may write to. So they are parsed
defensively, and nothing but the display of who is here may depend on them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

PRESENCE: Final = "presence"
"""The name that stands among table names for who is here."""

EXPIRY: Final = 90.0
"""Seconds after which a report expires that was not repeated."""
LEAVE_GRACE: Final = 5.0
"""Seconds for which the report of a process that left the channel still counts: it may be reconnecting."""

_MAX_ENTRIES: Final = 2000
_MAX_LENGTH: Final = 64
_LONG_AGO: Final = datetime.fromtimestamp(0, UTC)

ChannelState = Mapping[str, Sequence[Mapping[str, object]]]
"""The presence state of the channel: payloads by the id of the process."""


@dataclass(frozen=True, slots=True, order=True)
class Spot:
    """Where a tab is: its page, the row it has open (or empty text), and since when."""

    page: str
    item: str = ""
    since: datetime = _LONG_AGO


@dataclass(frozen=True, slots=True)
class Tabs:
    """`count` tabs at one spot: of one user, or of visitors (`user_id` is None)."""

    user_id: str | None
    spot: Spot
    count: int = 1


@dataclass(frozen=True, slots=True)
class Present:
    """Everybody who is here. A user counts once, however many tabs they have; visitors count by tab.

    `people` holds each user's spots, the newest first.
    """

    people: Mapping[str, tuple[Spot, ...]] = field(default_factory=dict)
    visitors: int = 0
    visitors_at: Mapping[str, int] = field(default_factory=dict)
    """How many visitors have each row open."""

    @property
    def count(self) -> int:
        """How many people and visitors are here."""
        return len(self.people) + self.visitors

    def viewing(self, item: str) -> tuple[str, ...]:
        """Return the ids of the users who have this row open, in the order in which they opened it."""
        found = [
            (spot.since, user_id)
            for user_id, spots in self.people.items()
            for spot in spots
            if spot.item == item
        ]
        return tuple(dict.fromkeys(user_id for _, user_id in sorted(found)))


@dataclass(frozen=True, slots=True)
class Report:
    """The newest report of another process: its number, its tabs, and when it expires (monotonic time)."""

    number: int
    tabs: tuple[Tabs, ...]
    expires: float


def payload_of(number: int, tabs: Iterable[Tabs]) -> dict[str, object]:
    """Return the payload with which a process reports its tabs; `number` grows with every report."""
    newest_first = sorted(grouped(tabs), key=lambda each: each.spot.since, reverse=True)
    rows = [
        [each.user_id, each.spot.page, each.spot.item, each.spot.since.isoformat(), each.count]
        for each in newest_first[:_MAX_ENTRIES]
    ]
    return {"number": number, "here": rows}


def grouped(tabs: Iterable[Tabs]) -> list[Tabs]:
    """Return one entry for each user and spot, and one for all visitors of a spot."""
    counts: Counter[tuple[str | None, str, str]] = Counter()
    latest: dict[tuple[str | None, str, str], datetime] = {}
    for each in tabs:
        key = (each.user_id, each.spot.page, each.spot.item)
        counts[key] += each.count
        latest[key] = max(each.spot.since, latest.get(key, each.spot.since))
    return [Tabs(key[0], Spot(key[1], key[2], latest[key]), counts[key]) for key in counts]


def read_payload(payload: Mapping[str, object]) -> tuple[int, tuple[Tabs, ...]] | None:
    """Parse a payload into its number and tabs, leaving out invalid entries. None if it is not a payload."""
    number, rows = payload.get("number"), payload.get("here")
    if not _is_integer(number) or not isinstance(rows, list):
        return None
    parsed = (_read_row(row) for row in rows[:_MAX_ENTRIES])
    return int(str(number)), tuple(tabs for tabs in parsed if tabs is not None)


def _read_row(row: object) -> Tabs | None:
    match row:
        case [None | str() as user_id, str() as page, str() as item, str() as since, int() as count]:
            if max(len(user_id or ""), len(page), len(item)) > _MAX_LENGTH or not 0 < count <= _MAX_ENTRIES:
                return None
            try:
                time = datetime.fromisoformat(since)
            except ValueError:
                return None
            return Tabs(user_id, Spot(page, item, time), count) if time.tzinfo else None
    return None


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def updated(reports: Mapping[str, Report], state: ChannelState, now: float) -> dict[str, Report]:
    """Return the reports after the channel's state has changed; `now` is monotonic time in seconds.

    A report with a new number counts until `now` plus `EXPIRY`. That of a process which is no longer in the
    channel expires after `LEAVE_GRACE`.
    """
    after: dict[str, Report] = {}
    for process, payloads in list(state.items())[:_MAX_ENTRIES]:
        # While a process reconnects, the channel holds a payload of each socket. The higher number is newer.
        newest = max(filter(None, map(read_payload, payloads)), key=lambda each: each[0], default=None)
        if newest is None:
            continue
        before = reports.get(process)
        if before is None or newest[0] != before.number:
            after[process] = Report(*newest, now + EXPIRY)
        else:
            after[process] = before
    for process, before in reports.items():
        if process not in state and now < before.expires:
            after[process] = Report(before.number, before.tabs, min(before.expires, now + LEAVE_GRACE))
    return after


def merge(own: Iterable[Tabs], reports: Mapping[str, Report], now: float) -> Present:
    """Return who is here: this process's own tabs, and those in all reports that have not expired."""
    everything = list(own)
    for report in reports.values():
        if now < report.expires:
            everything += report.tabs
    people: defaultdict[str, set[Spot]] = defaultdict(set)
    visitors_at: Counter[str] = Counter()
    visitors = 0
    for tabs in grouped(everything):
        if tabs.user_id is not None:
            people[tabs.user_id].add(tabs.spot)
            continue
        visitors += tabs.count
        if tabs.spot.item:
            visitors_at[tabs.spot.item] += tabs.count
    spots = {
        user_id: tuple(sorted(each, key=lambda spot: (spot.since, spot), reverse=True))
        for user_id, each in sorted(people.items())
    }
    return Present(spots, visitors, dict(visitors_at))
