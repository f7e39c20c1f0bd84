"""What Postgres' catalog says about the tables in the stream: keys, types, row security, readable columns."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import asyncpg

from local_supabase.realtime.pgoutput import Relation
from local_supabase.realtime.values import Encoder, Encoders, TypeInfo, TypeKind

PUBLICATION = "supabase_realtime"
MESSAGES_PUBLICATION = "supabase_realtime_messages_publication"

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"

_TABLE = """
select c.relrowsecurity as row_security,
       exists (
         select from pg_publication_tables p
         where p.pubname = $2 and p.schemaname = n.nspname and p.tablename = c.relname
       ) as published,
       array(
         select a.attname::text from pg_constraint k, unnest(k.conkey) with ordinality as u(number, position)
         join pg_attribute a on a.attrelid = $1 and a.attnum = u.number
         where k.conrelid = $1 and k.contype = 'p' order by u.position
       ) as key
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.oid = $1
"""

_COLUMNS = """
select a.attname::text as name, t.typname::text as type
from pg_attribute a join pg_type t on t.oid = a.atttypid
where a.attrelid = $1 and a.attnum > 0 and not a.attisdropped
order by a.attnum
"""

# Types together with their element, base and attribute types.
_TYPES = """
with recursive known(oid) as (
  select unnest($1::oid[])
  union
  select part.oid
  from known
  join pg_type t on t.oid = known.oid
  cross join lateral (
    select t.typelem where t.typsubscript = 'array_subscript_handler'::regproc
    union all select t.typbasetype where t.typtype = 'd'
    union all
    select a.atttypid from pg_attribute a
    where t.typtype = 'c' and a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped
  ) as part(oid)
)
select t.oid, t.typname::text as name, t.typtype as kind, t.typdelim as delimiter, t.typbasetype as base,
       case when t.typsubscript = 'array_subscript_handler'::regproc then t.typelem else 0 end as element,
       coalesce(e.typdelim, ',') as element_delimiter,
       array(
         select a.attname::text from pg_attribute a
         where t.typtype = 'c' and a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped
         order by a.attnum
       ) as attribute_names,
       array(
         select a.atttypid from pg_attribute a
         where t.typtype = 'c' and a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped
         order by a.attnum
       ) as attribute_types
from known join pg_type t on t.oid = known.oid left join pg_type e on e.oid = t.typelem
"""

_ACCESS = """
select r.rolsuper or r.rolbypassrls or (c.relowner = r.oid and not c.relforcerowsecurity) as bypasses,
       array(
         select a.attname::text from pg_attribute a
         where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
           and has_column_privilege(r.oid, c.oid, a.attnum, 'SELECT')
       ) as readable,
       exists (
         select from pg_policy p
         where p.polrelid = c.oid and p.polpermissive and p.polcmd in ('r', '*')
           and exists (
             select from unnest(p.polroles) as of_role
             where of_role = 0 or pg_has_role(r.oid, of_role, 'USAGE')
           )
       ) as has_policy
from pg_roles r, pg_class c
where r.rolname = $1 and c.oid = $2
"""


@dataclass(frozen=True, slots=True)
class Table:
    """A table, described by its relation message and the catalog.

    Attributes:
        relation: the relation message.
        key: the columns of the primary key, empty without one.
        row_security: whether row level security is enabled.
        published: whether the publication `supabase_realtime` has the table.
        column_types: the type name of each column.
        encoders: the JSON encoder of each column of the relation, by position.
        positions: the position of each column of the relation.
    """

    relation: Relation
    key: tuple[str, ...]
    row_security: bool
    published: bool
    column_types: Mapping[str, str]
    encoders: tuple[Encoder, ...]
    positions: Mapping[str, int]

    @property
    def identity(self) -> tuple[str, ...]:
        """The columns of the replica identity, which a deletion logs."""
        return tuple(column.name for column in self.relation.columns if column.in_key)


@dataclass(frozen=True, slots=True)
class Access:
    """What a role may do with a table.

    Attributes:
        readable: the columns that it may select.
        bypasses: whether row level security does not apply to it.
        has_policy: whether any policy lets it see rows.
    """

    readable: frozenset[str]
    bypasses: bool
    has_policy: bool


NO_ACCESS = Access(frozenset(), bypasses=False, has_policy=False)


class Catalog:
    """Describes tables and access to them, and caches that until the table's definition changes.

    Postgres sends a table's relation message again after every change of its columns, grants, policies or
    publications. So what is cached is right until the next such message, when the owner calls `discard`.
    """

    def __init__(self) -> None:
        self._tables: dict[int, Table] = {}
        self._access: dict[tuple[int, str], Access] = {}

    def discard(self, oid: int) -> None:
        """Drop what is cached for one table."""
        self._tables.pop(oid, None)
        for key in [key for key in self._access if key[0] == oid]:
            del self._access[key]

    def clear(self) -> None:
        """Drop everything."""
        self._tables.clear()
        self._access.clear()

    def known_table(self, oid: int) -> Table | None:
        """Return the description of a table if it is cached."""
        return self._tables.get(oid)

    async def table(self, connection: Connection, relation: Relation) -> Table | None:
        """Return the description of a table; None when the table has been dropped since."""
        table = self._tables.get(relation.oid)
        if table is None:
            table = await _read_table(connection, relation)
            if table is not None:
                self._tables[relation.oid] = table
        return table

    async def access(self, connection: Connection, oid: int, role: str) -> Access:
        """Return what a role may read of a table; nothing when either does not exist."""
        access = self._access.get((oid, role))
        if access is None:
            row = await connection.fetchrow(_ACCESS, role, oid)
            access = _access(row) if row else NO_ACCESS
            self._access[oid, role] = access
        return access


def _access(row: asyncpg.Record) -> Access:
    return Access(frozenset(row["readable"]), row["bypasses"], row["has_policy"])


async def _read_table(connection: Connection, relation: Relation) -> Table | None:
    row = await connection.fetchrow(_TABLE, relation.oid, PUBLICATION)
    if row is None:
        return None
    columns = await connection.fetch(_COLUMNS, relation.oid)
    encoders = Encoders(await read_types(connection, [column.type_oid for column in relation.columns]))
    return Table(
        relation=relation,
        key=tuple(row["key"]),
        row_security=row["row_security"],
        published=row["published"],
        column_types={column["name"]: column["type"] for column in columns},
        encoders=tuple(encoders.of_column(column.type_oid) for column in relation.columns),
        positions={column.name: position for position, column in enumerate(relation.columns)},
    )


async def read_types(connection: Connection, oids: list[int]) -> dict[int, TypeInfo]:
    """Describe types, and all types they consist of, by oid."""
    rows = await connection.fetch(_TYPES, oids)
    return {row["oid"]: _type_info(row) for row in rows}


def _type_info(row: asyncpg.Record) -> TypeInfo:
    return TypeInfo(
        oid=row["oid"],
        name=row["name"],
        kind=TypeKind(row["kind"].decode() if isinstance(row["kind"], bytes) else row["kind"]),
        element=row["element"],
        delimiter=_char(row["element_delimiter"]),
        base=row["base"],
        attributes=tuple(zip(row["attribute_names"], row["attribute_types"], strict=True)),
    )


def _char(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
