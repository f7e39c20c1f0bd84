"""Health, as load balancers ask for it: ready only while changes arrive here."""

import threading
from collections.abc import Callable

import httpx
import pytest
from fastapi import FastAPI

from api.agent_registry import AgentRegistry
from api.app import create_api
from api.backend import Backend
from api.settings import ApiSettings
from db.settings import SettingsError
from publish.background import Background
from tests.support.app import AppUnderTest
from tests.support.wait import wait_for


def api_of(open_backend: Callable[[], Backend]) -> FastAPI:
    return create_api(open_backend, ApiSettings.read({}), AgentRegistry([]), Background())


async def ask(api: FastAPI) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://tavern.test") as client:
        return await client.get("/health")


def test_a_process_becomes_ready_without_a_visitor(server: AppUnderTest) -> None:
    def is_ready() -> bool:
        return httpx.get(f"{server.url}/api/health").status_code == 200

    wait_for(is_ready, within=60, what="the process to be live")
    assert httpx.get(f"{server.url}/api/health").json() == {"status": "live"}
    assert httpx.head(f"{server.url}/api/health").status_code == 200


async def test_a_process_that_is_not_live_is_not_ready_and_tells_nothing_else(dark: Backend) -> None:
    answer = await ask(api_of(lambda: dark))
    assert (answer.status_code, answer.json()) == (503, {"status": "connecting"})
    assert answer.headers["retry-after"] == "2"
    assert answer.headers["cache-control"] == "no-store"


async def test_a_process_that_cannot_start_keeps_the_reason_to_itself() -> None:
    def fail() -> Backend:
        raise SettingsError("SUPABASE_URL is http://secret.example")

    answer = await ask(api_of(fail))
    assert (answer.status_code, answer.json()) == (503, {"status": "unavailable"})


async def test_who_asks_while_it_starts_is_answered_and_starts_it_once(
    dark: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.health._PATIENCE", 0.01)
    begun, release = [], threading.Event()

    def open_slowly() -> Backend:
        begun.append(1)
        release.wait(60)
        return dark

    api = api_of(open_slowly)
    states = [(await ask(api)).json()["status"] for _ in range(3)]
    release.set()
    assert (states, begun) == (["starting"] * 3, [1])


async def test_a_process_that_ends_is_not_ready(dark: Backend) -> None:
    api = api_of(lambda: dark)
    async with api.router.lifespan_context(api):
        pass
    answer = await ask(api)
    assert (answer.status_code, answer.json()) == (503, {"status": "stopping"})


async def test_a_signal_to_end_counts_before_the_end(dark: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sse_starlette.sse.AppStatus.should_exit", True)
    assert (await ask(api_of(lambda: dark))).json() == {"status": "stopping"}
