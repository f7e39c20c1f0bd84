"""The server: the app and the API in one process, and a clean shutdown."""

from pathlib import Path

import httpx
from fastapi import FastAPI
from starlette.applications import Starlette

from api.app import mount_api
from local_supabase.stack.runtime import StackInfo
from tests.api.serving import UNLIMITED, calling, token_of
from tests.support.app import AppUnderTest
from tests.support.people import Person
from tests.support.wait import wait_for


def test_one_server_serves_the_app_the_api_and_its_documentation(server: AppUnderTest) -> None:
    with httpx.Client(base_url=server.url) as client:
        assert client.get("/_stcore/health").text == "ok"
        assert "<title>Tavern</title>" in client.get("/agents").text
        page = client.get("/api/docs").text
        # The page needs no other server, and all its files exist.
        assert "http" not in page.replace("https://github.com", "")
        for asset in ("swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png"):
            assert f"/api/docs/assets/{asset}" in page
            assert client.get(f"/api/docs/assets/{asset}").status_code == 200
        schema = client.get("/api/openapi.json").json()
    assert schema["servers"] == [{"url": "/api"}]
    scheme = schema["components"]["securitySchemes"]["accessToken"]
    assert (scheme["type"], scheme["scheme"], scheme["bearerFormat"]) == ("http", "bearer", "JWT")
    assert "valid for an hour" in scheme["description"]
    for path, operations in schema["paths"].items():
        for operation in operations.values():
            assert operation["summary"], path
            if path.startswith("/events"):
                assert "security" not in operation  # anybody may read them
                continue
            assert "401" in operation["responses"], path
            assert list(operation["responses"]["401"]["content"]) == ["application/problem+json"], path
    assert schema["components"]["schemas"]["RunRequest"]["properties"]["agent"]["enum"] == ["docs-checker"]


def test_a_stopped_server_marks_the_runs_it_aborts_as_failed(
    stack: StackInfo, ann: Person, tmp_path: Path
) -> None:
    environment = {"SUPABASE_URL": stack.url, "SUPABASE_KEY": stack.anon_key, **UNLIMITED}
    server = AppUnderTest(environment, tmp_path / "asgi.log")
    server.start()
    try:
        with calling(server.url, token_of(ann)) as client:
            body = {"agent": "docs-checker", "options": {"pace": 10}}
            run = client.post("/agents/run", json=body).raise_for_status().json()["run_id"]
            wait_for(
                lambda: client.get(f"/agents/runs/{run}").json()["status"] == "in_progress",
                what="the agent to be at work",
            )
    finally:
        server.stop()
    (row,) = ann.client.table("agent_runs").select("status, error").eq("id", run).execute().data
    assert row == {"status": "failed", "error": "The server was stopped before the run had ended."}
    assert server.tracebacks() == []


async def test_below_a_base_path_the_api_is_there_as_well() -> None:
    api = FastAPI()

    @api.get("/who")
    def who() -> str:
        return "the API"

    transport = httpx.ASGITransport(Starlette(routes=mount_api(api, "house")))
    async with httpx.AsyncClient(transport=transport, base_url="http://tavern.test") as client:
        answers = [(await client.get(path)).status_code for path in ("/api/who", "/house/api/who", "/who")]
    assert answers == [200, 200, 404]
    assert [mount.path for mount in mount_api(api)] == ["/api"]
