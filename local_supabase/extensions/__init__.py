"""Stand-ins for extensions that the wheel's Postgres lacks, found by `extension_control_path`."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import psycopg2

CONTROL_PATH = Path(__file__).parent
"""The folder whose subfolder `extension` holds the control files."""


def name_programs(connection: psycopg2.extensions.connection) -> None:
    """Tell the database which programs its functions may run; only the superuser can change that."""
    # Isolated: neither the environment nor the working directory can change what is imported.
    command = shlex.join([sys.executable, "-I", str(CONTROL_PATH / "bcrypt_program.py")])
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into _local_supabase.programs (name, command) values ('bcrypt', %s) "
            "on conflict (name) do update set command = excluded.command",
            (command,),
        )
