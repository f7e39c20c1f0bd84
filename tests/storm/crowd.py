"""People with open tabs, what each of them is shown, and what Postgres says that they should be."""

from __future__ import annotations

import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, cast

from live.changes import Change, Key
from live.engine import Engine
from live.rows import Rows
from live.status import FeedState
from live.tables import AnySpec, Audience, PublicTables
from realtime_handlers import ALL_SPECS
from tests.live.support import Signed
from tests.storm.weather import Weather
from tests.support.people import Person
from tests.support.wait import wait_for
from tests.verify.oracle import Oracle, Tables

_SPECS = {spec.name: spec for spec in ALL_SPECS}

_PARTIES = {
    "private_messages": ("sender_id", "recipient_id"),
    "agent_runs": ("user_id",),
    "agent_run_events": ("user_id",),
    "routing_metrics": ("user_id",),
    "routing_daily": ("user_id",),
}
"""Of private tables, the columns one of which names whoever may see the row, admins aside."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is not as it should be: rows that are missing, too many, or of another version."""

    lost: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    outdated: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.lost or self.foreign or self.outdated)


@dataclass(slots=True)
class Crowd:
    """Two tabs for each person, and a visitor's; somebody also comes and goes."""

    engine: Engine
    oracle: Oracle
    people: Sequence[Person]
    admins: frozenset[str]
    """The ids of people who see more than what is theirs."""
    foreign: Counter[str] = field(default_factory=Counter)
    """Rows that somebody was shown, at any time, and must never have seen."""
    _here: bool = True

    def arrive(self) -> None:
        """Open all tabs and wait until everybody is shown something."""
        self.engine.listen(self._watch)
        self.engine.attach("a visitor", None)
        for person in self.people:
            self.engine.attach(f"{person.name}, first tab", Signed(person))
            self.engine.attach(f"{person.name}, second tab", Signed(person))
        for person in self.people:
            assert self.engine.wait_loaded(60, user_id=person.user_id), (
                f"Nothing was loaded for {person.name}"
            )

    def come_or_go(self) -> None:
        """Close both tabs of the last person, or open them again."""
        person = self.people[-1]
        for tab in (f"{person.name}, first tab", f"{person.name}, second tab"):
            if self._here:
                self.engine.detach(tab)
            else:
                self.engine.attach(tab, Signed(person))
        self._here = not self._here

    def come_back(self) -> None:
        """Have everybody here."""
        if not self._here:
            self.come_or_go()

    def expected(self) -> Mapping[Person | None, Tables]:
        """Ask Postgres, for everybody, what they may see now."""
        public = self.oracle.everything(None)
        return {None: public} | {
            person: {
                name: rows if _is_for(_SPECS[name], person, public) else {}
                for name, rows in self.oracle.everything(person).items()
            }
            for person in self.people
        }

    def wrong(self, expected: Mapping[Person | None, Tables]) -> Wrong:
        """Compare, row by row."""
        found = Wrong()
        for person, tables in expected.items():
            for spec in ALL_SPECS:
                found = _added(found, self._wrong_in(spec, tables[spec.name], person))
        return found

    def wait_converged(self, expected: Mapping[Person | None, Tables], within: float = 30) -> float:
        """Wait until all are shown what is there; return how many seconds it took, `within` at most."""
        began = time.monotonic()
        try:
            wait_for(lambda: not self.wrong(expected), within=within, what="everybody to see what is there")
        except AssertionError:
            return within
        return time.monotonic() - began

    def wait_live(self) -> None:
        """Wait until every feed is live."""
        for person in (None, *self.people):
            user_id = person.user_id if person else None
            wait_for(partial(self._is_live, user_id), within=60, what=f"{person and person.name} to be live")

    def repaired(self) -> int:
        """How many changes the streams had lost, by the engine's own count."""
        own = [self.engine.status(person.user_id).repaired for person in self.people]
        public = self.engine.status().repaired
        return public + sum(number - public for number in own)

    def _is_live(self, user_id: str | None) -> bool:
        return self.engine.status(user_id).state is FeedState.LIVE

    def _wrong_in(self, spec: AnySpec, there: Mapping[Key, object], person: Person | None) -> Wrong:
        shown, floor = self._held(spec, person)
        if floor is not None and spec.order is not None:
            order = spec.order
            # Of rows of the same moment as the oldest one, those before it by their key are not loaded.
            there_newer = {key: row for key, row in there.items() if getattr(row, order) > floor}
        else:
            there_newer = dict(there)

        def named(keys: set[Key]) -> tuple[str, ...]:
            return tuple(f"{person.name if person else 'a visitor'}: {spec.name} {key}" for key in keys)

        return Wrong(
            named(there_newer.keys() - shown.keys()),
            named(shown.keys() - there.keys()),
            named({key for key in shown.keys() & there.keys() if shown[key] != there[key]}),
        )

    def _held(self, spec: AnySpec, person: Person | None) -> tuple[dict[Key, object], Any]:
        """Return what is held of a table, and down to where it is loaded; None: all of it."""
        audience = self.engine._public
        if spec.audience is Audience.USER:
            if person is None:
                return {}, None
            audience = self.engine._audiences[person.user_id]
        with audience.store._lock:
            moment, floor = audience.store.moment, audience.store._floors.get(spec.name)
        return dict(moment.tables[spec.name].rows), floor

    def _watch(self, sessions: frozenset[str], tables: frozenset[str]) -> None:
        """Look at once at whatever changes: a foreign row must not even be shown for a moment."""
        users = {user for session in sessions if (user := self.engine.sessions.get(session)) is not None}
        for user in users - self.admins:
            for table in tables & _PARTIES.keys():
                for row in self.engine.tables(user).get(table) or ():
                    if user not in (getattr(row, column) for column in _PARTIES[table]):
                        self.foreign[f"{user}: {table} {row.id}"] += 1


