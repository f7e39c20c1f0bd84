"""The whole server: the app and the API in one process, which ends in good order."""

from pathlib import Path

import httpx

from local_supabase.runtime import StackInfo
from tests.api.serving import MANY, calling, token_of
from tests.support.app import AppUnderTest
from tests.support.people import Person
from tests.support.wait import wait_for


def test_the_app_and_the_description_of_the_api_are_beside_each_other(server: AppUnderTest) -> None:
    with httpx.Client(base_url=server.url) as client:
        assert client.get("/_stcore/health").text == "ok"
        assert "<title>Streamlit</title>" in client.get("/agents").text
        page = client.get("/api/docs").text
        # Nothing comes from elsewhere, and everything is there.
        assert "http" not in page.replace("https://github.com", "")
        for asset in ("swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png"):
            assert f"/api/docs/assets/{asset}" in page
            assert client.get(f"/api/docs/assets/{asset}").status_code == 200
        described = client.get("/api/openapi.json").json()
    assert described["servers"] == [{"url": "/api"}]
    scheme = described["components"]["securitySchemes"]["accessToken"]
    assert (scheme["type"], scheme["scheme"], scheme["bearerFormat"]) == ("http", "bearer", "JWT")
    assert "good for an hour" in scheme["description"]
    for path, operations in described["paths"].items():
        for operation in operations.values():
            assert operation["summary"], path
            assert "401" in operation["responses"], path
            assert list(operation["responses"]["401"]["content"]) == ["application/problem+json"], path
    assert described["components"]["schemas"]["RunRequest"]["properties"]["agent"]["enum"] == ["docs-checker"]


def test_a_server_that_is_stopped_says_so_of_the_runs_it_breaks_off(
    stack: StackInfo, ann: Person, tmp_path: Path
) -> None:
    environment = {"SUPABASE_URL": stack.url, "SUPABASE_KEY": stack.anon_key, **MANY}
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
