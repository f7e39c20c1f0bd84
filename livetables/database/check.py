"""Asks a database how its tables are kept live: over HTTP with the public key, or as its owner."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any, Final

import httpx

from livetables.database.description import Description, not_installed, parse
from livetables.errors import ReadError

_TIMEOUT: Final = 20.0
_NO_SUCH_FUNCTION: Final = "PGRST202"
_NO_DRIVER: Final = (
    "Asking the database itself needs a driver: `pip install psycopg2-binary`. "
    "Or ask over HTTP, with the project's URL and its public key."
)


def describe(url: str, key: str, tables: Sequence[str] | None = None) -> Description:
    """Ask a project over HTTP. What is missing comes back as problems.

    Arguments:
        url: the project's URL.
        key: its anon or publishable key.
        tables: the names of the tables to ask for; by default all that are watched.

    Raises `ReadError` if there is no answer, or the key is refused.
    """
    try:
        response = httpx.post(
            f"{url.rstrip('/')}/rest/v1/rpc/livetables_tables",
            headers={"apikey": key, "Authorization": f"Bearer {key}"},
            json={} if tables is None else {"p_tables": list(tables)},
            timeout=_TIMEOUT,
        )
        answer: Any = response.json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise ReadError(f"{url} does not answer as Supabase does. {type(error).__name__}: {error}") from error
    if response.is_success:
        return parse(answer)
    said = answer if isinstance(answer, dict) else {}
    if said.get("code") == _NO_SUCH_FUNCTION:
        return not_installed()
    raise ReadError(f"{url} answers {response.status_code}: {said.get('message') or answer}")


def describe_database(address: str, tables: Sequence[str] | None = None) -> Description:
    """Ask a database through a connection, which may be read-only.

    Arguments:
        address: the connection URL (`postgresql://...`) of the project's owner.
        tables: as in `describe`.

    Raises `ReadError` if there is no connection, or no driver.
    """
    try:
        psycopg2 = import_module("psycopg2")
    except ImportError as error:
        raise ReadError(_NO_DRIVER) from error
    try:
        connection = psycopg2.connect(address)
    except psycopg2.Error as error:
        raise ReadError(f"The database does not answer: {error}") from error
    try:
        with connection.cursor() as cursor:
            cursor.execute("select to_regprocedure('public.livetables_tables(text[])') is not null")
            if not cursor.fetchone()[0]:
                return not_installed()
            cursor.execute(
                "select public.livetables_tables(%s::text[])", (None if tables is None else list(tables),)
            )
            return parse(cursor.fetchone()[0])
    except psycopg2.Error as error:
        raise ReadError(f"The database refuses the question: {error}") from error
    finally:
        connection.close()
