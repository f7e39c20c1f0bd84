"""Sign-ins against the real stack."""

import uuid
from collections.abc import Callable, Iterator

import httpx
import pytest

from db.auth.accounts import Accounts, SignedIn
from db.clients import Clients
from db.settings import Settings
from local_supabase.stack.runtime import StackInfo
from tests.db.transports import LosesAnswers, LosesFirstAnswers

SignUp = Callable[[str], SignedIn]
SignUpOver = Callable[[str, httpx.BaseTransport], SignedIn]

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
    """Give a function that creates accounts with addresses that nobody else has."""

    def make(name: str) -> SignedIn:
        me = accounts.sign_up(f"{name.lower()}-{uuid.uuid4().hex}@tavern.test", PASSWORD, name)
        assert isinstance(me, SignedIn)
        return me

    return make


@pytest.fixture
def sign_up_over(settings: Settings, sign_up: SignUp) -> Iterator[SignUpOver]:
    """Give a function that creates an account and signs it in over a network with faults."""
    opened: list[tuple[Accounts, Clients]] = []

    def make(name: str, transport: httpx.BaseTransport) -> SignedIn:
        clients = Clients(settings, transport)
        accounts = Accounts(clients)
        opened.append((accounts, clients))
        return accounts.sign_in(sign_up(name).email, PASSWORD)

    yield make
    for accounts, clients in opened:
        accounts.close()
        clients.close()


@pytest.fixture
def lossy(sign_up_over: SignUpOver) -> SignedIn:
    """Give a person for whom the answer to every write is lost."""
    return sign_up_over("Lost", LosesAnswers())


@pytest.fixture
def lossy_once(sign_up_over: SignUpOver) -> SignedIn:
    """Give a person for whom the answer to every write is lost the first time."""
    return sign_up_over("Manager", LosesFirstAnswers())
