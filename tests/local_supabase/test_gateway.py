import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest
import websockets

from local_supabase.runtime import StackInfo
from tests.local_supabase.launch import launched, make_project


def test_an_unknown_path_is_refused_in_the_words_of_the_hosted_gateway(stack: StackInfo) -> None:
    answer = httpx.get(f"{stack.url}/nothing/here")
    assert answer.status_code == 404
    assert answer.json() == {"error": "requested path is invalid"}


@pytest.mark.parametrize("path", ["/rest/v1/anything", "/rest/v1/", "/auth/v1/user", "/graphql/v1"])
def test_a_request_without_a_key_is_refused(stack: StackInfo, path: str) -> None:
    answer = httpx.get(f"{stack.url}{path}")
    assert answer.status_code == 401
    assert answer.json() == {
        "message": "No API key found in request",
        "hint": "No `apikey` request header or url param was found.",
    }


def test_a_request_with_a_wrong_key_is_refused(stack: StackInfo) -> None:
    answer = httpx.get(f"{stack.url}/rest/v1/users", headers={"apikey": "wrong"})
    assert answer.status_code == 401
    assert answer.json()["message"] == "Invalid API key"


def test_the_key_may_come_in_the_query(stack: StackInfo) -> None:
    answer = httpx.get(f"{stack.url}/rest/v1/users", params={"apikey": stack.anon_key, "limit": 1})
    assert answer.status_code != 401


def test_a_preflight_of_a_browser_is_answered_without_a_key(stack: StackInfo) -> None:
    asked = {
        "Origin": "http://localhost:8501",
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "apikey,authorization,x-client-info",
    }
    answer = httpx.options(f"{stack.url}/rest/v1/users", headers=asked)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "PATCH" in answer.headers["access-control-allow-methods"]
    assert answer.headers["access-control-allow-headers"] == asked["Access-Control-Request-Headers"]


def test_a_browser_may_read_refusals_too(stack: StackInfo) -> None:
    answer = httpx.get(f"{stack.url}/rest/v1/users", headers={"Origin": "http://localhost:8501"})
    assert answer.status_code == 401
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "Content-Range" in answer.headers["access-control-expose-headers"]


def test_a_service_that_is_not_there_says_so(stack: StackInfo) -> None:
    answer = httpx.post(f"{stack.url}/graphql/v1", headers={"apikey": stack.anon_key}, follow_redirects=True)
    assert answer.status_code == 501
    assert answer.json() == {
        "code": "not_implemented",
        "message": "The embedded Supabase has no graphql service.",
    }


def test_health_names_every_service(stack: StackInfo) -> None:
    answer = httpx.get(f"{stack.url}/health").json()
    assert answer["status"] == "ok"
    assert set(answer["services"]) >= {"database", "rest", "auth", "realtime"}
    assert set(answer["services"].values()) == {"ok"}


def test_a_service_with_a_bad_setting_fails_alone(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project")
    (project / "config.toml").write_text("[auth]\njwt_expiry = 'soon'\n")
    with launched(project, tmp_path / "data") as stack:
        url = stack.value("SUPABASE_URL")
        services = httpx.get(f"{url}/health").json()["services"]
        assert (services["auth"], services["rest"]) == ("did not start", "ok")
        answer = httpx.get(f"{url}/auth/v1/settings", headers={"apikey": stack.value("SUPABASE_KEY")})
        assert answer.status_code == 501
        assert "gateway.log says why" in answer.json()["message"]
        assert "jwt_expiry" in (stack.data_dir.logs / "gateway.log").read_text()


@pytest.mark.parametrize(
    "path", ["/%00", "/rest/v1/%ff", "/../../etc/passwd", "/rest/v1/" + "x" * 8000, "//", "/%"]
)
def test_strange_paths_get_a_clean_refusal(stack: StackInfo, path: str) -> None:
    answer = httpx.get(f"{stack.url}{path}", headers={"apikey": stack.anon_key})
    assert 400 <= answer.status_code < 500


async def test_two_hundred_requests_at_once_are_all_answered(stack: StackInfo) -> None:
    async with httpx.AsyncClient(limits=httpx.Limits(max_connections=200), timeout=60) as client:
        headers = {"apikey": stack.anon_key}
        answers = await asyncio.gather(
            *(client.get(f"{stack.url}/rest/v1/users?limit=1", headers=headers) for _ in range(200))
        )
    assert {answer.status_code for answer in answers} == {200}


async def test_five_hundred_sockets_are_open_at_once(stack: StackInfo) -> None:
    url = stack.url.replace("http", "ws") + f"/realtime/v1/websocket?apikey={stack.anon_key}&vsn=1.0.0"
    heartbeat = '{"topic":"phoenix","event":"heartbeat","payload":{},"ref":"1"}'
    async with AsyncExitStack() as sockets:
        opened = [await sockets.enter_async_context(websockets.connect(url)) for _ in range(500)]
        for socket in opened:
            await socket.send(heartbeat)
        replies = await asyncio.gather(*(socket.recv() for socket in opened))
    assert len(replies) == 500
    assert all("phx_reply" in str(reply) for reply in replies)
