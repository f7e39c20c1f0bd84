"""Reads and writes ``storage.buckets`` and ``storage.objects``, with the rights of the given connection."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self
from uuid import UUID, uuid4

import asyncpg
import orjson

from local_supabase.database import Connection

Metadata = Mapping[str, object]
UNIQUE_VIOLATION = asyncpg.UniqueViolationError
REFERENCED = asyncpg.ForeignKeyViolationError


def iso(moment: datetime | None) -> str | None:
    """Return a time as Storage writes it, in milliseconds."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _metadata(text: object) -> Metadata | None:
    value = orjson.loads(text) if isinstance(text, str) else None
    return value if isinstance(value, dict) else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _moment(value: object) -> datetime | None:
    return value if isinstance(value, datetime) else None


@dataclass(frozen=True, slots=True)
class Bucket:
    """A row of ``storage.buckets``."""

    id: str
    name: str
    owner: str
    public: bool
    type: str
    file_size_limit: int | None
    allowed_mime_types: tuple[str, ...] | None
    created_at: datetime | None
    updated_at: datetime | None

    @classmethod
    def from_record(cls, record: Mapping[str, object]) -> Self:
        """Read a row."""
        limit, mime_types = record["file_size_limit"], record["allowed_mime_types"]
        return cls(
            id=_text(record["id"]),
            name=_text(record["name"]),
            owner=_text(record["owner"]),
            public=bool(record["public"]),
            type=_text(record["type"]),
            file_size_limit=limit if isinstance(limit, int) else None,
            allowed_mime_types=tuple(mime_types) if isinstance(mime_types, list) else None,
            created_at=_moment(record["created_at"]),
            updated_at=_moment(record["updated_at"]),
        )

    def to_json(self) -> dict[str, object]:
        """Return the bucket in Storage's form."""
        types = self.allowed_mime_types
        return {
            "id": self.id,
            "name": self.name,
            "owner": self.owner,
            "public": self.public,
            "type": self.type,
            "file_size_limit": self.file_size_limit,
            "allowed_mime_types": None if types is None else list(types),
            "created_at": iso(self.created_at),
            "updated_at": iso(self.updated_at),
        }


_BUCKET = """
select id, name, coalesce(owner_id, owner::text, '') as owner, coalesce(public, false) as public,
       type::text as type, file_size_limit, allowed_mime_types, created_at, updated_at
  from storage.buckets
"""


async def find_bucket(connection: Connection, bucket_id: str, *, lock: bool = False) -> Bucket | None:
    """Return a bucket, None if it does not exist; ``lock`` locks its row."""
    query = f"{_BUCKET} where id = $1 {'for update' if lock else ''}"
    record = await connection.fetchrow(query, bucket_id)
    return None if record is None else Bucket.from_record(dict(record))


async def list_buckets(connection: Connection, search: str, limit: int, offset: int) -> list[Bucket]:
    """Return the buckets whose names begin with a text, in upper or lower case, ordered by name."""
    condition = "where starts_with(lower(name), lower($1)) order by name limit $2 offset $3"
    records = await connection.fetch(f"{_BUCKET} {condition}", search, limit, offset)
    return [Bucket.from_record(dict(record)) for record in records]


@dataclass(frozen=True, slots=True)
class StoredObject:
    """A row of ``storage.objects``."""

    id: str
    bucket_id: str
    name: str
    owner: str | None
    owner_id: str | None
    version: str
    metadata: Metadata | None
    user_metadata: Metadata | None
    created_at: datetime | None
    updated_at: datetime | None
    last_accessed_at: datetime | None

    @classmethod
    def from_record(cls, record: Mapping[str, object]) -> Self:
        """Read a row."""
        return cls(
            id=_text(record["id"]),
            bucket_id=_text(record["bucket_id"]),
            name=_text(record["name"]),
            owner=_text(record["owner"]) or None,
            owner_id=_text(record["owner_id"]) or None,
            version=_text(record["version"]),
            metadata=_metadata(record["metadata"]),
            user_metadata=_metadata(record["user_metadata"]),
            created_at=_moment(record["created_at"]),
            updated_at=_moment(record["updated_at"]),
            last_accessed_at=_moment(record["last_accessed_at"]),
        )

    def meta(self, name: str) -> str | None:
        """Return a text of the object's metadata, None without one."""
        value = (self.metadata or {}).get(name)
        return value if isinstance(value, str) else None

    def to_json(self) -> dict[str, object]:
        """Return the object in the form that Storage has for deleted and copied objects."""
        return {
            "id": self.id,
            "bucket_id": self.bucket_id,
            "name": self.name,
            "owner": self.owner,
            "owner_id": self.owner_id,
            "version": self.version,
            "created_at": iso(self.created_at),
            "updated_at": iso(self.updated_at),
            "last_accessed_at": iso(self.last_accessed_at),
            "metadata": self.metadata,
            "user_metadata": self.user_metadata,
        }


