"""Editors of one row who save as the forms do, and a judge who fails the test when an update is lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol, cast

from db.auth.accounts import SignedIn
from db.columns import Record
from db.errors import ConflictError
from db.rows import Values
from livetables.merging import Choice
from ui.base.write_queue import Expected
from ui.writes.conflict import Clash, Edit, Editing, decided_edit, write_merged

_BEGINNING = datetime(2026, 11, 20, tzinfo=UTC)


class Server(Protocol):
    """Where the row is."""

    def read(self) -> Record:
        """Return the row as it is."""

    def write(self, who: str, values: Values, version: int) -> Record:
        """Change the row if it is at this version. Raises `ConflictError` with the row as it is otherwise."""


class ModelServer:
    """What the database does, in memory: `version = <the one that was seen>`, or a conflict."""

    def __init__(self, row: Values) -> None:
        self._row: dict[str, object] = {**row, "version": 1, "updated_at": _BEGINNING.isoformat()}
        self._row["updated_by"] = None

    def read(self) -> Record:
        return dict(self._row)

    def write(self, who: str, values: Values, version: int) -> Record:
        if self._row["version"] != version:
            raise ConflictError(self.read())
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
        return self._write(Edit(self.base, self.mine, self.version))

    def decide(self, choices: Mapping[str, Choice]) -> bool:
        """Decide the clash; return whether it is done, or there is another."""
        clash = self.clash
        assert clash is not None
        # The person has looked at both versions.
        self.judge.seen[self.name] = dict(clash.theirs)
        return self._write(decided_edit(clash, choices))

    def _write(self, edit: Edit) -> bool:
        wanted = edit.values
        self.clash = clash = write_merged(
            self._editing(), edit, cast("SignedIn", object()), lambda _, row: None
        )
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
