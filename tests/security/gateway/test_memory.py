"""Bodies of 250 MB: what the servers keep of them in memory, measured at the real processes."""

import os
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.local_supabase.launch import Launched, launched, make_project

MEGABYTE = 1_000_000
SIZE = 250 * MEGABYTE
# What one request may add to a process. The largest body that is kept whole is REST's, of 10 MB, with what is
# made from it.
BOUND = 40 * MEGABYTE
TABLE = "create table public.notes (id int); grant all on notes to anon;"
HELD = 30 * MEGABYTE
CONFIG = '[storage]\nfile_size_limit = "300MiB"\n[storage.buckets.large]\npublic = false\n'

pytestmark = pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="Linux counts the peak")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launched]:
    folder = tmp_path_factory.mktemp("memory")
    project = make_project(folder / "project", TABLE)
    (project / "config.toml").write_text(CONFIG)
    environment = {"LOCAL_SUPABASE_HTTP_HELD_BYTES": str(HELD)}
    with launched(project, folder / "data", environment=environment) as running:
        yield running


def peak(process: int, *, since_now: bool = False) -> int:
    """Return the most bytes of memory that a process has used, or begin to count anew."""
    if since_now:
        Path(f"/proc/{process}/clear_refs").write_text("5")
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


def pieces() -> Iterator[bytes]:
    piece = os.urandom(MEGABYTE)
    for _ in range(SIZE // MEGABYTE):
        yield piece


def growth_and_status(stack: Launched, path: str, content_type: str, *, declared: bool) -> tuple[int, int]:
    """Send the body; return what it added to the peaks of both servers, and the status (0: broken off)."""
    processes = [stack.pids[name] for name in ("gateway", "realtime")]
    before = [peak(process, since_now=True) for process in processes]
    key = stack.value("SUPABASE_SERVICE_KEY")
    headers = {"apikey": key, "Authorization": f"Bearer {key}", "Content-Type": content_type}
    if declared:
        headers["Content-Length"] = str(SIZE)
    try:
        response = httpx.post(
            f"{stack.value('SUPABASE_URL')}{path}", content=pieces(), headers=headers, timeout=100
        )
        status = response.status_code
    except httpx.TransportError:
        # The server may close the connection of a client that goes on sending after its refusal.
        status = 0
    after = [peak(process) for process in processes]
    return sum(now - then for then, now in zip(before, after, strict=True)), status


@pytest.mark.parametrize("declared", [True, False], ids=["declared", "chunked"])
@pytest.mark.parametrize(
    "path",
    [
        "/rest/v1/notes",
        "/auth/v1/signup",
        "/realtime/v1/api/broadcast",
        "/functions/v1/nothing",
        "/storage/v1/bucket",
        "/nothing",
    ],
)
def test_a_large_body_is_refused_in_little_memory(stack: Launched, path: str, declared: bool) -> None:
    growth, status = growth_and_status(stack, path, "application/json", declared=declared)
    # Storage tells its own status inside of a 400.
    assert status in {0, 400, 404, 413}
    assert growth < BOUND


def test_a_large_upload_streams_to_the_disk(stack: Launched) -> None:
    path = "/storage/v1/object/large/film"
    growth, status = growth_and_status(stack, path, "application/octet-stream", declared=True)
    assert status == 200
    assert growth < BOUND
    stored = [file.stat().st_size for file in stack.data_dir.storage.rglob("*") if file.is_file()]
    assert SIZE in stored


def test_many_bodies_at_once_are_bounded_together(stack: Launched) -> None:
    gateway = stack.pids["gateway"]
    before = peak(gateway, since_now=True)
    address = urlsplit(stack.value("SUPABASE_URL"))
    head = f"POST /rest/v1/notes HTTP/1.1\r\nHost: a\r\napikey: {stack.value('SUPABASE_KEY')}\r\n"
    request = f"{head}Content-Length: {9 * MEGABYTE}\r\n\r\n".encode() + bytes(9 * MEGABYTE - 1)
    with ExitStack() as opened:
        for _ in range(16):
            connection = opened.enter_context(
                socket.create_connection((address.hostname, address.port), timeout=60)
            )
            # The last byte never comes, so the gateway has to keep the body. Beyond its limit it refuses.
            connection.sendall(request)
        assert connection.recv(12) == b"HTTP/1.1 503"
    assert peak(gateway) - before < HELD + BOUND
