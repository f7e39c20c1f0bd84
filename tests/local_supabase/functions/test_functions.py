"""Functions in the real Deno, called through the gateway by the real clients."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil
import pytest
from supabase import ClientOptions, create_client

from local_supabase.stack.runtime import StackInfo
from tests.support.stack import running_stack
from tests.support.wait import wait_for

ECHO = """
Deno.serve(async (request) => {
  const url = new URL(request.url);
  const body = await request.text();
  const headers = new Headers({ "content-type": "application/json" });
  headers.append("set-cookie", "a=1");
  headers.append("set-cookie", "b=2");
  return new Response(JSON.stringify({
    method: request.method, path: url.pathname, query: url.search, body,
    names: Object.keys(Deno.env.toObject()), secret: Deno.env.get("GREETING"),
    url: Deno.env.get("SUPABASE_URL"), authorization: request.headers.get("authorization"),
  }), { status: 201, headers });
});
"""
FILES = {
    "echo/index.ts": ECHO,
    "exported/index.ts": "export default { fetch: () => new Response('exported') };",
    "broken/index.ts": "this is not TypeScript",
    "throws/index.ts": "Deno.serve(() => { throw new Error('no'); });",
    "exits/index.ts": "Deno.serve(() => { globalThis.fail(); }); globalThis.fail = () => Deno.exit(3);",
    "greedy/index.ts": (
        "Deno.serve(() => { const all = []; for (;;) all.push(new Array(1e6).fill(Math.random())); });"
    ),
    "nosy/index.ts": """Deno.serve(async () => {
      const tries = { passwd: () => Deno.readTextFile("/etc/passwd"),
        write: () => Deno.writeTextFile("x", "x"), run: () => new Deno.Command("/bin/ls").output() };
      const out = {};
      for (const [name, attempt] of Object.entries(tries)) {
        try { await attempt(); out[name] = "allowed"; } catch (error) { out[name] = error.name; }
      }
      return Response.json(out);
    });""",
    "endless/index.ts": (
        "Deno.serve((request) => { while (request.method === 'PUT'); return new Response('back'); });"
    ),
    "passing/index.ts": "Deno.serve((request) => new Response(request.body));",
    "refusing/index.ts": "Deno.serve(() => new Response('no', { status: 403 }));",
    "url/index.ts": "Deno.serve((request) => new Response(new URL('/next', request.url).href));",
    "node/index.ts": (
        "import http from 'node:http'; "
        "http.createServer((request, response) => response.end('node ' + request.url)).listen(8000);"
    ),
    "open/index.ts": "Deno.serve((request) => new Response('open to ' + request.method));",
    "off/index.ts": "Deno.serve(() => new Response('off'));",
    "_shared/greeting.ts": "export const greeting = 'shared';",
    "sharing/index.ts": (
        "import { greeting } from '../_shared/greeting.ts'; Deno.serve(() => new Response(greeting));"
    ),
    ".env": "GREETING='hello there'\nSUPABASE_URL=http://forged\n",
}
CONFIG = """
project_id = "functions"
[functions.open]
verify_jwt = false
[functions.off]
enabled = false
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("functions") / "supabase"
    for name, text in FILES.items():
        path = root / "functions" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (root / "migrations").mkdir()
    (root / "config.toml").write_text(CONFIG)
    return root


@pytest.fixture(scope="module")
def stack(project: Path) -> Iterator[StackInfo]:
    with running_stack(project.parent / "data", project) as info:
        yield info


@pytest.fixture
def client(stack: StackInfo) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {stack.anon_key}"}
    with httpx.Client(base_url=f"{stack.url}/functions/v1/", headers=headers, timeout=60) as client:
        yield client


def test_supabase_py_invokes_a_function_and_gets_its_answer(stack: StackInfo) -> None:
    with httpx.Client(timeout=60) as http:
        client = create_client(stack.url, stack.anon_key, ClientOptions(httpx_client=http))
        answer = client.functions.invoke("echo", {"body": {"a": 1}})
    assert isinstance(answer, bytes)
    assert json.loads(json.loads(answer)["body"]) == {"a": 1}


def test_the_call_arrives_whole(client: httpx.Client, stack: StackInfo) -> None:
    answer = client.put("echo/deeper/in%2Fside?q=1&q=2", content=b"text")
    assert answer.status_code == 201
    assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]
    seen = answer.json()
    assert (seen["method"], seen["path"], seen["query"], seen["body"]) == (
        "PUT", "/echo/deeper/in%2Fside", "?q=1&q=2", "text",
    )  # fmt: skip
    assert seen["authorization"] == f"Bearer {stack.anon_key}"


def test_the_standard_environment_is_there_and_nothing_of_the_gateway(
    client: httpx.Client, stack: StackInfo
) -> None:
    seen = client.get("echo").json()
    standard = {"SUPABASE_URL", "SUPABASE_ANON_KEY", "SUPABASE_SERVICE_ROLE_KEY", "SUPABASE_DB_URL"}
    assert standard <= set(seen["names"])
    assert "PYTHONPATH" not in seen["names"]
    assert seen["secret"] == "hello there"
    assert seen["url"] == stack.url


@pytest.mark.parametrize("name", ["missing", "off", "_shared", "..%2Fconfig.toml", "a b", ".env"])
def test_a_missing_or_invalid_function_is_not_found(client: httpx.Client, name: str) -> None:
    answer = client.post(name)
    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize("header", [None, "Basic x", "Bearer nonsense"])
