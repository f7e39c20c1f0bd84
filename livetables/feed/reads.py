"""Reads over HTTP, under row-level security: tables, rows by key, and what has changed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, cast

import httpx
from postgrest import APIError, AsyncPostgrestClient, AsyncSelectRequestBuilder

from livetables.config import EngineConfig
from livetables.errors import NotAllowedError, NotGrantedError, ReadError, RefusedQueryError, SetupError
from livetables.feed.hedge import hedged
from livetables.tables.changes import Key, Op, Record, key_of
from livetables.tables.filters import Filter
from livetables.tables.spec import AnySpec

PAGE: Final = 1000
"""Rows per request. Hosted projects return no more (their setting `max_rows`)."""

_KEYS_PER_REQUEST: Final = 100
"""Keys are sent in the URL, which some proxies limit to 8 KB: 100 uuids are 4 KB."""

_FIRST_ROWS: Final = "first_rows"
_MISSING: Final = frozenset(("PGRST202", "PGRST205", "42P01", "42703"))
"""The codes of a function, a table and a column that are not there."""
_NOT_GRANTED: Final = "42501"

TokenSource = Callable[[], Awaitable[str | None]]
"""Returns the user's access token, or None to read as `anon`. Raises `ReadError` if there is neither."""


@dataclass(frozen=True, slots=True)
class LoggedChange:
    """An entry of `change_log`: this row changed. What it is now has to be read."""

    table: str
    key: Key
    op: Op


@dataclass(frozen=True, slots=True)
class ChangesSince:
    """The answer of `changes_since`: the next cursor and the changes.

    With `resync` there are no changes, and all tables have to be loaded again.
    """

    cursor: str
    resync: bool
    changes: tuple[LoggedChange, ...]


@dataclass(frozen=True, slots=True)
class FirstRows:
    """The first rows of several tables at one moment, and the cursor from which on changes follow."""

    cursor: str
    records: Mapping[str, list[Record]]
    """By table: as many rows as `first_rows` was asked for, or all there are."""


def http_client(timeout: float, hedge_after: float) -> httpx.AsyncClient:
    """Return the connection pool that all readers share; a request may take `timeout` seconds.

    An idle connection is closed before a request is hedged, so that the hedge goes out on a new one.
    """
    return httpx.AsyncClient(
        timeout=timeout, limits=httpx.Limits(max_connections=100, keepalive_expiry=hedge_after)
    )


@dataclass(frozen=True, slots=True)
class ReaderConfig:
    """Where a reader reads, as whom, and through which connection pool."""

    project: EngineConfig
    token: TokenSource
    http: httpx.AsyncClient
    hedge_after: float = 2.0
    """Seconds without an answer after which a request is sent once more."""


class _Query(Protocol):
    async def execute(self) -> object: ...


