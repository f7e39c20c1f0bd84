"""Who may call: people whose token Supabase vouches for, and nobody else."""

import base64
import time
from collections.abc import Iterator

import httpx
import jwt
import pytest

from api.gate import REMEMBERED, Gate
from db.clients import Clients
from db.errors import SignedOut, Unreachable
from db.settings import Settings
from db.tokens import claims_of
from local_supabase.runtime import StackInfo
from tests.api.serving import calling, served, token_of
from tests.live.fault_proxy import FaultProxy, fault_proxy
from tests.support.app import AppUnderTest
from tests.support.people import Person, sign_up


@pytest.fixture
def passage(stack: StackInfo) -> Iterator[FaultProxy]:
    with fault_proxy(stack.url) as proxy:
        yield proxy


@pytest.fixture
def clients(passage: FaultProxy, stack: StackInfo) -> Iterator[Clients]:
    clients = Clients(Settings(passage.url, stack.anon_key))
    yield clients
    clients.close()


def unsigned(claims: str) -> str:
    return f"e30.{base64.urlsafe_b64encode(claims.encode()).decode().rstrip('=')}.x"


def forged(person: Person, **claims: object) -> str:
    return jwt.encode({**claims_of(token_of(person)), **claims}, "x" * 40, algorithm="HS256")


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Basic YTpi", "Bearer nonsense", "Bearer a.b.c", "Bearer " + "a" * 9_000]
    + [f"Bearer {unsigned(claims)}" for claims in ("[" * 4_000, f'{{"exp": 1{"0" * 400}}}', '{"exp": NaN}')],
    ids=lambda header: header[:25],
)
def test_without_a_token_that_counts_nothing_is_done(as_nobody: httpx.Client, header: str) -> None:
    for method, path in (("GET", "/agents/runs"), ("POST", "/agents/run"), ("GET", "/agents")):
        answer = as_nobody.request(method, path, headers={"Authorization": header} if header else {})
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["www-authenticate"].startswith('Bearer realm="Tavern"')
        assert answer.json()["title"] == "Unauthorized"


def test_neither_keys_nor_forged_nor_old_tokens_count(
    server: AppUnderTest, stack: StackInfo, ann: Person
) -> None:
    tokens = [
        stack.anon_key,
        stack.service_key,
        forged(ann),
        forged(ann, role="service_role"),
        forged(ann, exp=int(time.time()) - 3600),
        token_of(ann)[:-3] + "abc",
        jwt.encode(claims_of(token_of(ann)), "", algorithm="none"),
    ]
    for token in tokens:
        with calling(server.url, token) as client:
            assert client.get("/agents/runs").status_code == 401, claims_of(token)


def test_an_account_that_was_deleted_does_not_call(stack: StackInfo, server: AppUnderTest) -> None:
    gone = sign_up(stack, "Gone")
    headers = {"apikey": stack.service_key, "Authorization": f"Bearer {stack.service_key}"}
    deleted = httpx.delete(f"{stack.url}/auth/v1/admin/users/{gone.user_id}", headers=headers)
    assert deleted.status_code == 200
    with calling(server.url, token_of(gone)) as client:
        assert client.get("/agents/runs").status_code == 401


def test_the_answer_about_a_token_is_remembered_for_a_while(
    clients: Clients, passage: FaultProxy, ann: Person
) -> None:
    now = [time.time()]
    gate = Gate(lambda: now[0])
    token = token_of(ann)
    assert gate.known(token) is None
    assert gate.user_of(token, clients) == ann.user_id
    passage.refuse()
    assert gate.known(token) == ann.user_id
    now[0] += REMEMBERED + 1
    assert gate.known(token) is None
    with pytest.raises(Unreachable):
        gate.user_of(token, clients)


def test_a_token_is_not_remembered_beyond_its_own_end(clients: Clients, ann: Person) -> None:
    now = [time.time()]
    gate = Gate(lambda: now[0])
    token = token_of(ann)
    ends = claims_of(token)["exp"]
    assert isinstance(ends, int)
    now[0] = ends - 5
    assert gate.user_of(token, clients) == ann.user_id
    now[0] = ends + 1
    assert gate.known(token) is None


def test_what_cannot_be_a_token_is_not_even_asked_about(clients: Clients, passage: FaultProxy) -> None:
    before = passage.requests
    for token in ("", "nonsense", "a.b", "ä.b.c", "a.b.c\r\nx: y", "a" * 9_000, "a.b.c"):
        with pytest.raises(SignedOut):
            Gate().user_of(token, clients)
    assert passage.requests == before


def test_while_the_database_is_away_the_api_says_so(
    passage: FaultProxy, stack: StackInfo, ann: Person
) -> None:
    with served(passage.url, stack.anon_key) as api, calling(api.url, token_of(ann)) as client:
        assert client.get("/agents/runs").status_code == 200
        passage.refuse()
        for method, path in (("GET", "/agents/runs"), ("POST", f"/agents/runs/{ann.user_id}/cancel")):
            answer = client.request(method, path)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
            assert answer.json()["detail"].startswith("Tavern can't reach its database now.")
        with calling(api.url, forged(ann)) as stranger:
            # Nobody can say whose token it is: that is no reason to call it a wrong one.
            assert stranger.get("/agents/runs").status_code == 503
        passage.accept()
        assert client.get("/agents/runs").status_code == 200
