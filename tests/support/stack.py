"""Run a real embedded Supabase for tests: free ports, its own folder, this project's schema and seed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2

from local_supabase import StackInfo, ensure_running, stop_stack
from local_supabase.auth.service import RATE_LIMIT_VARIABLE
from local_supabase.auth.settings import LIMITS, RateLimits
from local_supabase.keys import Login, load_keys
from local_supabase.stack.datadir import DataDir

QUOTAS = ("rows_per_minute", "rows_at_once", "bytes_per_minute", "bytes_at_once")
PROJECT = Path(__file__).resolve().parents[2] / "supabase"


@contextmanager
def running_stack(data_dir: Path, project: Path = PROJECT) -> Iterator[StackInfo]:
    """Run a stack of `project` with its data in `data_dir`.

    A person may write a thousand times as much as otherwise. Auth allows a thousand times as many requests,
    because all tests come from one address.
    """
    try:
        _widen_rate_limits()
        info = ensure_running(project, data_dir=data_dir, port=0, database_port=0)
        if project == PROJECT:
            _widen_quotas(info)
        yield info
    finally:
        stop_stack(data_dir)


def _widen_rate_limits() -> None:
    """Set the limits for this process and those that it starts: any of them may restart the stack."""
    for name in LIMITS:
        limit = 1000 * getattr(RateLimits(), name)
        os.environ.setdefault(f"{RATE_LIMIT_VARIABLE}_{name.upper()}", str(limit))


def superuser_url(database_url: str, data_dir: Path) -> str:
    """Return the connection URL of a stack's superuser, which the stack itself tells nobody.

    Arguments:
        database_url: the connection URL of the project's owner.
        data_dir: the data folder.
    """
    password = load_keys(DataDir(data_dir)).passwords[Login.SUPABASE_ADMIN]
    parts = urlsplit(database_url)
    return parts._replace(netloc=f"supabase_admin:{password}@{parts.hostname}:{parts.port}").geturl()


def _widen_quotas(info: StackInfo) -> None:
    """Let the few people of a test do what a thousand would do."""
    wider = ", ".join(f"{column} = {column} * 1000" for column in QUOTAS)
    with psycopg2.connect(info.database_url) as connection, connection.cursor() as cursor:
        cursor.execute(f"update private.quotas set {wider}")
    connection.close()
