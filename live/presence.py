"""Who is here: what each process tells of its tabs, put together, and forgotten when nobody repeats it.

Pure. Every process tells all of its tabs in one payload and repeats it, so what a dead one told fades by
itself. Its age is counted from when it arrived here: the clocks of two machines need not agree.

What others tell comes over a public channel that anybody with the public key may write to. It is therefore
read with care, and it must decide nothing: it only shows who is about.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

PRESENCE: Final = "presence"
"""Stands among table names for who is here."""

FADE: Final = 90.0
"""Seconds after which what nobody has repeated is no longer believed."""
LINGER: Final = 5.0
"""Seconds that a process which left the channel is still believed: it may only be reconnecting."""

_MOST: Final = 2000
_LONGEST: Final = 64
_LONG_AGO: Final = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True, order=True)
class Spot:
    """Where a tab is: its page, the row it has open or empty text, and since when."""

    page: str
    item: str = ""
    since: datetime = _LONG_AGO


@dataclass(frozen=True, slots=True)
class Here:
    """Some tabs at one spot: of one person, or of visitors (`user_id` None), of whom `count` are there."""

    user_id: str | None
    spot: Spot
    count: int = 1


@dataclass(frozen=True, slots=True)
class Present:
    """Everybody who is here. A person counts once, wherever and in however many tabs; visitors by tab.

    `people` holds each person's spots, the one they came to last first.
    """

    people: Mapping[str, tuple[Spot, ...]] = field(default_factory=dict)
    visitors: int = 0
    visitors_at: Mapping[str, int] = field(default_factory=dict)
    """Visitors by the row they have open."""

    @property
    def count(self) -> int:
        """How many are here."""
        return len(self.people) + self.visitors

    def viewing(self, item: str) -> tuple[str, ...]:
        """Return who has this row open, the first who came first."""
        found = [
            (spot.since, user_id)
            for user_id, spots in self.people.items()
            for spot in spots
            if spot.item == item
        ]
        return tuple(dict.fromkeys(user_id for _, user_id in sorted(found)))


@dataclass(frozen=True, slots=True)
class Heard:
    """What another process told last, the number of it, and until when (monotonic) it is believed."""

    number: int
    here: tuple[Here, ...]
    until: float


def payload_of(number: int, here: Iterable[Here]) -> dict[str, object]:
    """Write what a process tells; `number` grows with each time it does."""
    told = sorted(gathered(here), key=lambda each: each.spot.since, reverse=True)
    rows = [
        [each.user_id, each.spot.page, each.spot.item, each.spot.since.isoformat(), each.count]
        for each in told[:_MOST]
    ]
    return {"number": number, "here": rows}


def gathered(here: Iterable[Here]) -> list[Here]:
    """Return one entry for each person and spot, and the visitors of a spot together."""
    counts: Counter[tuple[str | None, str, str]] = Counter()
    latest: dict[tuple[str | None, str, str], datetime] = {}
    for each in here:
        key = (each.user_id, each.spot.page, each.spot.item)
        counts[key] += each.count
        latest[key] = max(each.spot.since, latest.get(key, each.spot.since))
    return [Here(key[0], Spot(key[1], key[2], latest[key]), counts[key]) for key in counts]


def read_payload(payload: Mapping[str, object]) -> tuple[int, tuple[Here, ...]] | None:
    """Read what a process told; None for what is no such thing. Entries that make no sense are left out."""
    number, rows = payload.get("number"), payload.get("here")
    if not _is_count(number) or not isinstance(rows, list):
        return None
    read = (_read_row(row) for row in rows[:_MOST])
    return int(str(number)), tuple(here for here in read if here is not None)


def _read_row(row: object) -> Here | None:
    match row:
        case [None | str() as user_id, str() as page, str() as item, str() as since, int() as count]:
            if max(len(user_id or ""), len(page), len(item)) > _LONGEST or not 0 < count <= _MOST:
                return None
            try:
                moment = datetime.fromisoformat(since)
            except ValueError:
                return None
            return Here(user_id, Spot(page, item, moment), count) if moment.tzinfo else None
    return None


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def hear(
    heard: Mapping[str, Heard], state: Mapping[str, Sequence[Mapping[str, object]]], now: float
) -> dict[str, Heard]:
    """Take the channel's state, payloads by process: what is new is believed for a while from now on."""
    after: dict[str, Heard] = {}
    for process, payloads in list(state.items())[:_MOST]:
        # While a process reconnects, what it told over both sockets stands there; the higher number is newer.
        told = max(filter(None, map(read_payload, payloads)), key=lambda each: each[0], default=None)
        if told is None:
            continue
        before = heard.get(process)
        news = before is None or told[0] != before.number
        after[process] = Heard(*told, now + FADE) if news or before is None else before
    for process, before in heard.items():
        if process not in state and now < before.until:
            after[process] = Heard(before.number, before.here, min(before.until, now + LINGER))
    return after


def merge(own: Iterable[Here], heard: Mapping[str, Heard], now: float) -> Present:
    """Put together what this process knows of its own tabs and what the others told and is still believed."""
    everything = list(own)
    for process in heard.values():
        if now < process.until:
            everything += process.here
    people: defaultdict[str, set[Spot]] = defaultdict(set)
    at: Counter[str] = Counter()
    visitors = 0
    for here in gathered(everything):
        if here.user_id is not None:
            people[here.user_id].add(here.spot)
            continue
        visitors += here.count
        if here.spot.item:
            at[here.spot.item] += here.count
    spots = {
        user_id: tuple(sorted(each, key=lambda spot: (spot.since, spot), reverse=True))
        for user_id, each in sorted(people.items())
    }
    return Present(spots, visitors, dict(at))
