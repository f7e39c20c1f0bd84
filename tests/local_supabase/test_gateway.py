import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest
import websockets

from local_supabase.stack.runtime import StackInfo
from tests.local_supabase.launch import launched, make_project


def test_an_unknown_path_gets_the_hosted_gateways_error(stack: StackInfo) -> None:
    response = httpx.get(f"{stack.url}/nothing/here")
    assert response.status_code == 404
    assert response.json() == {"error": "requested path is invalid"}


def test_graphql_is_refused_as_not_implemented(stack: StackInfo) -> None:
    response = httpx.post(
        f"{stack.url}/graphql/v1", headers={"apikey": stack.anon_key}, follow_redirects=True
    )
    assert response.status_code == 501
    assert response.json() == {
        "code": "not_implemented",
        "message": "The embedded Supabase has no graphql service.",
    }


def test_health_names_every_service(stack: StackInfo) -> None:
    response = httpx.get(f"{stack.url}/health").json()
    assert response["status"] == "ok"
    assert set(response["services"]) >= {"database", "rest", "auth", "realtime"}
    assert set(response["services"].values()) == {"ok"}


def test_a_service_with_a_bad_setting_fails_alone(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project")
    (project / "config.toml").write_text("[auth]\njwt_expiry = 'soon'\n")
    environment = {"SUPABASE_REALTIME_IDLE_SECONDS": "soon"}
    with launched(project, tmp_path / "data", environment=environment) as stack:
        url = stack.value("SUPABASE_URL")
        services = httpx.get(f"{url}/health").json()["services"]
        assert (services["auth"], services["rest"]) == ("did not start", "ok")
        response = httpx.get(f"{url}/auth/v1/settings", headers={"apikey": stack.value("SUPABASE_KEY")})
        assert response.status_code == 501
        assert "gateway.log says why" in response.json()["message"]
        assert "jwt_expiry" in (stack.data_dir.logs / "gateway.log").read_text()
        assert services["realtime"] == "did not start"
        response = httpx.post(f"{url}/realtime/v1/api/broadcast")
        assert response.status_code == 501
        assert "realtime.log says why" in response.json()["message"]


@pytest.mark.parametrize(
    "path", ["/%00", "/rest/v1/%ff", "/../../etc/passwd", "/rest/v1/" + "x" * 8000, "//", "/%"]
)
def test_malformed_paths_get_an_error_response(stack: StackInfo, path: str) -> None:
    response = httpx.get(f"{stack.url}{path}", headers={"apikey": stack.anon_key})
    assert 400 <= response.status_code < 500


async def test_two_hundred_concurrent_requests_all_get_a_response(stack: StackInfo) -> None:
    async with httpx.AsyncClient(limits=httpx.Limits(max_connections=200), timeout=60) as client:
        headers = {"apikey": stack.anon_key}
        responses = await asyncio.gather(
            *(client.get(f"{stack.url}/rest/v1/users?limit=1", headers=headers) for _ in range(200))
        )
    assert {response.status_code for response in responses} == {200}


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
