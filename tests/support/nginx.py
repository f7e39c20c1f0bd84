"""Run a real nginx in front of processes, as `make run WORKERS=N` does."""

import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from deploy.processes import LOOPBACK, free_ports
from deploy.proxy import MISSING, find_nginx, tavern_conf, write_configuration
from tests.support.wait import wait_for


def missing() -> str | None:
    """Return why nginx cannot be started, or None if it can."""
    return MISSING if find_nginx() is None else None


@contextmanager
def nginx_before(processes: Sequence[str]) -> Iterator[str]:
    """Run nginx in front of the processes at these addresses, and give its URL."""
    nginx = find_nginx()
    assert nginx is not None
    [port] = free_ports(1)
    with tempfile.TemporaryDirectory(prefix="tavern-nginx-") as folder:
        tavern = tavern_conf(processes, listen=f"{LOOPBACK}:{port}")
        config = write_configuration(Path(folder), nginx, tavern)
        command = [nginx, "-e", "stderr", "-p", folder, "-c", str(config)]
        with (Path(folder) / "log").open("wb") as log:
            running = subprocess.Popen(command, stdout=log, stderr=log)
        url = f"http://{LOOPBACK}:{port}"
        try:
            wait_for(lambda: _answers(url, running, Path(folder) / "log"), what="nginx to answer")
            yield url
        finally:
            running.terminate()
            running.wait(60)


def _answers(url: str, running: "subprocess.Popen[bytes]", log: Path) -> bool:
    assert running.poll() is None, log.read_text()
    try:
        httpx.get(f"{url}/nginx-is-there")
    except httpx.TransportError:
        return False
    return True
