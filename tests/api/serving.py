"""The API on a real port, in a thread of the test process, and a client for it."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import httpx
import uvicorn
from fastapi import FastAPI
from starlette.applications import Starlette

from api.agent_registry import Agent, AgentRegistry, Options
from api.app import create_api, mount_api
from api.backend import Backend
from api.settings import ApiSettings
from db.clients import Clients
from db.settings import Settings
from livetables.config import EngineConfig
from livetables.engine import Engine
from publish.background import Background, Task, Work
from tests.support.people import Person
from tests.support.wait import wait_for

UNLIMITED = {"API_REQUESTS": "100000/minute", "API_RUNS": "100000/minute", "API_REFUSALS": "100000/minute"}
"""Rates that no test exceeds by chance."""


def token_of(person: Person) -> str:
    """Return the access token that the person signed in with."""
    session = person.client.auth.get_session()
    assert session is not None
    return session.access_token


@contextmanager
def calling(url: str, token: str | None = None) -> Iterator[httpx.Client]:
    """Open a client of the API at this address, for the owner of the token or for nobody."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=f"{url}/api", headers=headers, timeout=60) as client:
        yield client


class WaitingAgent:
    """An agent that works until the test releases it, or it has to stop.

    While it is silent it writes nothing. So it cannot learn from the database that its run was cancelled.
    """

    def __init__(self) -> None:
        self.silent = False
        self.at_work = threading.Semaphore(0)
        self.released = threading.Event()
        self.stopped = threading.Event()

    def work(self, task: Task) -> None:
        """Work on a run."""
        task.publisher.update_progress(task.run_id, "Waiting", 10)
        task.publisher.flush()
        self.at_work.release()

        def may_end() -> bool:
            if not self.silent:
                task.publisher.log(task.run_id, "Still waiting")
            return self.released.is_set() or task.should_stop()

        wait_for(may_end, within=60, what="the release")
        if task.should_stop():
            self.stopped.set()
            return
        task.publisher.complete_run(task.run_id, {"waited": True})

    def agent(self, name: str = "waiting") -> Agent:
        """Return it as the registry takes it."""

        def prepare(options: Mapping[str, object]) -> Work:
            Options.model_validate(options)
            return self.work

        return Agent(name, "Waits until it is released.", Options, prepare)


@dataclass(frozen=True, slots=True)
class Served:
    """An API that runs in the test process."""

    url: str
    app: FastAPI
    background: Background


@contextmanager
def served(
    supabase: str,
    key: str,
    *,
    agents: tuple[Agent, ...] = (),
    rates: dict[str, str] | None = None,
    engine: Engine | None = None,
) -> Iterator[Served]:
    """Serve the API over this Supabase, under /api as the real server does.

    Without an `engine` the API gets one that never starts: only streams need its tables.
    """
    clients = Clients(Settings(supabase, key))
    own_engine = Engine(EngineConfig(supabase, key), [])
    background = Background()
    api = create_api(
        lambda: Backend(clients, engine or own_engine),
        ApiSettings.read(rates or UNLIMITED),
        AgentRegistry(agents),
        background,
    )

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with api.router.lifespan_context(api):
            yield

    outer = Starlette(routes=mount_api(api), lifespan=lifespan)
    try:
        with _listening(outer) as url:
            yield Served(url, api, background)
    finally:
        own_engine.stop()
        clients.close()


@contextmanager
def _listening(app: Starlette) -> Iterator[str]:
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run, name="api under test")
    thread.start()
    try:
        wait_for(lambda: server.started, what="the API to listen")
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()
