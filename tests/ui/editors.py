"""Editors of one row who save as the app's forms do, and a judge who notices any update that gets lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol, cast

from db.auth import SignedIn
from db.errors import Conflict
from db.merge import Choice, changed, decided
from db.models import Record
from db.rows import Values
from ui.conflicts import Clash, Editing, merged_in
from ui.pending import Expected

_BEGINNING = datetime(2026, 11, 20, tzinfo=UTC)


class Server(Protocol):
    """Where the row is."""

    def read(self) -> Record:
        """Return the row as it is."""

    def write(self, who: str, values: Values, version: int) -> Record:
        """Change the row if it is at this version. Raises `Conflict` with the row as it is otherwise."""


class ModelServer:
    """What the database does, in memory: `version = <the one that was seen>`, or a conflict."""

    def __init__(self, row: Values) -> None:
        self._row: dict[str, object] = {**row, "version": 1, "updated_at": _BEGINNING.isoformat()}
        self._row["updated_by"] = None

    def read(self) -> Record:
        return dict(self._row)

    def write(self, who: str, values: Values, version: int) -> Record:
        if self._row["version"] != version:
            raise Conflict(self.read())
        moment = (_BEGINNING + timedelta(seconds=version)).isoformat()
        self._row = {**self._row, **values, "version": version + 1, "updated_at": moment, "updated_by": who}
        return self.read()


@dataclass
class Judge:
    """Lets every write pass, and fails when one takes away what its writer has not seen or decided on."""

    server: Server
    fields: tuple[str, ...]
    before_write: Callable[[], None] = lambda: None
    """Happens between an editor's look at the row and their write: others may be quicker."""
    seen: dict[str, dict[str, object]] = field(default_factory=dict)
    """What each editor was shown of each field last."""

    def write(self, who: str, values: Values, version: int) -> Record:
        self.before_write()
        before = self.server.read()
        after = self.server.write(who, values, version)
        for name in self.fields:
            if name not in values:
                assert after[name] == before[name], f"{who} changed {name} without a word"
                continue
            known = (self.seen[who][name], values[name])
            assert before[name] in known, f"{who} overwrote {before[name]!r} of {name} unseen"
        return after


@dataclass
class Editor:
    """Somebody who has the row open: what they began with, and what they made of it."""

    name: str
    judge: Judge
    base: Values = field(default_factory=dict)
    mine: Values = field(default_factory=dict)
    version: int = 0
    clash: Clash | None = None

    def open(self) -> None:
        """Read the row."""
        row = self.judge.server.read()
        self.base = self.mine = self._values_of(row)
        self.version = int(str(row["version"]))
        self.clash = None
        self.judge.seen[self.name] = dict(self.base)

    def change(self, name: str, value: str) -> None:
        """Type something."""
        self.mine = {**self.mine, name: value}

    def save(self) -> bool:
        """Save what was typed; return whether it is done, or something has to be decided first."""
        wanted = changed(self.base, self.mine)
        return self._went(self._merged(wanted, self.base, self.mine, self.version), wanted)

    def decide(self, choices: Mapping[str, Choice]) -> bool:
        """Decide the clash; return whether it is done, or there is another."""
        clash = self.clash
        assert clash is not None
        values = cast("Values", decided(clash.merged, clash.mine, choices))
        # The person has looked at both versions.
        self.judge.seen[self.name] = dict(clash.theirs)
        mine = {**clash.theirs, **values}
        return self._went(self._merged(values, clash.theirs, mine, clash.version), values)

    def _merged(self, values: Values, base: Values, mine: Values, version: int) -> Clash | None:
        me = cast("SignedIn", object())
        return merged_in(self._editing(), me, lambda _, row: None, values, base, mine, version)

    def _went(self, clash: Clash | None, wanted: Values) -> bool:
        self.clash = clash
        row = self.judge.server.read()
        if clash is None:
            for name, value in wanted.items():
                assert row[name] == value, f"{name} is not what {self.name} wanted"
            self.open()
            return True
        assert clash.merged.clashes
        assert (clash.version, clash.theirs) == (row["version"], self._values_of(row))
        assert clash.changed_by == row["updated_by"]
        assert clash.changed_at == datetime.fromisoformat(str(row["updated_at"]))
        for name in clash.merged.clashes:
            assert clash.mine[name] == wanted[name]
            assert clash.mine[name] != clash.theirs[name]
        return False

    def _values_of(self, row: Record) -> Values:
        return cast("Values", {name: row[name] for name in self.judge.fields})

    def _editing(self) -> Editing:
        return Editing(
            table="rows",
            key=("row",),
            values_of=self._values_of,
            write=lambda _, values, version: self.judge.write(self.name, values, version),
            expect=lambda values: Expected("rows", ("row",), values),
            labels={},
        )
