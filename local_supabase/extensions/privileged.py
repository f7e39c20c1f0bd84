"""Lets `postgres`, which is no superuser, create the extensions that a hosted project lets it create.

Postgres lets the owner of a database create an extension whose control file calls it trusted, and runs its
script as the superuser. The wheel's own control files leave some of these extensions to superusers.
"""

from __future__ import annotations

import re
from pathlib import Path

# Of `supautils.privileged_extensions` on a hosted project, those that Postgres itself brings, and pgvector.
PRIVILEGED = (
    "autoinc", "bloom", "btree_gin", "btree_gist", "citext", "cube", "dblink", "dict_int", "dict_xsyn",
    "earthdistance", "fuzzystrmatch", "hstore", "insert_username", "intarray", "isn", "ltree", "moddatetime",
    "pg_buffercache", "pg_prewarm", "pg_stat_statements", "pg_trgm", "pg_walinspect", "pgcrypto",
    "pgrowlocks", "pgstattuple", "postgres_fdw", "refint", "seg", "sslinfo", "tablefunc", "tcn",
    "tsm_system_rows", "tsm_system_time", "unaccent", "uuid-ossp", "vector",
)  # fmt: skip
_SETTING = re.compile(r"^\s*(trusted|directory)\s*=.*\n?", re.MULTILINE)


def write_control_files(installed: Path, folder: Path) -> None:
    """Write control files that call the privileged extensions trusted, and name the folder of their scripts.

    Arguments:
        installed: the folder of the control files and scripts that Postgres was installed with.
        folder: where to write, an existing folder.
    """
    for old in folder.glob("*.control"):
        old.unlink()
    for name in PRIVILEGED:
        control = installed / f"{name}.control"
        if control.exists():
            text = _SETTING.sub("", control.read_text())
            directory = str(installed).replace("'", "''")
            (folder / control.name).write_text(
                f"{text.rstrip()}\ntrusted = true\ndirectory = '{directory}'\n"
            )
