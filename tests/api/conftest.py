"""The server under test, and two people who call it."""

from collections.abc import Iterator

import httpx
import pytest

from api.backend import Backend
from db.clients import Clients
from db.settings import Settings
from livetables.config import EngineConfig
from livetables.engine import Engine
from local_supabase.stack.runtime import StackInfo
from tests.api.serving import UNLIMITED, calling, token_of
from tests.support.app import AppUnderTest
from tests.support.people import Person, sign_up

METRICS = "a-token-for-metrics-of-tests"
_NOBODY = "http://127.0.0.1:9"  # nothing listens there


@pytest.fixture(scope="session")
def server(stack: StackInfo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppUnderTest]:
    """Serve the app and the API as `make run` does."""
    settings = {"SUPABASE_URL": stack.url, "SUPABASE_KEY": stack.anon_key}
    environment = {**settings, "TAVERN_METRICS_TOKEN": METRICS, **UNLIMITED}
    server = AppUnderTest(environment, tmp_path_factory.mktemp("asgi") / "asgi.log")
    server.start()
    yield server
    server.stop()
    assert server.tracebacks() == []


@pytest.fixture(scope="session")
def ann(stack: StackInfo) -> Person:
    """Sign up Ann."""
    return sign_up(stack, "Ann")


@pytest.fixture(scope="session")
def bob(stack: StackInfo) -> Person:
    """Sign up Bob."""
    return sign_up(stack, "Bob")


@pytest.fixture
def as_ann(server: AppUnderTest, ann: Person) -> Iterator[httpx.Client]:
    """Call the server as Ann."""
    with calling(server.url, token_of(ann)) as client:
        yield client


@pytest.fixture
def as_bob(server: AppUnderTest, bob: Person) -> Iterator[httpx.Client]:
    """Call the server as Bob."""
    with calling(server.url, token_of(bob)) as client:
        yield client


@pytest.fixture
def as_nobody(server: AppUnderTest) -> Iterator[httpx.Client]:
    """Call the server without a token."""
    with calling(server.url) as client:
        yield client


@pytest.fixture
def dark() -> Iterator[Backend]:
    """Give a backend whose engine has not started, so that it is not live."""
    engine, clients = Engine(EngineConfig(_NOBODY, "key"), []), Clients(Settings(_NOBODY, "key"))
    yield Backend(clients, engine)
    engine.stop()
    clients.close()
