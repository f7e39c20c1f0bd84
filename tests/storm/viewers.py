"""People with open tabs: what each of them is shown, and what Postgres says they should be shown."""

from __future__ import annotations

import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, cast

from livetables.engine import Engine
from livetables.feed.status import FeedState
from livetables.tables.changes import Change, Key
from livetables.tables.rows import Rows
from livetables.tables.spec import AnySpec, PublicTables, Visibility
from realtime_handlers import ALL_SPECS
from tests.livetables.support import Signed
from tests.storm.faults import RandomFaults
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
"""The columns of private tables that hold the ids of those who may see a row, admins aside."""


@dataclass(frozen=True, slots=True)
class Differences:
    """Rows that are missing, rows that should not be shown, and rows of another version."""

    lost: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    outdated: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.lost or self.foreign or self.outdated)


@dataclass(slots=True)
class Viewers:
    """Two tabs for each person and one for a visitor. The last person's tabs can be closed and opened."""

    engine: Engine
    oracle: Oracle
    people: Sequence[Person]
    admins: frozenset[str]
    """The ids of people who see the rows of others too."""
    foreign: Counter[str] = field(default_factory=Counter)
    """Rows that somebody was shown, even for a moment, and must not see."""
    _last_present: bool = True

    def open_tabs(self) -> None:
        """Open all tabs and wait until their tables are loaded."""
        self.engine.listen(self._watch)
        self.engine.attach("a visitor", None)
        for person in self.people:
            self.engine.attach(f"{person.name}, first tab", Signed(person))
            self.engine.attach(f"{person.name}, second tab", Signed(person))
        for person in self.people:
            assert self.engine.wait_loaded(60, user_id=person.user_id), (
                f"Nothing was loaded for {person.name}"
            )

    def toggle_last(self) -> None:
        """Close both tabs of the last person, or open them again."""
        person = self.people[-1]
        for tab in (f"{person.name}, first tab", f"{person.name}, second tab"):
            if self._last_present:
                self.engine.detach(tab)
            else:
                self.engine.attach(tab, Signed(person))
        self._last_present = not self._last_present

    def restore_last(self) -> None:
        """Open the last person's tabs if they are closed."""
        if not self._last_present:
            self.toggle_last()

    def expected(self) -> Mapping[Person | None, Tables]:
        """Return, for everybody, the rows that Postgres lets them see now."""
        public = self.oracle.everything(None)
        return {None: public} | {
            person: {
                name: rows if _is_for(_SPECS[name], person, public) else {}
                for name, rows in self.oracle.everything(person).items()
            }
            for person in self.people
        }

    def differences(self, expected: Mapping[Person | None, Tables]) -> Differences:
        """Compare what is shown with what is expected, row by row."""
        found = Differences()
        for person, tables in expected.items():
            for spec in ALL_SPECS:
                found = _added(found, self._differences_in(spec, tables[spec.name], person))
        return found

    def wait_converged(self, expected: Mapping[Person | None, Tables], within: float = 30) -> float:
        """Wait until everybody is shown what is expected. Return the seconds it took, at most `within`."""
        began = time.monotonic()
        try:
            wait_for(
                lambda: not self.differences(expected), within=within, what="everybody to see what is there"
            )
        except AssertionError:
            return within
        return time.monotonic() - began

    def wait_live(self) -> None:
        """Wait until every feed is live."""
        for person in (None, *self.people):
            user_id = person.user_id if person else None
            wait_for(partial(self._is_live, user_id), within=60, what=f"{person and person.name} to be live")

    def repaired(self) -> int:
        """Return how many changes the streams had lost, by the engine's own count."""
        own = [self.engine.status(person.user_id).repaired for person in self.people]
        public = self.engine.status().repaired
        return public + sum(number - public for number in own)

    def _is_live(self, user_id: str | None) -> bool:
        return self.engine.status(user_id).state is FeedState.LIVE

    def _differences_in(
        self, spec: AnySpec, there: Mapping[Key, object], person: Person | None
    ) -> Differences:
        shown, floor = self._held(spec, person)
        if floor is not None and spec.order is not None:
            order = spec.order
            # Rows as old as the oldest loaded one may be loaded or not, depending on their key.
            there_newer = {key: row for key, row in there.items() if getattr(row, order) > floor}
        else:
            there_newer = dict(there)

        def named(keys: set[Key]) -> tuple[str, ...]:
            return tuple(f"{person.name if person else 'a visitor'}: {spec.name} {key}" for key in keys)

        return Differences(
            named(there_newer.keys() - shown.keys()),
            named(shown.keys() - there.keys()),
            named({key for key in shown.keys() & there.keys() if shown[key] != there[key]}),
        )

    def _held(self, spec: AnySpec, person: Person | None) -> tuple[dict[Key, object], Any]:
        """Return the loaded rows of a table and the order value of the oldest one, None if all are loaded."""
        audience = self.engine.audience()
        if spec.visibility is Visibility.USER:
            if person is None:
                return {}, None
            audience = self.engine.audience(person.user_id)
        with audience.store._lock:
            moment, floor = audience.store.moment, audience.store.floor(spec.name)
        return dict(moment.tables[spec.name].rows), floor

    def _watch(self, sessions: frozenset[str], tables: frozenset[str]) -> None:
        """Check each change at once, because a foreign row must not be shown even for a moment."""
        users = {user for session in sessions if (user := self.engine.sessions.get(session)) is not None}
        for user in users - self.admins:
            for table in tables & _PARTIES.keys():
                for row in self.engine.tables(user).get(table) or ():
                    if user not in (getattr(row, column) for column in _PARTIES[table]):
                        self.foreign[f"{user}: {table} {row.id}"] += 1


