"""Run a private MariaDB for tests: in its own temporary folder, reached through a socket file."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pymysql

from tests.support.wait import wait_for

_SBIN = "/usr/sbin:/sbin"


def binary(name: str) -> str | None:
    """Return the path of a program. Debian puts the server into /usr/sbin, which is on few users' PATH."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:{_SBIN}")


def missing() -> str | None:
    """Return why no server can be started, or None if one can."""
    for name in ("mariadbd", "mariadb-install-db"):
        if binary(name) is None:
            return f"{name} is not installed (Debian: apt-get install mariadb-server)"
    return None


@contextmanager
def mariadb_server() -> Iterator[str]:
    """Run a server with an empty database and give its URL."""
    folder = Path(tempfile.mkdtemp(prefix="tavern-mariadb-"))
    try:
        yield from _running(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _running(folder: Path) -> Iterator[str]:
    data, path = folder / "data", folder / "socket"
    account = ["--user=root"] if os.geteuid() == 0 else []
    installed = [binary("mariadb-install-db") or "", "--no-defaults", f"--datadir={data}", "--skip-test-db"]
    install = subprocess.run(
        [*installed, "--auth-root-authentication-method=normal", *account],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert install.returncode == 0, install.stdout
    server = subprocess.Popen(
        [
            binary("mariadbd") or "", "--no-defaults", f"--datadir={data}", f"--socket={path}",
            f"--pid-file={folder / 'pid'}", "--skip-networking", "--innodb-flush-log-at-trx-commit=0",
            *account,
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_for(lambda: _answers(path, server), what="MariaDB to accept connections")
        with pymysql.connect(unix_socket=str(path), user="root") as connection, connection.cursor() as cursor:
            cursor.execute("create database ratings")
        yield f"mariadb+pymysql://root@localhost/ratings?unix_socket={path}"
    finally:
        server.terminate()
        server.wait(60)


def _answers(path: Path, server: subprocess.Popen[bytes]) -> bool:
    assert server.poll() is None, "MariaDB ended."
    with socket.socket(socket.AF_UNIX) as knock:
        return knock.connect_ex(str(path)) == 0
