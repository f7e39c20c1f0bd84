"""The gateway process: one loopback port for all services. Only Realtime has a process of its own."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from local_supabase import auth, functions, rest, serving, storage
from local_supabase.auth.mailbox import Mailbox
from local_supabase.auth.mailbox_page import View, mailbox_routes
from local_supabase.auth.service import make_api
from local_supabase.context import Context
from local_supabase.database import Database
from local_supabase.edge import AccessLog, ApiKeyCheck, Cors
from local_supabase.error_responses import exception_handlers, not_implemented
from local_supabase.fair_share import FairShare
from local_supabase.forward import Forwarder
from local_supabase.handover import Giver
from local_supabase.http_protocol import ConnectionLimits, Connections
from local_supabase.identity import TokenVerifier
from local_supabase.keys import load_keys
from local_supabase.request_limits import RequestLimits
from local_supabase.rewind import Rewind
from local_supabase.rewind.people import PEOPLE_PATH, people_view
from local_supabase.rewind.routes import CLOCK_PATH, clock_view, rewind_view
from local_supabase.service_health import LIVE_PATH, ServiceHealth
from local_supabase.serving import Process
from local_supabase.settings import REWIND_PATH

REALTIME = "realtime"

Lifespan = Callable[[Context], AbstractAsyncContextManager[object]]
Routes = Callable[[Context], Sequence[BaseRoute]]


@dataclass(frozen=True, slots=True)
class Service:
    """One service of the gateway, served under `/<name>/v1`.

    Arguments:
        name: also its name in `config.toml` and in `/health`.
        routes: makes its routes, after its lifespan was entered.
        lifespan: what it keeps running while the gateway runs, if anything.
    """

    name: str
    routes: Routes
    lifespan: Lifespan | None = None

    @property
    def path(self) -> str:
        """The path under which the service is mounted."""
        return f"/{self.name}/v1"


SERVICES = (
    Service("rest", rest.routes, rest.lifespan),
    Service("auth", auth.routes),
    Service("storage", storage.routes, storage.lifespan),
    Service("functions", functions.routes, functions.lifespan),
)

_SWITCH_SECONDS = 0.0005
_log = logging.getLogger("local_supabase.gateway")


async def build(context: Context, stack: AsyncExitStack, realtime: Forwarder) -> ASGIApp:
    """Start the services and return the gateway's ASGI application.

    Arguments:
        context: what the services share.
        stack: the services' lifespans are entered here and end with it.
        realtime: forwards requests to the process of Realtime.
    """
    states: dict[str, ServiceHealth] = {}
    mounts = [await _mount(service, context, stack, states) for service in SERVICES]
    mounts.append(_mount_realtime(context, realtime, states))
    mounts.append(Mount("/graphql/v1", app=not_implemented("The embedded Supabase has no graphql service.")))

    async def health(_: Request) -> Response:
        async with context.database.as_admin() as connection:
            await connection.fetchval("select 1")
        services = {"database": ServiceHealth.OK, **states}
        if REALTIME not in states:
            services[REALTIME] = await realtime.health()
        return JSONResponse({"status": "ok", "services": services})

    async def live(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    app = Starlette(
        routes=[Route("/", _root), Route("/health", health), Route(LIVE_PATH, live), *mounts],
        exception_handlers=exception_handlers(),
    )
    fair = FairShare(app, context.verifier)
    gateway = AccessLog(Cors(RequestLimits(ApiKeyCheck(fair, context.verifier))), _log, LIVE_PATH)
    rewind = await _keep_state(context)
    return _ByPort(gateway, _mailbox_pages(context, rewind), context.settings.mailbox_port)


class _ByPort:
    """Serves the mailbox on its own port, so that no page of the gateway has the mailbox's origin.

    The access log leaves the mailbox out, because its path is a secret.
    """

    def __init__(self, gateway: ASGIApp, mailbox: ASGIApp, mailbox_port: int) -> None:
        self._gateway = gateway
        self._mailbox = mailbox
        self._mailbox_port = mailbox_port

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # The port of the socket, not of the `Host` header, which a client may choose.
        _, port = scope.get("server") or ("", None)
        app = self._mailbox if port == self._mailbox_port else self._gateway
        await app(scope, receive, send)


async def _keep_state(context: Context) -> Rewind | None:
    if not context.settings.testing:
        return None
    rewind = Rewind(context)
    await rewind.keep()
    return rewind


def _mailbox_pages(context: Context, rewind: Rewind | None) -> ASGIApp:
    mailbox = Mailbox(context.settings.data_dir.mailbox)
    posts: dict[str, View] = {}
    if rewind is not None:
        posts = {
            REWIND_PATH: rewind_view(rewind),
            CLOCK_PATH: clock_view(rewind),
            PEOPLE_PATH: people_view(make_api(context)),
        }
    pages = mailbox_routes(mailbox, context.settings.mailbox_url(context.keys), posts)
    return RequestLimits(Starlette(routes=pages))


def _mount_realtime(context: Context, realtime: Forwarder, states: dict[str, ServiceHealth]) -> Mount:
    """Mount what forwards to Realtime. Websockets are handed over before they come here."""
    path = f"/{REALTIME}/v1"
    if REALTIME in context.settings.config.switched_off:
        states[REALTIME] = ServiceHealth.OFF
        return Mount(path, app=not_implemented(f"The {REALTIME} service is switched off in config.toml."))

    async def forward(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1011})
            return
        response = await realtime.forward(Request(scope, receive))
        await response(scope, receive, send)

    return Mount(path, app=forward)


async def _mount(
    service: Service, context: Context, stack: AsyncExitStack, states: dict[str, ServiceHealth]
) -> Mount:
    if service.name in context.settings.config.switched_off:
        states[service.name] = ServiceHealth.OFF
        app = not_implemented(f"The {service.name} service is switched off in config.toml.")
        return Mount(service.path, app=app)
    try:
        if service.lifespan is not None:
            await stack.enter_async_context(service.lifespan(context))
        routes = list(service.routes(context))
    except Exception:
        # A service that cannot start, for example because of a bad setting, must not stop the others.
        _log.exception("The %s service did not start", service.name)
        states[service.name] = ServiceHealth.FAILED
        app = not_implemented(f"The {service.name} service did not start; gateway.log says why.")
        return Mount(service.path, app=app)
    states[service.name] = ServiceHealth.OK
    # Routes, not an application of their own: errors that a service does not handle reach our handlers.
    return Mount(service.path, routes=routes)


async def _root(_: Request) -> Response:
    services = {service.name: service.path for service in SERVICES} | {REALTIME: f"/{REALTIME}/v1"}
    return JSONResponse({"message": "The embedded Supabase is running.", "services": services})


async def serve(process: Process) -> None:
    """Serve until SIGINT or SIGTERM.

    Arguments:
        process: the settings and sockets from the supervisor.

    Raises:
        LocalSupabaseError: the secrets cannot be read.
        OSError, asyncpg.PostgresError: Postgres cannot be reached.
    """
    settings = process.settings
    keys = load_keys(settings.data_dir)
    async with AsyncExitStack() as stack:
        database = await Database.open(settings, keys)
        stack.push_async_callback(database.close)
        context = Context(
            settings, keys, database, TokenVerifier(keys.jwt_secret), logging.getLogger("local_supabase")
        )
        giver = Giver(process.sockets["giving"])
        app = await build(context, stack, Forwarder(giver))
        is_off = REALTIME in settings.config.switched_off
        connections = Connections(
            ConnectionLimits.from_environment(), None if is_off else giver, f"/{REALTIME}/v1/", settings.port
        )
        _log.info("listening on %s", settings.url)
        listeners = [process.sockets["listener"], process.sockets["mailbox-listener"]]
        await serving.serve(app, process, connections, listeners)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the gateway on the listening sockets that it inherits from the supervisor.

    Arguments:
        arguments: the command line without the program's name; None takes the process's own.
    """
    names = ["listener", "mailbox-listener", "giving"]
    process = serving.inherited("local_supabase.gateway", names, arguments)
    # The event loop waits this long for a thread that parses a large body, many times in each request. With
    # Python's 5 ms, large CSV files made other requests take four times as long, and now twice as long.
    sys.setswitchinterval(_SWITCH_SECONDS)
    asyncio.run(serve(process))
    return 0


if __name__ == "__main__":
    sys.exit(main())