def _is_for(spec: AnySpec, person: Person, public: Tables) -> bool:
    """Return whether the app shows this table to this person at all. The policies may allow more."""
    return spec.visible_to is None or spec.visible_to(person.user_id, cast(PublicTables, public))


def _added(one: Differences, other: Differences) -> Differences:
    return Differences(one.lost + other.lost, one.foreign + other.foreign, one.outdated + other.outdated)


class HandledChanges:
    """Counts the changes that made a difference to a table's rows."""

    def __init__(self) -> None:
        self.count = 0
        self._lock = threading.Lock()

    def specs(self) -> list[AnySpec]:
        """Return the app's specs with handlers that count."""
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
    """The figures of one run."""

    seed: int
    written: int = 0
    seen: int = 0
    repaired: int = 0
    lost: int = 0
    foreign: int = 0
    converged: list[float] = field(default_factory=list)
    reconciled: float = 0.0
    differences: list[str] = field(default_factory=list)

    def add(self, found: Differences) -> None:
        """Count the remaining differences. An old version of a row is a lost change."""
        self.lost += len(found.lost) + len(found.outdated)
        self.foreign += len(found.foreign)
        self.differences += [
            *(f"lost {what}" for what in found.lost),
            *(f"outdated {what}" for what in found.outdated),
            *(f"foreign {what}" for what in found.foreign),
        ]

    def assert_nothing_lost_or_foreign(self) -> None:
        """Fail at the first lost or foreign row, because later changes would hide it."""
        found = "\n".join(self.differences[:20])
        assert (self.lost, self.foreign) == (0, 0), (
            f"seed {self.seed}: lost {self.lost}, foreign {self.foreign}:\n{found}"
        )

    def text(self, faults: RandomFaults) -> str:
        """Return the figures as a few lines of text."""
        happened = ", ".join(f"{name} {count}" for name, count in sorted(faults.happened.items()))
        median = statistics.median(self.converged) if self.converged else 0.0
        return (
            f"seed {self.seed}: written {self.written}, seen {self.seen}, repaired {self.repaired},"
            f" lost {self.lost}, foreign {self.foreign}\n"
            f"converged after healing: median {median:.2f} s, worst {max(self.converged, default=0):.2f} s"
            f" of {len(self.converged)}; after events lost in silence: {self.reconciled:.2f} s\n"
            f"faults: {happened}"
        )
