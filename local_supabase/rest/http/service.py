"""The REST service: identifies the caller, plans a request, runs it with the caller's role and responds."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Final

import asyncpg
import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from local_supabase.background import start_task
from local_supabase.context import Context
from local_supabase.database import CallerRequest, Connection, DatabaseBusyError, DatabaseUnavailableError
from local_supabase.identity import ANON, Identity, TokenError, bearer_token
from local_supabase.rest.catalog.cache import CatalogCache
from local_supabase.rest.catalog.model import Catalog
from local_supabase.rest.errors import (
    RestError,
    busy,
    not_singular,
    put_mismatch,
    too_many_affected,
    unreachable,
)
from local_supabase.rest.http.auth_errors import auth_error
from local_supabase.rest.http.estimates import estimate
from local_supabase.rest.http.openapi import describe
from local_supabase.rest.http.options import describe_options
from local_supabase.rest.http.pg_errors import from_postgres
from local_supabase.rest.http.response import Result, error_response, make_response
from local_supabase.rest.http.timezones import is_timezone
from local_supabase.rest.query.grammar import too_deep
from local_supabase.rest.query.preferences import Count, Preferences, parse_preferences
from local_supabase.rest.query.request import (
    Action,
    ApiRequest,
    Target,
    find_target,
    read_request,
)
from local_supabase.rest.sql.plan import Plan, make_plan
from local_supabase.rest.sql.plan_cache import PlanCache
from local_supabase.turns import Turns

# Errors that an outdated catalog can cause: something is missing, or a type has changed.
_STALE_CODES: Final = {"PGRST200", "PGRST201", "PGRST202", "PGRST203", "PGRST204", "PGRST205"}
_STALE_STATES: Final = {"42P01", "42703", "42883", "42704", "42804", "42846", "0A000", "22P02", "42P10"}

# Parsing a larger body takes longer than handing it to a thread.
_PARSED_IN_THREAD: Final = 64 * 1024
# One person's larger bodies are served one after the other.
_LARGE: Final = 1_000_000
_SERVICE_ROLE: Final = "service_role"


@dataclass(slots=True)
class _Incoming:
    """A request while it is served. It is planned again for a newer catalog, but its body is parsed once."""

    request: Request
    identity: Identity
    body: bytes
    parsed: ApiRequest | None = None


class RestService:
    """An ASGI application that behaves like PostgREST.

    Arguments:
        context: the parts that the services share.
        cache: the schema catalog.
    """

    def __init__(self, context: Context, cache: CatalogCache) -> None:
        self._context = context
        self._cache = cache
        self._max_rows = context.settings.config.api.max_rows
        self._plans = PlanCache(self._max_rows)
        self._turns = Turns()
        self._ending_reads: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request. It closes websockets, because REST has none."""
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1000})
            return
        request = Request(scope, receive)
        try:
            response = await self._respond(request)
        except ClientDisconnect:
            # The client is gone, and an incomplete body must not be processed.
            return
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        anonymous = True
        try:
            identity = self._identify(request)
            anonymous = identity.role == ANON
            return await self._respond_in_turn(request, identity)
        except RestError as error:
            return error_response(error)
        except asyncpg.PostgresError as error:
            return error_response(from_postgres(error, anonymous=anonymous))
        except DatabaseUnavailableError as error:
            return error_response(unreachable(str(error)))
        except DatabaseBusyError:
            return error_response(busy())
        except (asyncpg.InterfaceError, OSError) as error:
            return error_response(unreachable(str(error)))
        except RecursionError:
            return error_response(too_deep("query"))

    def _identify(self, request: Request) -> Identity:
        token = bearer_token(request.headers)
        if token is None:
            token = request.query_params.get("apikey")
        try:
            identity = self._context.verifier.verify(token)
        except TokenError as error:
            raise auth_error(error, token) from None
        if "role" in identity.claims:
            return identity
        # Policies may read this claim, so it is set even if the token lacks it.
        claims = {**identity.claims, "role": identity.role}
        return Identity(identity.role, claims, orjson.dumps(claims).decode())

    async def _respond_in_turn(self, request: Request, identity: Identity) -> Response:
        incoming = _Incoming(request, identity, await request.body())
        if len(incoming.body) <= _LARGE or identity.role == _SERVICE_ROLE:
            return await self._respond_fresh(incoming)
        async with self._turns.turn(str(identity.claims.get("sub") or identity.role)):
            return await self._respond_fresh(incoming)

    async def _respond_fresh(self, incoming: _Incoming) -> Response:
        """Respond with the cached catalog; after an error that it may have caused, with a newer one."""
        catalog = await self._cache.current()
        try:
            return await self._serve(incoming, catalog)
        except (RestError, asyncpg.PostgresError) as error:
            code = error.code if isinstance(error, RestError) else error.sqlstate
            if code not in _STALE_CODES | _STALE_STATES:
                raise
            newer = await self._cache.refresh(catalog)
            outdated_plan = isinstance(error, asyncpg.InvalidCachedStatementError)
            if newer is None and not outdated_plan:
                raise
            return await self._serve(incoming, newer or catalog)

    async def _serve(self, incoming: _Incoming, catalog: Catalog) -> Response:
        request, identity = incoming.request, incoming.identity
        path = _path(request.scope)
        target = find_target(path, request.method, request.headers, catalog.schemas)
        if target.action is Action.OPTIONS:
            return describe_options(target, catalog)
        preferences = parse_preferences(request.headers.getlist("prefer"), is_timezone)
        if target.action is Action.DESCRIBE:
            return await describe(self._context, request, identity, catalog, target)
        api_request, plan = await self._plan_request(incoming, target, preferences, catalog)
        result = await self._run(request, identity, catalog, api_request, plan)
        profile = target.name.schema if len(catalog.schemas) > 1 else None
        return make_response(api_request, plan, result, profile)

    async def _plan_request(
        self, incoming: _Incoming, target: Target, preferences: Preferences, catalog: Catalog
    ) -> tuple[ApiRequest, Plan]:
        request = incoming.request
        raw_query = request.scope["query_string"].decode("latin-1")
        if target.action is Action.READ and "range" not in request.headers:
            kept = self._plans.read(target, raw_query, request.headers.get("accept"), preferences, catalog)
            if kept is not None:
                return kept
        if incoming.parsed is None:
            arguments = (target, raw_query, request.headers, incoming.body, preferences)
            if len(incoming.body) > _PARSED_IN_THREAD:
                incoming.parsed = await asyncio.to_thread(read_request, *arguments)
            else:
                incoming.parsed = read_request(*arguments)
        # A newer catalog may have another default schema.
        api_request = replace(incoming.parsed, target=target)
        return api_request, make_plan(api_request, catalog, self._max_rows)

    async def _run(
        self, request: Request, identity: Identity, catalog: Catalog, api_request: ApiRequest, plan: Plan
    ) -> Result:
        transaction = AsyncExitStack()
        try:
            connection = await transaction.enter_async_context(
                self._context.database.as_caller(
                    identity,
                    CallerRequest(
                        headers={name: value for name, value in request.headers.items() if name != "cookie"},
                        method=request.method,
                        path=_path(request.scope),
                        schema=api_request.target.name.schema,
                        settings=_settings(request, identity, catalog, api_request.preferences, plan),
                    ),
                    read_only=plan.read_only,
                )
            )
            result = await self._execute(connection, api_request, plan)
        except BaseException as error:
            await transaction.__aexit__(type(error), error, error.__traceback__)
            raise
        if plan.read_only:
            # The read has nothing to commit, so the response need not wait for the end of the transaction.
            self._end_in_background(transaction)
        else:
            await transaction.aclose()
        return result

    async def _execute(self, connection: Connection, api_request: ApiRequest, plan: Plan) -> Result:
        if plan.unfiltered is not None:
            raise RestError(400, "21000", f"{plan.unfiltered} requires a WHERE clause")
        row = await connection.fetchrow(plan.sql, *plan.values)
        assert row is not None
        result = Result(*row.values())
        _check_result(api_request, plan, result)
        if plan.counted is None:
            return result
        return await _with_estimate(connection, api_request, plan, result, self._max_rows)

    def _end_in_background(self, transaction: AsyncExitStack) -> None:
        task = start_task(transaction.aclose(), "rest-read-end")
        self._ending_reads.add(task)
        task.add_done_callback(self._note_end)

    def _note_end(self, task: asyncio.Task[None]) -> None:
        self._ending_reads.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # The connection or the database is gone. The next request reports it.
            self._context.log.debug("REST: the end of a read failed: %r", error)