_COLUMNS = """
id::text as id, bucket_id, name, owner::text as owner, owner_id, version, metadata, user_metadata, created_at,
updated_at, last_accessed_at
"""
_OBJECT = f"select {_COLUMNS} from storage.objects"  # noqa: S608  # constants only


async def find_object(connection: Connection, bucket_id: str, name: str) -> StoredObject | None:
    """Return an object, None if it does not exist."""
    query = f"{_OBJECT} where bucket_id = $1 and name = $2"
    record = await connection.fetchrow(query, bucket_id, name)
    return None if record is None else StoredObject.from_record(dict(record))


async def existing_names(connection: Connection, bucket_id: str, names: Sequence[str]) -> set[str]:
    """Return the names among these that objects have."""
    query = "select name from storage.objects where bucket_id = $1 and name = any($2::text[])"
    records = await connection.fetch(query, bucket_id, list(names))
    return {record["name"] for record in records}


@dataclass(frozen=True, slots=True)
class NewObject:
    """The values of a row to write; ``owner`` is the user's id."""

    bucket_id: str
    name: str
    owner: str | None
    version: str
    metadata: Metadata | None = None
    user_metadata: Metadata | None = None


def owner_uuid(owner: str | None) -> UUID | None:
    """Return an owner as a UUID, for the older column; None if it is not one."""
    try:
        return UUID(owner) if owner else None
    except ValueError:
        return None


async def write(connection: Connection, new: NewObject, *, upsert: bool) -> None:
    """Insert an object, or with ``upsert`` replace the one of that name.

    The statement returns nothing, because that would also require a policy for SELECT.
    """
    conflict = """
    on conflict (bucket_id, name) do update set owner = excluded.owner, owner_id = excluded.owner_id,
        version = excluded.version, metadata = excluded.metadata, user_metadata = excluded.user_metadata
    """
    statement = f"""
    insert into storage.objects (id, bucket_id, name, owner, owner_id, version, metadata, user_metadata)
    values ($1, $2, $3, $4, $5, $6, $7::text::jsonb, $8::text::jsonb)
    {conflict if upsert else ""}
    """  # noqa: S608  # constants only
    await connection.execute(
        statement,
        uuid4(),
        new.bucket_id,
        new.name,
        owner_uuid(new.owner),
        new.owner,
        new.version,
        None if new.metadata is None else orjson.dumps(dict(new.metadata)).decode(),
        None if new.user_metadata is None else orjson.dumps(dict(new.user_metadata)).decode(),
    )


async def move(
    connection: Connection, source: tuple[str, str], target: tuple[str, str], owner: str | None
) -> bool:
    """Move an object to another bucket and name; return False if there is none that may be updated."""
    status = await connection.execute(
        """
        update storage.objects set bucket_id = $3, name = $4, owner = $5, owner_id = $6
         where bucket_id = $1 and name = $2
        """,
        *source,
        *target,
        owner_uuid(owner),
        owner,
    )
    return status == "UPDATE 1"


async def delete(connection: Connection, bucket_id: str, names: Sequence[str]) -> list[StoredObject]:
    """Delete objects and return the deleted ones."""
    records = await connection.fetch(
        f"""
        delete from storage.objects where bucket_id = $1 and name = any($2::text[])
        returning {_COLUMNS}
        """,  # noqa: S608  # constants only
        bucket_id,
        list(names),
    )
    return [StoredObject.from_record(dict(record)) for record in records]


async def names_in(connection: Connection, bucket_id: str, limit: int) -> list[str]:
    """Return the first names of objects of a bucket, at most ``limit``."""
    query = "select name from storage.objects where bucket_id = $1 order by name limit $2"
    return [record["name"] for record in await connection.fetch(query, bucket_id, limit)]


async def removed_files(connection: Connection, limit: int) -> list[str]:
    """Return versions that no object refers to any more, at most ``limit``."""
    query = "select version from storage.local_removed_files order by removed_at limit $1"
    return [record["version"] for record in await connection.fetch(query, limit)]


async def delete_removed_versions(connection: Connection, versions: Sequence[str]) -> None:
    """Delete the entries of versions whose files are deleted."""
    statement = "delete from storage.local_removed_files where version = any($1::text[])"
    await connection.execute(statement, list(versions))


async def known_versions(connection: Connection, versions: Sequence[str]) -> set[str]:
    """Return the versions among these that objects refer to."""
    query = "select version from storage.objects where version = any($1::text[])"
    return {record["version"] for record in await connection.fetch(query, list(versions))}
