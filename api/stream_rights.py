"""What the caller of a stream may read, and whether that has changed since the stream last asked.

A role can be lost and come back. In between, the change log names fewer changes to the caller, and the cursor
moves on past those that it does not name. And rows that a lost role showed are not named as deleted. In both
cases the caller has to read everything again. The caller's own rows in a few public tables say what they may
read, as they do for the engine's feeds; the log names these rows when they change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from livetables.faults import FAULTS
from livetables.feed.reads import LoggedChange, Reader
from livetables.tables.rows import Rows
from livetables.tables.snapshot import Snapshot
from livetables.tables.spec import AnySpec
from livetables.tables.standing import Standing, standing, unchanged
from realtime_handlers import ALL_SPECS
from realtime_handlers.permissions import RIGHTS_TABLES

_RIGHTS: Final = {spec.name: spec for spec in ALL_SPECS if spec.name in RIGHTS_TABLES}


def rights_specs(specs: Iterable[AnySpec]) -> Mapping[str, AnySpec]:
    """Return the tables that say what a caller may read of these; none if that depends on no role."""
    return _RIGHTS if any(map(_depends_on_rights, specs)) else {}


def _depends_on_rights(spec: AnySpec) -> bool:
    return any((spec.visible_to, spec.filters, spec.permission_version))


class Rights:
    """What one caller may read of some tables. Methods raise as the `reader` does.

    `resumed` says that the caller has rows from an earlier stream, whose rights are not known.
    """

    def __init__(self, user_id: str, specs: Sequence[AnySpec], reader: Reader, *, resumed: bool) -> None:
        self._user_id = user_id
        self._specs = specs
        self._reader = reader
        self._tables = rights_specs(specs)
        self._unknown = resumed
        self._standing: Mapping[str, Standing] = {}

    @property
    def tables(self) -> frozenset[str]:
        """The tables whose changes may change what the caller may read."""
        return frozenset(self._tables)

    async def begin(self) -> None:
        """Read what the caller may read now. Call it before the stream asks the change log."""
        self._standing = await self._read()

    async def changed(self, changes: Iterable[LoggedChange]) -> bool:
        """Return whether the caller may read other rows than before these changes, or than in between."""
        named = any(change.table in self._tables and change.key == (self._user_id,) for change in changes)
        unknown, before = self._unknown, self._standing
        if named:
            self._standing = await self._read()
        self._unknown = False
        return named and (unknown or not unchanged(before, self._standing))

    async def _read(self) -> Mapping[str, Standing]:
        public = {name: await self._own_row(spec) for name, spec in self._tables.items()}
        return standing(self._specs, self._user_id, public) if public else {}

    async def _own_row(self, spec: AnySpec) -> Snapshot[Any]:
        rows: Rows[Any] = Rows()
        for record in await self._reader.by_key(spec, [(self._user_id,)]):
            with FAULTS.contained(f"rows of {spec.name}"):
                rows = rows.apply(spec.written(record))
        return Snapshot(rows, 0)
