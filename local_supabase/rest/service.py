"""The service: takes requests, finds out who calls, plans, runs under the caller's role, answers."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Final

import asyncpg
import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from local_supabase.context import Context
from local_supabase.database import Connection, DatabaseBusy, DatabaseUnavailable
from local_supabase.identity import ANON, Identity, TokenError, bearer_token
from local_supabase.rest.auth_errors import refused
from local_supabase.rest.cache import CatalogCache
from local_supabase.rest.catalog import Catalog
from local_supabase.rest.errors import (
    RestError,
    busy,
    not_singular,
    put_mismatch,
    too_many_affected,
    unreachable,
)
from local_supabase.rest.grammar import too_deep
from local_supabase.rest.openapi import describe
from local_supabase.rest.options import describe_options
from local_supabase.rest.pg_errors import from_postgres
from local_supabase.rest.plan import Plan, make_plan
from local_supabase.rest.plan_cache import PlanCache
from local_supabase.rest.preferences import Count, Preferences, parse_preferences
from local_supabase.rest.request import Action, Asked, Target, find_target, read_request
from local_supabase.rest.response import Result, error_response, make_response
from local_supabase.rest.timezones import is_timezone

# What a caller can see of a catalog that is out of date: something is missing, or a type is not what it was.
_STALE_CODES: Final = {"PGRST200", "PGRST201", "PGRST202", "PGRST203", "PGRST204", "PGRST205"}
_STALE_STATES: Final = {"42P01", "42703", "42883", "42704", "42804", "42846", "0A000", "22P02", "42P10"}


class RestService:
    """An ASGI application that answers as PostgREST does."""

    def __init__(self, context: Context, cache: CatalogCache) -> None:
        self._context = context
        self._cache = cache
        self._max_rows = context.settings.config.api.max_rows
        self._plans = PlanCache(self._max_rows)
        self._ending: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; there are no websockets here."""
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1000})
            return
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except ClientDisconnect:
            # Nobody waits for an answer, and half a body must not be taken for a whole one.
            return
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        anonymous = True
        try:
            identity = self._identify(request)
            anonymous = identity.role == ANON
            return await self._fresh(request, identity)
        except RestError as error:
            return error_response(error)
        except asyncpg.PostgresError as error:
            return error_response(from_postgres(error, anonymous=anonymous))
        except DatabaseUnavailable as error:
            return error_response(unreachable(str(error)))
        except DatabaseBusy:
            return error_response(busy())
        except (asyncpg.InterfaceError, OSError) as error:
            return error_response(unreachable(str(error)))
        except RecursionError:
            return error_response(too_deep("query"))

    def _identify(self, request: Request) -> Identity:
        token = bearer_token(request.headers) or request.query_params.get("apikey")
        try:
            identity = self._context.verifier.verify(token)
        except TokenError as error:
            raise refused(error, token) from None
        if "role" in identity.claims:
            return identity
        # Policies may ask for the claim, so it is there even where the token leaves it out.
        claims = {**identity.claims, "role": identity.role}
        return Identity(identity.role, claims, orjson.dumps(claims).decode())

    async def _fresh(self, request: Request, identity: Identity) -> Response:
        """Answer from the catalog as it is known; if something is missing there, from a newer one."""
        body = await request.body()
        catalog = await self._cache.current()
        try:
            return await self._serve(request, identity, catalog, body)
        except (RestError, asyncpg.PostgresError) as error:
            code = error.code if isinstance(error, RestError) else error.sqlstate
            if code not in _STALE_CODES | _STALE_STATES:
                raise
            newer = await self._cache.refresh(catalog)
            outdated_plan = isinstance(error, asyncpg.InvalidCachedStatementError)
            if newer is None and not outdated_plan:
                raise
            return await self._serve(request, identity, newer or catalog, body)

    async def _serve(self, request: Request, identity: Identity, catalog: Catalog, body: bytes) -> Response:
        path = _path(request.scope)
        target = find_target(path, request.method, request.headers, catalog.schemas)
        if target.action is Action.OPTIONS:
            return describe_options(target, catalog)
        preferences = parse_preferences(request.headers.getlist("prefer"), is_timezone)
        if target.action is Action.DESCRIBE:
            return await describe(self._context, request, identity, catalog, target)
        asked, plan = self._planned(request, target, preferences, catalog, body)
        result = await self._run(request, identity, catalog, asked, plan)
        profile = target.name.schema if len(catalog.schemas) > 1 else None
        return make_response(asked, plan, result, profile)

    def _planned(
        self, request: Request, target: Target, preferences: Preferences, catalog: Catalog, body: bytes
    ) -> tuple[Asked, Plan]:
        raw_query = request.scope["query_string"].decode("latin-1")
        if target.action is Action.READ and "range" not in request.headers:
            kept = self._plans.read(target, raw_query, request.headers.get("accept"), preferences, catalog)
            if kept is not None:
                return kept
        asked = read_request(target, raw_query, request.headers, body, preferences)
        return asked, make_plan(asked, catalog, self._max_rows)

    async def _run(
        self, request: Request, identity: Identity, catalog: Catalog, asked: Asked, plan: Plan
    ) -> Result:
        transaction = AsyncExitStack()
        try:
            connection = await transaction.enter_async_context(
                self._context.database.as_caller(
                    identity,
                    read_only=plan.read_only,
                    headers={name: value for name, value in request.headers.items() if name != "cookie"},
                    method=request.method,
                    path=_path(request.scope),
                    schema=asked.target.name.schema,
                    settings=_settings(request, identity, catalog, asked.preferences, plan),
                )
            )
            result = await self._execute(connection, asked, plan)
        except BaseException as error:
            await transaction.__aexit__(type(error), error, error.__traceback__)
            raise
        if plan.read_only:
            # Nothing can go wrong any more and nothing has to last: the answer need not wait for the end.
            self._end_later(transaction)
        else:
            await transaction.aclose()
        return result

    async def _execute(self, connection: Connection, asked: Asked, plan: Plan) -> Result:
        if plan.unfiltered is not None:
            raise RestError(400, "21000", f"{plan.unfiltered} requires a WHERE clause")
        row = await connection.fetchrow(plan.sql, *plan.values)
        assert row is not None
        result = Result(*row.values())
        _check(asked, plan, result)
        if plan.explain is None:
            return result
        return await _estimated(connection, asked, plan, result, self._max_rows)

    def _end_later(self, transaction: AsyncExitStack) -> None:
        task = asyncio.create_task(transaction.aclose(), name="rest-read-end")
        self._ending.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._ending.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # The connection is gone, or the database; whoever comes next will hear of it.
            self._context.log.debug("REST: the end of a read failed: %r", error)