class Reader:
    """Reads for one audience, and only rows that pass `filters`.

    Every method raises `ReadError`, `NotAllowedError` or `RefusedQueryError` if no rows came back.
    """

    def __init__(
        self, config: ReaderConfig, specs: Mapping[str, AnySpec], filters: Sequence[Filter] = ()
    ) -> None:
        self._config = config
        self._specs = specs
        self._filters = filters
        self.requests = 0
        """Requests sent so far."""
        self.answers = 0
        """Requests that were answered, also with an error."""

    async def changes_since(self, cursor: str | None) -> ChangesSince:
        """Return what changed since the cursor. Without a cursor return only the current one."""
        rest = await self._rest()
        answer = await self._answer(rest.rpc("changes_since", {} if cursor is None else {"p_cursor": cursor}))
        try:
            return self._changes_since(cast(Mapping[str, object], answer))
        except (KeyError, TypeError, ValueError) as error:
            raise ReadError(f"changes_since() returned {answer!r}") from error

    def _changes_since(self, answer: Mapping[str, object]) -> ChangesSince:
        changes = tuple(
            LoggedChange(
                str(change["table"]),
                key_of(cast(Record, change["key"]), self._specs[str(change["table"])].key),
                Op(str(change["op"])),
            )
            for change in cast(Sequence[Record], answer["changes"])
            if change["table"] in self._specs
        )
        return ChangesSince(str(answer["cursor"]), bool(answer["resync"]), changes)

    async def first_rows(self, specs: Sequence[AnySpec]) -> FirstRows | None:
        """Return the first rows of these tables in one answer, as many as each is loaded with.

        None if each table has to be asked by itself: for a visitor, for a view, and in a project without the
        function `first_rows`. Tables of which only some columns are read are left out.
        """
        token = None if self._filters else await self._config.token()
        if token is None:
            return None
        asked = [_first_rows_of(spec) for spec in specs if spec.columns == "*"]
        # The annotation of `rpc` knows only texts; it sends any JSON.
        arguments = cast("dict[str, str]", {"p_tables": asked})
        try:
            answer = await self._answer(self._rest_as(token).rpc(_FIRST_ROWS, arguments))
        except ReadError as error:
            if isinstance(error, NotAllowedError | RefusedQueryError | SetupError):
                return None  # a table that asks by itself tells what is wrong with it
            raise
        try:
            found = cast(Mapping[str, object], answer)
            records = cast(Mapping[str, Sequence[Record]], found["rows"])
            return FirstRows(str(found["cursor"]), {table: list(rows) for table, rows in records.items()})
        except (AttributeError, KeyError, TypeError) as error:
            raise ReadError(f"first_rows() returned {answer!r}") from error

    async def everything(self, spec: AnySpec, first: list[Record] | None = None) -> list[Record]:
        """Return all rows; `first` are the first `PAGE` rows, if they are there already."""
        if first is not None and len(first) < PAGE:
            return first
        after = first[-1] if first else None
        rest = [record async for page in self.pages(spec, after=after) for record in page]
        return (first or []) + rest

    async def pages(
        self, spec: AnySpec, size: int | None = None, after: Record | None = None
    ) -> AsyncIterator[list[Record]]:
        """Yield all rows in the order of their keys, or those after a row, `size` (`PAGE`) a request."""
        size = size or PAGE
        last = after
        while True:
            query = self._select(await self._rest(), spec).limit(size)
            for column in spec.key:
                query = query.order(column)
            if last is not None:
                query = query.or_(_after(spec.key, key_of(last, spec.key)))
            page = await self._records(query)
            yield page
            if len(page) < size:
                return
            last = page[-1]

    async def newest(self, spec: AnySpec, count: int, before: Record | None = None) -> list[Record]:
        """Return the newest `count` rows, or those just older than `before`. Needs the spec's `order`."""
        rest, columns = await self._rest(), _by_age(spec)
        query = self._select(rest, spec).limit(min(count, PAGE))
        for column in columns:
            query = query.order(column, desc=True)
        if before is not None:
            query = query.or_(_after(columns, key_of(before, columns), than="lt"))
        return await self._records(query)

    async def newest_keys(self, spec: AnySpec, count: int) -> list[Key]:
        """Return the keys of the newest `count` rows, newest first. Needs the spec's `order`."""
        query = (await self._rest()).from_(spec.name).select(",".join(spec.key)).limit(min(count, PAGE))
        for column in _by_age(spec):
            query = query.order(column, desc=True)
        return [key_of(record, spec.key) for record in await self._records(query)]

    async def oldest(self, spec: AnySpec) -> Record | None:
        """Return the oldest row, None if there is no row. Needs the spec's `order`."""
        assert spec.order is not None
        query = self._select(await self._rest(), spec).order(spec.order).limit(1)
        return next(iter(await self._records(query)), None)

    async def by_key(self, spec: AnySpec, keys: Sequence[Key]) -> list[Record]:
        """Return the rows with these keys, as far as they exist and this reader may see them."""
        rest = await self._rest()
        records: list[Record] = []
        for start in range(0, len(keys), _KEYS_PER_REQUEST):
            some = keys[start : start + _KEYS_PER_REQUEST]
            query = self._select(rest, spec)
            if len(spec.key) == 1:
                query = query.in_(spec.key[0], [key[0] for key in some])
            else:
                query = query.or_(",".join(_equal(spec.key, key) for key in some))
            records += await self._records(query)
        return records

    def _select(self, rest: AsyncPostgrestClient, spec: AnySpec) -> AsyncSelectRequestBuilder:
        query = rest.from_(spec.name).select(spec.columns)
        for one in self._filters:
            query = query.filter(one.column, one.verb, one.criterion)
        return query

    async def _records(self, query: _Query) -> list[Record]:
        return list(cast(Sequence[Record], await self._answer(query)))

    async def _rest(self) -> AsyncPostgrestClient:
        return self._rest_as(await self._config.token())

    def _rest_as(self, token: str | None) -> AsyncPostgrestClient:
        key = self._config.project.key
        return AsyncPostgrestClient(
            f"{self._config.project.url}/rest/v1",
            headers={"apikey": key, "Authorization": f"Bearer {token or key}"},
            http_client=self._config.http,
            # The feed retries by itself, and shows meanwhile that it does.
            retry_enabled=False,
        )

    async def _answer(self, query: _Query) -> object:
        self.requests += 1
        try:
            response = await hedged(query.execute, self._config.hedge_after)
        except APIError as error:
            self.answers += 1
            raise _error_type(error, filtered=bool(self._filters))(_text_of(error)) from error
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise ReadError(f"{type(error).__name__}: {error}") from error
        self.answers += 1
        return getattr(response, "data", None)


def _by_age(spec: AnySpec) -> tuple[str, ...]:
    """Return the columns that sort newer rows higher, and rows of one time by their keys."""
    assert spec.order is not None
    return (spec.order, *(column for column in spec.key if column != spec.order))


def _first_rows_of(spec: AnySpec) -> Mapping[str, object]:
    if spec.window is None:
        return {"table": spec.name, "order": list(spec.key), "newest": False, "rows": PAGE}
    return {"table": spec.name, "order": _by_age(spec), "newest": True, "rows": min(spec.window, PAGE)}


def _text_of(error: APIError) -> str:
    text = error.message or str(error)
    return f"{text}. {error.hint}" if error.hint else text


def _error_type(error: APIError, *, filtered: bool) -> type[ReadError]:
    """Return the error for an answer. What a filter names is the caller's choice, and the rest set-up."""
    code = error.code or ""
    if code == _NOT_GRANTED:
        return NotGrantedError
    if code.startswith("PGRST3"):
        return NotAllowedError
    if code in _MISSING and not filtered:
        return SetupError
    # Postgres' data exceptions and syntax errors: the same query gets the same answer.
    return RefusedQueryError if code.startswith(("PGRST1", "22", "42")) else ReadError


def _after(columns: Sequence[str], values: Key, than: str = "gt") -> str:
    """Return the PostgREST condition for rows after these values, sorted by these columns."""
    terms = []
    for index, column in enumerate(columns):
        equal = [f"{name}.eq.{_quoted(values[at])}" for at, name in enumerate(columns[:index])]
        terms.append(_all([*equal, f"{column}.{than}.{_quoted(values[index])}"]))
    return ",".join(terms)


def _equal(columns: Sequence[str], key: Key) -> str:
    return _all([f"{column}.eq.{_quoted(value)}" for column, value in zip(columns, key, strict=True)])


def _all(conditions: Sequence[str]) -> str:
    return conditions[0] if len(conditions) == 1 else f"and({','.join(conditions)})"


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
