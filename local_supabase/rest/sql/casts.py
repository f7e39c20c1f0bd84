"""Resolves the types that callers name in `select=col::type`. The caller's text never becomes SQL."""

from __future__ import annotations

from typing import Final

from local_supabase.rest.catalog.model import PG
from local_supabase.rest.errors import RestError
from local_supabase.rest.names import Name
from local_supabase.rest.sql.statement import qualified

# SQL keywords without an entry in pg_type. As in SQL, `char` and `bit` have a length of one.
_KEYWORDS: Final = {
    name: name
    for name in (
        "bigint",
        "bit",
        "bit varying",
        "boolean",
        "char",
        "char varying",
        "character",
        "character varying",
        "dec",
        "decimal",
        "double precision",
        "float",
        "int",
        "integer",
        "interval",
        "json",
        "national character",
        "nchar",
        "numeric",
        "real",
        "smallint",
        "time",
        "time with time zone",
        "time without time zone",
        "timestamp",
        "timestamp with time zone",
        "timestamp without time zone",
        "varchar",
    )
}


def cast_target(cast: str, schema: str, types: frozenset[Name]) -> str:
    """Return the SQL of a type's name.

    Arguments:
        cast: the name that the caller sent, without a schema.
        schema: the request's schema; it is searched after pg_catalog.
        types: the types that exist.

    Raises:
        RestError: 42704, the type does not exist.
    """
    folded = " ".join(cast.lower().split())
    keyword = _KEYWORDS.get(folded)
    if keyword is not None:
        return keyword
    for namespace in (PG, schema, "public", "extensions"):
        name = Name(namespace, folded)
        if name in types:
            return qualified(name)
    raise RestError(400, "42704", f'type "{folded}" does not exist')
