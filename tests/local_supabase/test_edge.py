import httpx
import pytest

from local_supabase import StackInfo


@pytest.mark.parametrize("path", ["/rest/v1/anything", "/rest/v1/", "/auth/v1/user", "/graphql/v1"])
def test_a_request_without_a_key_is_refused(stack: StackInfo, path: str) -> None:
    response = httpx.get(f"{stack.url}{path}")
    assert response.status_code == 401
    assert response.json() == {
        "message": "No API key found in request",
        "hint": "No `apikey` request header or url param was found.",
    }


def test_a_request_with_a_wrong_key_is_refused(stack: StackInfo) -> None:
    response = httpx.get(f"{stack.url}/rest/v1/users", headers={"apikey": "wrong"})
    assert response.status_code == 401
    assert response.json()["message"] == "Invalid API key"


def test_the_key_may_be_in_the_query(stack: StackInfo) -> None:
    response = httpx.get(f"{stack.url}/rest/v1/users", params={"apikey": stack.anon_key, "limit": 1})
    assert response.status_code != 401


def test_a_preflight_request_needs_no_key(stack: StackInfo) -> None:
    requested = {
        "Origin": "http://localhost:8501",
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "apikey,authorization,x-client-info",
    }
    response = httpx.options(f"{stack.url}/rest/v1/users", headers=requested)
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == "*"
    assert "PATCH" in response.headers["access-control-allow-methods"]
    assert response.headers["access-control-allow-headers"] == requested["Access-Control-Request-Headers"]


def test_a_browser_may_read_error_responses(stack: StackInfo) -> None:
    response = httpx.get(f"{stack.url}/rest/v1/users", headers={"Origin": "http://localhost:8501"})
    assert response.status_code == 401
    assert response.headers["access-control-allow-origin"] == "*"
    assert "Content-Range" in response.headers["access-control-expose-headers"]
