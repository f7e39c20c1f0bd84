"""The API on a real port: as the whole server in a process of its own, or alone in a thread of the test's."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import httpx
import uvicorn
from fastapi import FastAPI
from starlette.applications import Starlette

from api.app import create_api, mounted
from api.backend import Backend
from api.crew import Agent, Crew, Options
from api.settings import ApiSettings
from db.clients import Clients
from db.settings import Settings
from live.engine import Engine, EngineConfig
from publish.background import Background, Task, Work
from tests.support.people import Person
from tests.support.wait import wait_for

MANY = {"API_REQUESTS": "100000/minute", "API_RUNS": "100000/minute", "API_REFUSALS": "100000/minute"}
"""Rates that no test meets by chance."""


def token_of(person: Person) -> str:
    """Return the access token that the person signed in with."""
    session = person.client.auth.get_session()
    assert session is not None
    return session.access_token


@contextmanager
def calling(url: str, token: str | None = None) -> Iterator[httpx.Client]:
    """Give a client of the API at this address, as the owner of the token or as nobody."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=f"{url}/api", headers=headers, timeout=60) as client:
        yield client


class Patient:
    """An agent that goes on until it is let go, or told to stop; it tells the test how it is.

    While it is silent it writes nothing, and so cannot learn from the database that nobody wants it any more.
    """

    def __init__(self) -> None:
        self.silent = False
        self.at_work = threading.Semaphore(0)
        self.let_go = threading.Event()
        self.stopped = threading.Event()

    def work(self, task: Task) -> None:
        """Do it."""
        task.publisher.update_progress(task.run_id, "Waiting", 10)
        task.publisher.flush()
        self.at_work.release()

        def told() -> bool:
            if not self.silent:
                task.publisher.log(task.run_id, "Still waiting")
            return self.let_go.is_set() or task.over()

        wait_for(told, within=60, what="to be let go")
        if task.over():
            self.stopped.set()
            return
        task.publisher.complete_run(task.run_id, {"waited": True})

    def agent(self, name: str = "patient") -> Agent:
        """Return it as one of a crew."""

        def prepare(options: Mapping[str, object]) -> Work:
            Options.model_validate(options)
            return self.work

        return Agent(name, "Waits until it is let go.", Options, prepare)


@dataclass(frozen=True, slots=True)
class Served:
    """An API that runs in this process."""

    url: str
    app: FastAPI
    background: Background


@contextmanager
def served(
    supabase: str, key: str, *, agents: tuple[Agent, ...] = (), rates: dict[str, str] | None = None
) -> Iterator[Served]:
    """Serve the API over this Supabase, under /api as the whole server does."""
    clients = Clients(Settings(supabase, key))
    engine = Engine(EngineConfig(supabase, key), [])  # never started: nothing here asks it for anything
    background = Background()
    api = create_api(
        lambda: Backend(clients, engine), ApiSettings.read(rates or MANY), Crew(agents), background
    )

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with api.router.lifespan_context(api):
            yield

    outer = Starlette(routes=[mounted(api)], lifespan=lifespan)
    try:
        with _listening(outer) as url:
            yield Served(url, api, background)
    finally:
        engine.stop()
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