def _is_for(spec: AnySpec, person: Person, public: Tables) -> bool:
    """Whether the app shows this table to this person at all; the policies may allow more."""
    return spec.visible_to is None or spec.visible_to(person.user_id, cast(PublicTables, public))


def _added(one: Wrong, other: Wrong) -> Wrong:
    return Wrong(one.lost + other.lost, one.foreign + other.foreign, one.outdated + other.outdated)


class Seen:
    """Counts the changes that the tables' handlers were given and that made a difference."""

    def __init__(self) -> None:
        self.count = 0
        self._lock = threading.Lock()

    def specs(self) -> list[AnySpec]:
        """Return the app's specs, counted."""
        return [replace(spec, handler=self._counted(spec.handler)) for spec in ALL_SPECS]

    def _counted(
        self, handler: Callable[[Rows[Any], Change[Any]], Rows[Any]]
    ) -> Callable[[Rows[Any], Change[Any]], Rows[Any]]:
        def counted(rows: Rows[Any], change: Change[Any]) -> Rows[Any]:
            after = handler(rows, change)
            if after.revision != rows.revision:
                with self._lock:
                    self.count += 1
            return after

        return counted


@dataclass(slots=True)
class Report:
    """What a run did and found."""

    seed: int
    written: int = 0
    seen: int = 0
    repaired: int = 0
    lost: int = 0
    foreign: int = 0
    converged: list[float] = field(default_factory=list)
    reconciled: float = 0.0
    wrong: list[str] = field(default_factory=list)

    def add(self, wrong: Wrong) -> None:
        """Count what is still wrong after all that time; an old version of a row is a lost change."""
        self.lost += len(wrong.lost) + len(wrong.outdated)
        self.foreign += len(wrong.foreign)
        self.wrong += [
            *(f"lost {what}" for what in wrong.lost),
            *(f"outdated {what}" for what in wrong.outdated),
            *(f"foreign {what}" for what in wrong.foreign),
        ]

    def must_be_right(self) -> None:
        """Fail as soon as anything is lost or foreign: what comes after it would only hide it."""
        wrong = "\n".join(self.wrong[:20])
        assert (self.lost, self.foreign) == (0, 0), (
            f"seed {self.seed}: lost {self.lost}, foreign {self.foreign}:\n{wrong}"
        )

    def text(self, weather: Weather) -> str:
        """Say it in a few lines."""
        faults = ", ".join(f"{name} {count}" for name, count in sorted(weather.happened.items()))
        median = statistics.median(self.converged) if self.converged else 0.0
        return (
            f"seed {self.seed}: written {self.written}, seen {self.seen}, repaired {self.repaired},"
            f" lost {self.lost}, foreign {self.foreign}\n"
            f"converged after healing: median {median:.2f} s, worst {max(self.converged, default=0):.2f} s"
            f" of {len(self.converged)}; after events lost in silence: {self.reconciled:.2f} s\n"
            f"faults: {faults}"
        )
