"""Ways around the gateway to the workers of functions, and ways to end them under others."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from local_supabase.stack.datadir import DataDir
from local_supabase.stack.runtime import StackInfo
from tests.support.stack import running_stack

FILES = {
    "open/index.ts": "Deno.serve(async (request) => new Response('read ' + await request.text()));",
    # Looks for a way to another function that is not the gateway.
    "thief/index.ts": """Deno.serve(async (request) => {
      const path = await request.text();
      const tries = { stat: () => Deno.stat(path), connect: () => Deno.connect({ transport: "unix", path }),
        fetch: () => fetch("http://x/", { client: Deno.createHttpClient({
          proxy: { transport: "unix", path } }) }) };
      const out = {};
      for (const [name, attempt] of Object.entries(tries)) {
        try { await attempt(); out[name] = "allowed"; } catch (error) { out[name] = error.name; }
      }
      return Response.json(out);
    });""",
}
CONFIG = "project_id = 'workers'\n[functions.open]\nverify_jwt = false\n"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackInfo]:
    root = tmp_path_factory.mktemp("workers") / "supabase"
    for name, text in FILES.items():
        path = root / "functions" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (root / "migrations").mkdir()
    (root / "config.toml").write_text(CONFIG)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOCAL_SUPABASE_FUNCTION_SECONDS", "20")
        with running_stack(root.parent / "data", root) as info:
            yield info
    prefix = DataDir(root.parent / "data").socket_folder_prefix
    assert list(Path(tempfile.gettempdir()).glob(f"{prefix}*")) == []


def call(stack: StackInfo, name: str, body: str = "") -> httpx.Response:
    headers = {"authorization": f"Bearer {stack.anon_key}"}
    return httpx.post(f"{stack.url}/functions/v1/{name}", headers=headers, content=body, timeout=60)


def worker(stack: StackInfo, name: str) -> psutil.Process:
    """Return the Deno process of a function, started by a call if it does not run."""
    assert call(stack, name).is_success
    (found,) = (
        each
        for each in psutil.process_iter(["name", "cmdline"])
        if each.info["name"] == "deno"
        and any(f"{name}/index.ts" in part for part in each.info["cmdline"])
        and each.environ().get("SUPABASE_URL") == stack.url
    )
    return found


def socket_of(process: psutil.Process) -> Path:
    return Path(process.environ()["DENO_SERVE_ADDRESS"].removeprefix("unix:"))


def test_a_worker_listens_on_no_port_and_only_its_own_user_reaches_it(stack: StackInfo) -> None:
    process = worker(stack, "open")
    assert [each for each in process.net_connections("inet") if each.status == psutil.CONN_LISTEN] == []
    address = socket_of(process)
    folder = address.parent.stat()
    assert (stat.S_IMODE(folder.st_mode), folder.st_uid) == (0o700, os.geteuid())
    assert address.is_socket()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")
def test_another_user_of_the_machine_cannot_call_a_worker(stack: StackInfo) -> None:
    address = socket_of(worker(stack, "open"))
    attack = (
        "import os, socket; os.setgid(65534); os.setuid(65534); "
        f"socket.socket(socket.AF_UNIX).connect({str(address)!r})"
    )
    tried = subprocess.run([sys.executable, "-c", attack], capture_output=True, text=True, check=False)
    assert "PermissionError" in tried.stderr


def test_a_function_cannot_call_another_past_the_gateway(stack: StackInfo) -> None:
    address = socket_of(worker(stack, "open"))
    assert call(stack, "thief", str(address)).json() == {
        "stat": "NotCapable",
        "connect": "NotCapable",
        "fetch": "NotCapable",
    }


@contextmanager
def unfinished_call(stack: StackInfo) -> Iterator[socket.socket]:
    """Begin a call of the open function, as somebody without any token, and send half of its body."""
    address = urlsplit(stack.url)
    with socket.create_connection((str(address.hostname), address.port or 80), timeout=60) as connection:
        connection.sendall(
            f"POST /functions/v1/open HTTP/1.1\r\nhost: {address.netloc}\r\n"
            "content-length: 10\r\n\r\nhalf ".encode()
        )
        yield connection


def test_calls_that_never_finish_their_body_do_not_end_the_worker_of_others(stack: StackInfo) -> None:
    before = worker(stack, "open")
    with unfinished_call(stack), unfinished_call(stack) as slow:
        # The second call goes away within its body; the function keeps answering all others.
        slow.close()
        assert call(stack, "open", "all").text == "read all"
    assert call(stack, "open", "all").text == "read all"
    assert worker(stack, "open").pid == before.pid


def test_a_slow_body_arrives_whole(stack: StackInfo) -> None:
    with unfinished_call(stack) as connection:
        assert call(stack, "open", "another").text == "read another"
        connection.sendall(b"whole")
        seen = b""
        while b"read half whole" not in seen:
            part = connection.recv(4096)
            assert part, seen
            seen += part
    assert seen.startswith(b"HTTP/1.1 200")
