"""Types that callers may name in `select=col::type`, resolved to SQL that they did not write."""

from __future__ import annotations

from typing import Final

from local_supabase.rest.catalog import PG, Name
from local_supabase.rest.errors import RestError
from local_supabase.rest.sql import qualified

# Names that are grammar, not catalog entries; `char` and `bit` mean a length of one here, as they do in SQL.
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
    """Return the SQL of a type's name, searched where an unqualified name would be.

    Raises:
        RestError: 42704, there is no such type.
    """
    folded = " ".join(cast.lower().split())
    keyword = _KEYWORDS.get(folded)
    if keyword is not None:
        return keyword
    for place in (PG, schema, "public", "extensions"):
        name = Name(place, folded)
        if name in types:
            return qualified(name)
    raise RestError(400, "42704", f'type "{folded}" does not exist')
