"""Only people with a token that Supabase accepts may call."""

import base64
import time
from collections.abc import Iterator

import httpx
import jwt
import pytest

from livetables.auth.jwt import claims_of
from local_supabase.stack.runtime import StackInfo
from tests.api.serving import calling, served, token_of
from tests.livetables.fault_proxy import FaultProxy, fault_proxy
from tests.support.app import AppUnderTest
from tests.support.people import Person, sign_up


@pytest.fixture
def proxy(stack: StackInfo) -> Iterator[FaultProxy]:
    with fault_proxy(stack.url) as made:
        yield made


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
def test_without_a_valid_token_every_route_answers_401(as_nobody: httpx.Client, header: str) -> None:
    for method, path in (("GET", "/agents/runs"), ("POST", "/agents/run"), ("GET", "/agents")):
        answer = as_nobody.request(method, path, headers={"Authorization": header} if header else {})
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["www-authenticate"].startswith('Bearer realm="Tavern"')
        assert answer.json()["title"] == "Unauthorized"


def test_keys_and_forged_or_expired_tokens_are_refused(
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


def test_the_token_of_a_deleted_account_is_refused(stack: StackInfo, server: AppUnderTest) -> None:
    gone = sign_up(stack, "Gone")
    headers = {"apikey": stack.service_key, "Authorization": f"Bearer {stack.service_key}"}
    deleted = httpx.delete(f"{stack.url}/auth/v1/admin/users/{gone.user_id}", headers=headers)
    assert deleted.status_code == 200
    with calling(server.url, token_of(gone)) as client:
        assert client.get("/agents/runs").status_code == 401


def test_while_the_database_is_unreachable_the_api_answers_503(
    proxy: FaultProxy, stack: StackInfo, ann: Person
) -> None:
    with served(proxy.url, stack.anon_key) as api, calling(api.url, token_of(ann)) as client:
        assert client.get("/agents/runs").status_code == 200
        proxy.refuse()
        for method, path in (("GET", "/agents/runs"), ("POST", f"/agents/runs/{ann.user_id}/cancel")):
            answer = client.request(method, path)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
            assert answer.json()["detail"].startswith("Tavern can't reach its database now.")
        with calling(api.url, forged(ann)) as stranger:
            # Nobody can verify the token now, so it is not refused as invalid.
            assert stranger.get("/agents/runs").status_code == 503
        proxy.accept()
        assert client.get("/agents/runs").status_code == 200
