"""Reading over HTTP, under row level security: tables, rows by key, and what has changed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, cast

import httpx
from postgrest import APIError, AsyncPostgrestClient, AsyncSelectRequestBuilder

from live.asking import first_answer
from live.changes import Key, Op, Record, key_of
from live.errors import NotAllowedError, ReadError, RefusedQueryError
from live.filters import Filter
from live.tables import AnySpec

PAGE: Final = 1000
"""Rows a request; hosted projects give no more (their setting `max_rows`)."""

_KEYS_A_REQUEST: Final = 100
"""Keys travel in the address, which proxies cut at 8 KB and more: 100 uuids are 4 KB."""

TokenSource = Callable[[], Awaitable[str | None]]
"""Gives the user's access token, or None to read as `anon`."""


@dataclass(frozen=True, slots=True)
class LoggedChange:
    """That a row changed; what it is now has to be read."""

    table: str
    key: Key
    op: Op


@dataclass(frozen=True, slots=True)
class ChangesSince:
    """The answer of `changes_since`: the next cursor, and the changes, or that all must be loaded."""

    cursor: str
    resync: bool
    changes: tuple[LoggedChange, ...]


def connections(request: float, again: float) -> httpx.AsyncClient:
    """Return the connections that all readers share; a request may take so many seconds.

    None is kept idle as long as it takes until something is asked `again`: that goes out on a new one.
    """
    return httpx.AsyncClient(
        timeout=request, limits=httpx.Limits(max_connections=100, keepalive_expiry=again)
    )


class _Query(Protocol):
    async def execute(self) -> object: ...


class Reader:
    """Reads for one audience, only what passes `filters`. What brings no answer raises `ReadError`."""

    def __init__(
        self,
        url: str,
        key: str,
        specs: Mapping[str, AnySpec],
        token: TokenSource,
        http: httpx.AsyncClient,
        filters: Sequence[Filter] = (),
        *,
        again: float = 2.0,
    ) -> None:
        self._url = f"{url}/rest/v1"
        self._key = key
        self._specs = specs
        self._token = token
        self._http = http
        self._filters = filters
        self._again = again
        self.requests = 0
        """Requests sent so far."""
        self.answers = 0
        """Those that were answered, with whatever."""

    async def changes_since(self, cursor: str | None) -> ChangesSince:
        """Return what changed since the cursor; with None only the present cursor."""
        rest = await self._rest()
        answer = await self._answer(rest.rpc("changes_since", {} if cursor is None else {"p_cursor": cursor}))
        try:
            return self._changes_since(cast(Mapping[str, object], answer))
        except (KeyError, TypeError, ValueError) as error:
            raise ReadError(f"changes_since() answered something else: {answer!r}") from error

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

    async def everything(self, spec: AnySpec) -> list[Record]:
        """Return all rows."""
        return [record async for page in self.pages(spec) for record in page]

    async def pages(self, spec: AnySpec, size: int = PAGE) -> AsyncIterator[list[Record]]:
        """Give all rows by their keys: a page a request, each from the last row of the one before."""
        last: Record | None = None
        while True:
            query = self._select(await self._rest(), spec).limit(size)
            for column in spec.key:
                query = query.order(column)
            if last is not None:
                query = query.or_(_beyond(spec.key, key_of(last, spec.key)))
            page = await self._records(query)
            yield page
            if len(page) < size:
                return
            last = page[-1]

    async def newest(self, spec: AnySpec, count: int, before: Record | None = None) -> list[Record]:
        """Return the newest rows, or the newest of those older than the row `before`."""
        assert spec.order is not None
        rest = await self._rest()
        columns = (spec.order, *(column for column in spec.key if column != spec.order))
        query = self._select(rest, spec).limit(min(count, PAGE))
        for column in columns:
            query = query.order(column, desc=True)
        if before is not None:
            query = query.or_(_beyond(columns, key_of(before, columns), than="lt"))
        return await self._records(query)

    async def newest_keys(self, spec: AnySpec, count: int) -> list[Key]:
        """Return the keys of the newest rows, the newest first."""
        assert spec.order is not None
        query = (await self._rest()).from_(spec.name).select(",".join(spec.key)).limit(min(count, PAGE))
        for column in (spec.order, *(column for column in spec.key if column != spec.order)):
            query = query.order(column, desc=True)
        return [key_of(record, spec.key) for record in await self._records(query)]

    async def oldest(self, spec: AnySpec) -> Record | None:
        """Return the oldest row, None when there is no row."""
        assert spec.order is not None
        query = self._select(await self._rest(), spec).order(spec.order).limit(1)
        return next(iter(await self._records(query)), None)

    async def by_key(self, spec: AnySpec, keys: Sequence[Key]) -> list[Record]:
        """Return the rows with these keys that this reader may see."""
        rest = await self._rest()
        records: list[Record] = []
        for start in range(0, len(keys), _KEYS_A_REQUEST):
            some = keys[start : start + _KEYS_A_REQUEST]
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
        token = await self._token()
        return AsyncPostgrestClient(
            self._url,
            headers={"apikey": self._key, "Authorization": f"Bearer {token or self._key}"},
            http_client=self._http,
            # The feed tries again by itself, and says so meanwhile.
            retry_enabled=False,
        )

    async def _answer(self, query: _Query) -> object:
        self.requests += 1
        try:
            response = await first_answer(query.execute, self._again)
        except APIError as error:
            self.answers += 1
            raise _kind_of(error)(error.message or str(error)) from error
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise ReadError(f"{type(error).__name__}: {error}") from error
        self.answers += 1
        return getattr(response, "data", None)


def _kind_of(error: APIError) -> type[ReadError]:
    code = error.code or ""
    if code.startswith("PGRST3") or code == "42501":
        return NotAllowedError
    # What Postgres calls data exceptions and errors of syntax: the same question gets the same answer.
    return RefusedQueryError if code.startswith(("PGRST1", "22", "42")) else ReadError


def _beyond(columns: Sequence[str], values: Key, than: str = "gt") -> str:
    """Return the PostgREST condition "comes after these values in the order of these columns"."""
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
