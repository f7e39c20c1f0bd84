"""Writing one row over HTTP under row-level security, and finding out what happened to a lost answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import httpx
from postgrest import APIError, AsyncPostgrestClient

from livetables.config import EngineConfig
from livetables.errors import ClashError, WriteError
from livetables.merging import merge
from livetables.tables.changes import Key, Record
from livetables.tables.spec import AnySpec

_MOST_MERGES: Final = 5
"""Attempts to write a merged change before somebody else changes the row again."""

_NOT_ALLOWED: Final = "You are not allowed to do that."
_GONE: Final = "This is not there any more: somebody has removed it."
_DUPLICATE: Final = "This exists already."
_UNREACHABLE: Final = "The database cannot be reached, so this was not saved. Please try again in a moment."
_PERHAPS: Final = "The database has not answered, so it is not known whether this was done. Please look."
_KEEPS_CHANGING: Final = "Somebody else keeps changing this. Please try again in a moment."


@dataclass(frozen=True, slots=True)
class Seen:
    """The row as the person saw it when they changed it: its columns, and its version."""

    record: Record
    version: int


class Project:
    """Asks a project as one person. Each method raises `WriteError`."""

    def __init__(self, project: EngineConfig, http: httpx.AsyncClient, token: str | None) -> None:
        self._client = AsyncPostgrestClient(
            f"{project.url}/rest/v1",
            headers={"apikey": project.key, "Authorization": f"Bearer {token or project.key}"},
            http_client=http,
            retry_enabled=False,
        )

    async def call(self, function: str, arguments: Record) -> object:
        """Call a function of the database; return its answer. A lost answer is told, and nothing repeated."""
        # The annotation of `rpc` knows only texts; it sends any JSON.
        query = self._client.rpc(function, cast("dict[str, str]", dict(arguments)))
        try:
            return (await query.execute()).data
        except APIError as error:
            raise WriteError(_text_of(error)) from error
        except httpx.HTTPError as error:
            raise WriteError(_PERHAPS) from error


class Rest(Project):
    """Writes rows of one table as one person."""

    def __init__(
        self, project: EngineConfig, http: httpx.AsyncClient, token: str | None, spec: AnySpec, version: str
    ) -> None:
        super().__init__(project, http, token)
        self._spec, self._version = spec, version

    async def insert(self, values: Record) -> Record:
        """Insert a row. If the answer is lost and the values have the whole key, the row is looked for."""
        try:
            return (await self._rows("insert", values, {}))[0]
        except httpx.HTTPError as error:
            key = {column: values.get(column) for column in self._spec.key}
            found = None if None in key.values() else await self._find(cast("Mapping[str, object]", key))
            if found is None:
                raise WriteError(_UNREACHABLE) from error
            return found

    async def update(self, key: Key, values: Record, seen: Seen | None) -> Record:
        """Change a row that the person saw, or did not see. What others have changed in other columns stays.

        Raises `ClashError` if somebody else has changed the same columns differently.
        """
        base = await self._current(key) if seen is None else seen.record
        version = int(str(base[self._version])) if seen is None else seen.version
        for _ in range(_MOST_MERGES):
            if not values:
                return base
            written = await self._update_at(key, values, version)
            if written is not None:
                return written
            current = await self._current(key)
            now = int(str(current[self._version]))
            if now == version:
                raise WriteError(_NOT_ALLOWED)
            values, base, version = _merged(values, base, current), current, now
        raise WriteError(_KEEPS_CHANGING)

    async def delete(self, key: Key) -> None:
        """Delete a row. It is no error if it does not exist."""
        try:
            removed = await self._rows("delete", {}, self._key(key))
        except httpx.HTTPError as error:
            if await self._find(self._key(key)) is not None:
                raise WriteError(_UNREACHABLE) from error
            return
        if not removed and await self._find(self._key(key)) is not None:
            raise WriteError(_NOT_ALLOWED)

    async def _update_at(self, key: Key, values: Record, version: int) -> Record | None:
        """Change the row if it has this version; None if it has not, or if it may not be changed."""
        at_version = {**self._key(key), self._version: version}
        try:
            written = await self._rows("update", values, at_version)
        except httpx.HTTPError as error:
            current = await self._current(key)
            if int(str(current[self._version])) == version:
                raise WriteError(_UNREACHABLE) from error
            return None  # by us or by others: merging finds out
        return written[0] if written else None

    async def _current(self, key: Key) -> Record:
        current = await self._find(self._key(key))
        if current is None:
            raise WriteError(_GONE)
        return current

    async def _find(self, where: Mapping[str, object]) -> Record | None:
        try:
            return next(iter(await self._rows("select", {}, where)), None)
        except httpx.HTTPError as error:
            raise WriteError(_UNREACHABLE) from error

    async def _rows(self, verb: str, values: Record, where: Mapping[str, object]) -> Sequence[Record]:
        table = self._client.from_(self._spec.name)
        body = dict(values)
        requests: Mapping[str, Callable[[], Any]] = {
            "insert": lambda: table.insert(body),
            "update": lambda: table.update(body),
            "delete": lambda: table.delete(),
            "select": lambda: table.select("*"),
        }
        query = requests[verb]()
        for column, value in where.items():
            query = query.filter(column, "eq", str(value))
        try:
            return cast("Sequence[Record]", (await query.execute()).data)
        except APIError as error:
            raise WriteError(_text_of(error)) from error

    def _key(self, key: Key) -> Mapping[str, object]:
        return dict(zip(self._spec.key, key, strict=True))


def _merged(values: Record, base: Record, current: Record) -> Record:
    """Return what is left to write on top of the other person's version. Raises `ClashError`."""
    before = {column: base.get(column) for column in values}
    theirs = {column: current.get(column) for column in values}
    merged = merge(before, values, theirs)
    if merged.clashes:
        raise ClashError({column: values[column] for column in merged.clashes}, current)
    return merged.mine


def _text_of(error: APIError) -> str:
    code, text = error.code or "", error.message or ""
    # A trigger's own message is for people; Postgres' own quote names.
    if code == "42501":
        return text if text.endswith(".") and '"' not in text else _NOT_ALLOWED
    if code == "23505":
        return _DUPLICATE
    return text or "The database refuses this."
