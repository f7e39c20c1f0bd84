"""Sign-ins against the real stack."""

import uuid
from collections.abc import Callable, Iterator

import pytest

from db.auth import Accounts, SignedIn
from db.clients import Clients
from db.settings import Settings
from local_supabase.runtime import StackInfo

SignUp = Callable[[str], SignedIn]
PASSWORD = "a-long-test-password"


@pytest.fixture
def settings(stack: StackInfo) -> Settings:
    return Settings(stack.url, stack.anon_key)


@pytest.fixture
def clients(settings: Settings) -> Iterator[Clients]:
    opened = Clients(settings)
    yield opened
    opened.close()


@pytest.fixture
def accounts(clients: Clients) -> Iterator[Accounts]:
    opened = Accounts(clients)
    yield opened
    opened.close()


@pytest.fixture
def sign_up(accounts: Accounts) -> SignUp:
    """Give a way to make people with addresses that nobody else has."""

    def make(name: str) -> SignedIn:
        me = accounts.sign_up(f"{name.lower()}-{uuid.uuid4().hex}@tavern.test", PASSWORD, name)
        assert isinstance(me, SignedIn)
        return me

    return make
