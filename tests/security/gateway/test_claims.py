"""Tokens with a valid signature whose claims have the wrong types."""

import json
from http.client import HTTPConnection
from urllib.parse import urlsplit

import httpx
import jwt
import pytest

from local_supabase.keys import load_keys
from local_supabase.stack.datadir import DataDir
from local_supabase.stack.runtime import StackInfo


def signed(stack: StackInfo, claims: dict[str, object]) -> str:
    return jwt.encode(claims, load_keys(DataDir(stack.data_dir)).jwt_secret, algorithm="HS256")


def read(stack: StackInfo, authorization: str) -> httpx.Response:
    headers = {"apikey": stack.anon_key, "Authorization": authorization}
    return httpx.get(f"{stack.url}/rest/v1/users", params={"limit": 1}, headers=headers)


@pytest.mark.parametrize(
    "claims",
    [
        {"iat": "yesterday"},
        {"iat": "1700000000"},
        {"iat": {"at": 1}},
        {"nbf": "1700000000"},
        {"nbf": [1700000000]},
        {"nbf": True},
        {"exp": "4102444800"},
        {"aud": {"is": "authenticated"}},
        {"aud": ["authenticated", {"is": "authenticated"}]},
        {"aud": 5},
    ],
    ids=json.dumps,
)
def test_claims_of_wrong_types_are_refused(stack: StackInfo, claims: dict[str, object]) -> None:
    token = signed(stack, {"role": "anon", "exp": 4102444800, **claims})
    response = read(stack, f"Bearer {token}")
    assert (response.status_code, response.json()["code"]) == (401, "PGRST303")


def test_claims_of_the_right_types_are_accepted(stack: StackInfo) -> None:
    claims = {"role": "anon", "exp": 4102444800.5, "iat": 1.5, "nbf": 1, "aud": ["one", "two"]}
    assert read(stack, f"Bearer {signed(stack, claims)}").status_code == 200


@pytest.mark.parametrize("authorization", ["Bearer ", "Bearer", "bearer   "])
def test_an_empty_bearer_token_does_not_act_with_the_keys_rights(
    stack: StackInfo, authorization: str
) -> None:
    # httpx refuses to send a header value that ends with a blank.
    connection = HTTPConnection(urlsplit(stack.url).netloc, timeout=30)
    headers = {"apikey": stack.anon_key, "Authorization": authorization}
    connection.request("GET", "/rest/v1/users?limit=1", headers=headers)
    response = connection.getresponse()
    body = json.loads(response.read())
    connection.close()
    assert (response.status, body["code"]) == (401, "PGRST301")