def _path(scope: Scope) -> str:
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", "")) or "/"


def _settings(
    request: Request, identity: Identity, catalog: Catalog, preferences: Preferences, plan: Plan
) -> list[tuple[str, str]]:
    """Return the settings of this request's transaction, besides those that every request has."""
    settings = list(catalog.role_settings.get(identity.role, ()))
    if request.cookies:
        settings.append(("request.cookies", orjson.dumps(request.cookies).decode()))
    if preferences.timezone is not None:
        settings.append(("timezone", preferences.timezone))
    if plan.routine is not None and plan.routine.timeout is not None:
        settings.append(("statement_timeout", plan.routine.timeout))
    return settings


def _check_result(api_request: ApiRequest, plan: Plan, result: Result) -> None:
    """Check the number of rows. An error rolls back the transaction.

    Raises:
        RestError: PGRST115, the key of a PUT differs; 116, not a single row; 124, too many rows affected.
    """
    action = api_request.target.action
    if action is Action.UPSERT:
        if result.rows != 1:
            raise put_mismatch()
    elif plan.form.singular and result.rows != 1:
        raise not_singular(result.rows)
    limit = api_request.preferences.max_affected
    limited = action in {Action.UPDATE, Action.DELETE, Action.CALL, Action.CALL_READ}
    if limited and api_request.preferences.strict and limit is not None and result.rows > limit:
        raise too_many_affected(result.rows)


async def _with_estimate(
    connection: Connection, api_request: ApiRequest, plan: Plan, result: Result, max_rows: int
) -> Result:
    assert plan.counted is not None
    if api_request.preferences.count is Count.ESTIMATED and (result.total or 0) <= max_rows:
        return result
    total = await estimate(connection, plan.counted, plan.counted_values)
    if result.total is not None:
        total = max(total, result.total)
    return Result(total, result.rows, result.body, result.headers, result.status)
