"""The server under test, and two people who call it."""

from collections.abc import Iterator

import httpx
import pytest

from local_supabase.stack.runtime import StackInfo
from tests.api.serving import UNLIMITED, calling, token_of
from tests.support.app import AppUnderTest
from tests.support.people import Person, sign_up


@pytest.fixture(scope="session")
def server(stack: StackInfo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppUnderTest]:
    """Serve the app and the API as `make run` does."""
    environment = {"SUPABASE_URL": stack.url, "SUPABASE_KEY": stack.anon_key, **UNLIMITED}
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
