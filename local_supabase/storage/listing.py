"""Lists objects: of one folder (``/object/list``), or of a prefix in pages (``/object/list-v2``)."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import orjson
from starlette.requests import Request
from starlette.responses import Response

from local_supabase.storage.api import (
    Body,
    StorageApi,
    as_caller,
    identity_of,
    json_answer,
    read_body,
)
from local_supabase.storage.errors import StorageError, invalid_request
from local_supabase.storage.names import check_bucket_name
from local_supabase.storage.objects import iso

_COLUMNS = ("name", "updated_at", "created_at", "last_accessed_at")
_COLUMNS_V2 = ("name", "updated_at", "created_at")
_ORDERS = ("asc", "desc")
_LARGEST_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Sorting:
    """The column and the order of a listing, each from a fixed list."""

    column: str
    order: str

    @classmethod
    def read(cls, body: Body, columns: tuple[str, ...]) -> "Sorting":
        """Read ``sortBy``. Raises `StorageError` for other columns and orders."""
        given = body.value("sortBy")
        if given is None:
            return cls("name", "asc")
        if not isinstance(given, dict):
            raise invalid_request("body/sortBy must be object")
        fields = Body(given)
        column = fields.optional_text("column", "name") or "name"
        order = fields.optional_text("order", "asc") or "asc"
        if column not in columns:
            raise invalid_request("body/sortBy/column must be equal to one of the allowed values")
        if order not in _ORDERS:
            raise invalid_request("body/sortBy/order must be equal to one of the allowed values")
        return cls(column, order)


async def list_objects(api: StorageApi, request: Request) -> Response:
    """Return the content of a folder, with names relative to it: folders, which have no id, and objects."""
    identity = identity_of(api, request)
    bucket = check_bucket_name(request.path_params["bucket"])
    body = await read_body(request)
    prefix = body.text("prefix")
    if prefix and not prefix.endswith("/"):
        prefix += "/"
    sorting = Sorting.read(body, _COLUMNS)
    limit, offset = body.number("limit", 100, 1), body.number("offset", 0, 0)
    search = body.optional_text("search")
    async with as_caller(api, request, identity, "storage.object.list", read_only=True) as connection:
        records = await connection.fetch(
            "select * from storage.search($1, $2, $3, $4, $5, $6, $7, $8)",
            prefix,
            bucket,
            limit,
            prefix.count("/") + 1,
            offset,
            search,
            sorting.column,
            sorting.order,
        )
    return json_answer([_entry(dict(record)) for record in records])


def _entry(record: Mapping[str, object]) -> dict[str, object]:
    metadata = record["metadata"]
    return {
        "name": record["name"],
        "id": None if record["id"] is None else str(record["id"]),
        "updated_at": _time(record["updated_at"]),
        "created_at": _time(record["created_at"]),
        "last_accessed_at": _time(record["last_accessed_at"]),
        "metadata": orjson.loads(metadata) if isinstance(metadata, str) else None,
    }


def _time(value: object) -> str | None:
    return iso(value) if isinstance(value, datetime) else None


# A folder is one entry, created with its oldest object and updated with its newest. The {} come from the
# fixed lists above.
_PAGE = """
with matching as (
    select o.name, o.id, o.created_at, o.updated_at, o.last_accessed_at, o.metadata,
           case when $3 and strpos(substr(o.name, length($2) + 1), '/') > 0
                then $2 || split_part(substr(o.name, length($2) + 1), '/', 1) || '/' end as folder
      from storage.objects o where o.bucket_id = $1 and starts_with(o.name, $2)
), entries as (
    select name collate "C" as name, id, created_at, updated_at, last_accessed_at, metadata
      from matching where folder is null
    union all
    select folder collate "C", null, min(created_at), max(updated_at), max(last_accessed_at), null
      from matching where folder is not null group by folder
)
select * from entries
 where $4::text is null or ({column}, name) {comparison} ($4::{type}, $5::text collate "C")
 order by {column} {order}, name {order} limit $6
"""


async def list_objects_v2(api: StorageApi, request: Request) -> Response:
    """Return a page of the objects with a prefix; with a delimiter, folders stand for their content."""
    identity = identity_of(api, request)
    bucket = check_bucket_name(request.path_params["bucket"])
    body = await read_body(request)
    limit = min(body.number("limit", _LARGEST_PAGE, 1), _LARGEST_PAGE)
    sorting = Sorting.read(body, _COLUMNS_V2)
    after = _read_cursor(body.optional_text("cursor"), sorting)
    query = _PAGE.format(
        column=sorting.column,
        order=sorting.order,
        comparison=">" if sorting.order == "asc" else "<",
        type="text" if sorting.column == "name" else "timestamptz",
    )
    async with as_caller(api, request, identity, "storage.object.list_v2", read_only=True) as connection:
        records = await connection.fetch(
            query,
            bucket,
            body.optional_text("prefix"),
            body.flag("with_delimiter", default=False),
            *_parameters(after, sorting),
            limit + 1,
        )
    page = [dict(record) for record in records[:limit]]
    return json_answer(_page(page, len(records) > limit, sorting))


def _parameters(after: tuple[str, str] | None, sorting: Sorting) -> tuple[object, object]:
    if after is None:
        return None, None
    value, name = after
    return (name if sorting.column == "name" else value), name


def _page(records: list[dict[str, object]], has_next: bool, sorting: Sorting) -> dict[str, object]:
    folders: list[dict[str, object]] = []
    found: list[dict[str, object]] = []
    for record in records:
        entry = _entry(record)
        entry["key"] = str(record["name"]).rstrip("/").rpartition("/")[2]
        if entry["id"] is None:
            folders.append({name: entry[name] for name in ("key", "name", "created_at", "updated_at")})
        else:
            found.append(entry)
    answer: dict[str, object] = {"hasNext": has_next, "folders": folders, "objects": found}
    if has_next:
        answer["nextCursor"] = _cursor(records[-1], sorting)
    return answer


def _cursor(last: Mapping[str, object], sorting: Sorting) -> str:
    value = last[sorting.column]
    text = value.isoformat() if isinstance(value, datetime) else str(value)
    return base64.urlsafe_b64encode(orjson.dumps([sorting.column, text, last["name"]])).decode()


def _read_cursor(text: str, sorting: Sorting) -> tuple[str, str] | None:
    if not text:
        return None
    wrong = StorageError(400, "InvalidParameter", "Invalid Parameter cursor")
    try:
        column, value, name = orjson.loads(base64.urlsafe_b64decode(text.encode()))
        if column != "name":
            datetime.fromisoformat(value)
    except (binascii.Error, ValueError, TypeError):
        raise wrong from None
    if column != sorting.column or not isinstance(name, str) or "\0" in name:
        raise wrong
    return value, name
