"""What the owner of the database can take from the services comes back with the next start."""

from pathlib import Path

import psycopg2

from tests.local_supabase.launch import launched, make_project
from tests.support.stack import superuser_url

CLOSED = (
    "alter database postgres set default_transaction_read_only = on",
    "alter database postgres set statement_timeout = '1ms'",
    "alter role authenticator nologin connection limit 0 password 'unknown'",
    "alter role anon bypassrls",
    "revoke anon from authenticator",
    "revoke connect on database postgres from public",
    "alter database postgres with connection limit 0",
)


RIGHTS = (
    "select rolbypassrls, pg_has_role('authenticator', 'anon', 'set'), "
    "has_database_privilege('supabase_auth_admin', 'postgres', 'connect'), datconnlimit "
    "from pg_roles, pg_database where rolname = 'anon' and datname = 'postgres'"
)


def _run(url: str, *statements: str, database: str = "postgres") -> list[tuple[object, ...]]:
    """Run statements; return the rows of the last one."""
    options = "-c default_transaction_read_only=off -c statement_timeout=0"
    connection = psycopg2.connect(url, dbname=database, options=options)
    connection.autocommit = True
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        rows = cursor.fetchall() if cursor.description else []
    connection.close()
    return rows


def test_a_stack_that_its_owner_has_locked_out_starts_again(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project")
    with launched(project, tmp_path / "data") as stack:
        url = stack.value("DATABASE_URL")
        _run(url, *CLOSED)
        _run(url, "alter database postgres with allow_connections false", database="template1")
    with launched(project, tmp_path / "data") as stack:
        superuser = superuser_url(stack.value("DATABASE_URL"), stack.data_dir.root)
        assert _run(superuser, RIGHTS) == [(False, True, True, -1)]
