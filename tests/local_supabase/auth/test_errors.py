import pytest

from tests.local_supabase.auth.conftest import Auth

VERSION = "X-Supabase-Api-Version"


async def test_a_client_of_2024_gets_coded_errors_and_its_version_back(auth: Auth) -> None:
    answer = await auth.http.get("/user", headers={VERSION: "2024-01-01"})
    assert answer.headers[VERSION] == "2024-01-01"
    assert answer.headers["x-sb-error-code"] == "no_authorization"
    assert answer.json() == {
        "code": "no_authorization",
        "message": "This endpoint requires a Bearer token",
    }


@pytest.mark.parametrize("version", [None, "", "2023-12-31", "today", "2024-13-01"])
async def test_an_older_client_gets_the_older_form(auth: Auth, version: str | None) -> None:
    headers = {} if version is None else {VERSION: version}
    answer = await auth.http.get("/user", headers=headers)
    assert VERSION not in answer.headers
    assert answer.json() == {
        "code": 401,
        "error_code": "no_authorization",
        "msg": "This endpoint requires a Bearer token",
    }


async def test_a_weak_password_comes_with_reasons_in_both_forms(auth: Auth) -> None:
    body = {"email": "a@x.example", "password": "x"}
    for headers in ({}, {VERSION: "2024-01-01"}):
        answer = await auth.http.post("/signup", json=body, headers=headers)
        assert answer.status_code == 422
        assert answer.json()["weak_password"] == {"reasons": ["length"]}


async def test_a_body_beyond_a_megabyte_is_refused(auth: Auth) -> None:
    answer = await auth.http.post("/signup", content=b" " * (1024 * 1024 + 1))
    assert answer.status_code == 413