def test_a_call_without_a_token_of_the_project_is_refused(stack: StackInfo, header: str | None) -> None:
    headers = {"authorization": header} if header else {}
    answer = httpx.post(f"{stack.url}/functions/v1/echo", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["sb-error-code"].startswith("UNAUTHORIZED_")


def test_config_can_open_a_function_to_everybody(stack: StackInfo) -> None:
    assert httpx.post(f"{stack.url}/functions/v1/open", timeout=60).text == "open to POST"


def test_an_exported_fetch_and_shared_modules_are_served(client: httpx.Client) -> None:
    assert client.get("exported").text == "exported"
    assert client.get("sharing").text == "shared"


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [("broken", 503, "BOOT_ERROR"), ("exits", 500, "WORKER_ERROR"), ("greedy", 546, "WORKER_LIMIT")],
)
def test_a_failing_function_is_reported_and_does_not_affect_others(
    client: httpx.Client, name: str, status: int, code: str
) -> None:
    answer = client.post(name)
    assert (answer.status_code, answer.json()["code"], answer.headers["sb-error-code"]) == (
        status,
        code,
        code,
    )
    assert client.get("exported").text == "exported"


def test_an_exception_is_the_functions_own_500(client: httpx.Client) -> None:
    assert client.post("throws").status_code == 500
    assert client.post("throws").status_code == 500


def test_a_function_may_neither_read_files_nor_write_nor_run_programs(client: httpx.Client) -> None:
    assert client.get("nosy").json() == {"passwd": "NotCapable", "write": "NotCapable", "run": "NotCapable"}


def test_a_saved_file_is_served_at_once(client: httpx.Client, project: Path) -> None:
    path = project / "functions" / "changing" / "index.ts"
    path.parent.mkdir()
    path.write_text("Deno.serve(() => new Response('before'));")
    assert client.get("changing").text == "before"
    path.write_text("Deno.serve(() => new Response('after'));")
    assert client.get("changing").text == "after"


@pytest.mark.parametrize("declared", [True, False])
def test_a_body_over_the_limit_is_refused(client: httpx.Client, declared: bool) -> None:
    body = b"x" * (20 * 1024 * 1024 + 1)
    assert client.post("echo", content=body if declared else iter([body])).status_code == 413


def test_request_and_answer_are_passed_on_as_they_arrive(stack: StackInfo) -> None:
    address = urlsplit(stack.url)
    with socket.create_connection((str(address.hostname), address.port or 80), timeout=60) as connection:
        connection.sendall(
            f"POST /functions/v1/passing HTTP/1.1\r\nhost: {address.netloc}\r\n"
            f"authorization: Bearer {stack.anon_key}\r\ncontent-length: 11\r\n\r\nfirst".encode()
        )
        seen = b""
        # The rest is sent only when the function has answered with the first part.
        while b"first" not in seen:
            seen += connection.recv(4096)
        connection.sendall(b"second")
        while b"second" not in seen:
            seen += connection.recv(4096)
    assert seen.startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("name", ["passing", "refusing"])
def test_a_client_that_reads_after_it_has_sent_everything_gets_the_answer(
    stack: StackInfo, client: httpx.Client, name: str
) -> None:
    body = bytes(range(256)) * 70_000
    # With the kernel's own sizes, buffers between the processes may hold the whole body.
    small = [(socket.SOL_SOCKET, option, 65_536) for option in (socket.SO_SNDBUF, socket.SO_RCVBUF)]
    with httpx.Client(transport=httpx.HTTPTransport(socket_options=small), timeout=60) as http:
        answer = http.post(f"{stack.url}/functions/v1/{name}", content=body, headers=client.headers)
    expected = (200, body) if name == "passing" else (403, b"no")
    assert (answer.status_code, answer.content) == expected


def test_a_function_sees_an_http_address(client: httpx.Client, stack: StackInfo) -> None:
    assert client.get("url").text == f"{stack.url}/next"


def test_a_server_of_node_is_served(client: httpx.Client) -> None:
    assert client.get("node/deeper?q=1").text == "node /node/deeper?q=1"


def test_no_worker_outlives_the_stack(project: Path, tmp_path: Path) -> None:
    with running_stack(tmp_path / "data", project) as stack:
        headers = {"authorization": f"Bearer {stack.anon_key}"}
        assert httpx.get(f"{stack.url}/functions/v1/exported", headers=headers, timeout=60).is_success
        workers = [
            each
            for each in psutil.process_iter(["name", "environ"])
            if each.info["name"] == "deno"
            and str(tmp_path) in (each.info["environ"] or {}).get("DENO_DIR", "")
        ]
        assert workers
    wait_for(lambda: not any(each.is_running() for each in workers), what="the workers to end")


def test_a_function_that_does_not_answer_is_ended_and_restarted(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCAL_SUPABASE_FUNCTION_SECONDS", "2")
    with running_stack(tmp_path / "data", project) as stack:
        url, headers = f"{stack.url}/functions/v1/endless", {"authorization": f"Bearer {stack.anon_key}"}
        answer = httpx.put(url, headers=headers, timeout=60)
        assert (answer.status_code, answer.json()["code"]) == (504, "IDLE_TIMEOUT")
        assert httpx.get(url, headers=headers, timeout=60).text == "back"
