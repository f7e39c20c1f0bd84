"""A member who fuzzes, and their connection, which no traceback may follow."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from local_supabase.stack.runtime import StackInfo
from tests.security.fuzz.logs import without_tracebacks
from tests.support.people import Person, sign_up


@pytest.fixture(scope="module")
def person(stack: StackInfo) -> Person:
    return sign_up(stack, "Fuzzer")


@pytest.fixture(scope="module")
def http(stack: StackInfo, person: Person) -> Iterator[httpx.Client]:
    """Give a member's connection."""
    session = person.client.auth.get_session()
    assert session is not None
    authorized = {"apikey": stack.anon_key, "Authorization": f"Bearer {session.access_token}"}
    with (
        httpx.Client(base_url=stack.url, headers=authorized, timeout=60) as client,
        without_tracebacks(stack),
    ):
        yield client
