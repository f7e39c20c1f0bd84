"""The cache of verified tokens."""

import time
from collections.abc import Iterator

import pytest

from api.token_cache import LIFETIME, TokenCache
from db.clients import Clients
from db.errors import SignedOutError, UnreachableError
from db.settings import Settings
from livetables.auth.jwt import claims_of
from local_supabase.stack.runtime import StackInfo
from tests.api.serving import token_of
from tests.livetables.fault_proxy import FaultProxy, fault_proxy
from tests.support.people import Person


@pytest.fixture
def proxy(stack: StackInfo) -> Iterator[FaultProxy]:
    with fault_proxy(stack.url) as made:
        yield made


@pytest.fixture
def clients(proxy: FaultProxy, stack: StackInfo) -> Iterator[Clients]:
    clients = Clients(Settings(proxy.url, stack.anon_key))
    yield clients
    clients.close()


def test_the_owner_of_a_token_is_cached_for_a_minute(
    clients: Clients, proxy: FaultProxy, ann: Person
) -> None:
    now = [time.time()]
    cache = TokenCache(lambda: now[0])
    token = token_of(ann)
    assert cache.get(token) is None
    assert cache.verify(token, clients) == ann.user_id
    proxy.refuse()
    assert cache.get(token) == ann.user_id
    now[0] += LIFETIME + 1
    assert cache.get(token) is None
    with pytest.raises(UnreachableError):
        cache.verify(token, clients)


def test_a_token_is_not_cached_beyond_its_expiry(clients: Clients, ann: Person) -> None:
    now = [time.time()]
    cache = TokenCache(lambda: now[0])
    token = token_of(ann)
    ends = claims_of(token)["exp"]
    assert isinstance(ends, int)
    now[0] = ends - 5
    assert cache.verify(token, clients) == ann.user_id
    now[0] = ends + 1
    assert cache.get(token) is None


def test_malformed_tokens_are_refused_without_asking_supabase(clients: Clients, proxy: FaultProxy) -> None:
    before = proxy.requests
    for token in ("", "nonsense", "a.b", "ä.b.c", "a.b.c\r\nx: y", "a" * 9_000, "a.b.c"):
        with pytest.raises(SignedOutError):
            TokenCache().verify(token, clients)
    assert proxy.requests == before