def _path(scope: Scope) -> str:
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", "")) or "/"


def _settings(
    request: Request, identity: Identity, catalog: Catalog, preferences: Preferences, plan: Plan
) -> list[tuple[str, str]]:
    """Return what has to be set for this request beyond what every request sets."""
    settings = list(catalog.role_settings.get(identity.role, ()))
    if request.cookies:
        settings.append(("request.cookies", orjson.dumps(request.cookies).decode()))
    if preferences.timezone is not None:
        settings.append(("timezone", preferences.timezone))
    if plan.routine is not None and plan.routine.timeout is not None:
        settings.append(("statement_timeout", plan.routine.timeout))
    return settings


def _check(asked: Asked, plan: Plan, result: Result) -> None:
    """Refuse what came out; the error ends the transaction, so nothing was done.

    Raises:
        RestError: PGRST115, 116, 124.
    """
    action = asked.target.action
    if action is Action.UPSERT:
        if result.rows != 1:
            raise put_mismatch()
    elif plan.form.singular and result.rows != 1:
        raise not_singular(result.rows)
    limit = asked.preferences.max_affected
    limited = action in {Action.UPDATE, Action.DELETE, Action.CALL, Action.CALL_READ}
    if limited and asked.preferences.strict and limit is not None and result.rows > limit:
        raise too_many_affected(result.rows)


async def _estimated(
    connection: Connection, asked: Asked, plan: Plan, result: Result, max_rows: int
) -> Result:
    assert plan.explain is not None
    if asked.preferences.count is Count.ESTIMATED and (result.total or 0) <= max_rows:
        return result
    text = await connection.fetchval(plan.explain, *plan.explain_values)
    planned = int(orjson.loads(text)[0]["Plan"]["Plan Rows"])
    total = planned if result.total is None else max(planned, result.total)
    return Result(total, result.rows, result.body, result.headers, result.status)
