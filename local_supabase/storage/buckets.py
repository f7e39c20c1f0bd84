"""``/bucket``: creates, updates, empties and deletes buckets, as the caller's policies allow."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from local_supabase.storage import cleanup, objects
from local_supabase.storage.api import (
    Body,
    StorageApi,
    as_caller,
    as_owner,
    identity_of,
    json_answer,
    read_body,
)
from local_supabase.storage.errors import (
    StorageError,
    access_denied,
    invalid_request,
    no_such_bucket,
    too_large,
)
from local_supabase.storage.names import check_bucket_name, check_mime_types, parse_size

_EMPTIED_AT_ONCE = 200


async def list_buckets(api: StorageApi, request: Request) -> Response:
    """Return the buckets that the caller may see."""
    identity = identity_of(api, request)
    query = Body(dict(request.query_params))
    search = query.optional_text("search")
    limit, offset = query.number("limit", 1000, 1), query.number("offset", 0, 0)
    if "\0" in search:
        raise invalid_request("querystring/search must not contain the NUL character")
    async with as_caller(api, request, identity, "storage.bucket.list", read_only=True) as connection:
        found = await objects.list_buckets(connection, search, limit, offset)
    return json_answer([bucket.to_json() for bucket in found])


async def get_bucket(api: StorageApi, request: Request) -> Response:
    """Return one bucket."""
    identity = identity_of(api, request)
    bucket_id = check_bucket_name(request.path_params["bucket"])
    async with as_caller(api, request, identity, "storage.bucket.get", read_only=True) as connection:
        found = await objects.find_bucket(connection, bucket_id)
    if found is None:
        raise no_such_bucket()
    return json_answer(found.to_json())


async def create_bucket(api: StorageApi, request: Request) -> Response:
    """Create a bucket."""
    identity = identity_of(api, request)
    body = await read_body(request)
    name = check_bucket_name(body.text("name"))
    bucket_id = check_bucket_name(body.optional_text("id", name))
    if body.optional_text("type", "STANDARD") != "STANDARD":
        raise StorageError(501, "NotSupported", "Only buckets for files are supported here")
    public = body.flag("public", default=False)
    limit, mime_types = _size_limit(api, body), _mime_types(body)
    try:
        async with as_caller(api, request, identity, "storage.bucket.create") as connection:
            await connection.execute(
                """
                insert into storage.buckets
                    (id, name, owner, owner_id, public, file_size_limit, allowed_mime_types)
                values ($1, $2, $3, $4, $5, $6, $7::text[])
                """,
                bucket_id,
                name,
                objects.owner_uuid(identity.user_id),
                identity.user_id,
                public,
                limit,
                mime_types,
            )
    except objects.UNIQUE_VIOLATION:
        raise StorageError(
            409, "BucketAlreadyExists", "The resource already exists", error="Duplicate"
        ) from None
    return json_answer({"name": name})


async def update_bucket(api: StorageApi, request: Request) -> Response:
    """Update what a bucket accepts and whether it is public; fields that are not sent stay unchanged."""
    identity = identity_of(api, request)
    bucket_id = check_bucket_name(request.path_params["bucket"])
    body = await read_body(request)
    public = body.flag("public", default=False) if body.has("public") else None
    limit, mime_types = _size_limit(api, body), _mime_types(body)
    async with as_caller(api, request, identity, "storage.bucket.update") as connection:
        status = await connection.execute(
            """
            update storage.buckets
               set public = coalesce($2, public),
                   file_size_limit = case when $3 then $4 else file_size_limit end,
                   allowed_mime_types = case when $5 then $6::text[] else allowed_mime_types end,
                   updated_at = now()
             where id = $1
            """,
            bucket_id,
            public,
            body.has("file_size_limit"),
            limit,
            body.has("allowed_mime_types"),
            mime_types,
        )
    if status != "UPDATE 1":
        raise no_such_bucket()
    return json_answer({"message": "Successfully updated"})


def _size_limit(api: StorageApi, body: Body) -> int | None:
    value = body.value("file_size_limit")
    if value is None:
        return None
    if isinstance(value, str):
        limit = int(value) if value.isascii() and value.isdigit() and len(value) < 18 else parse_size(value)
    elif isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        limit = value
    else:
        raise invalid_request("body/file_size_limit must be integer")
    if limit > api.settings.file_size_limit:
        raise too_large()
    return limit


def _mime_types(body: Body) -> Sequence[str] | None:
    value = body.value("allowed_mime_types")
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise invalid_request("body/allowed_mime_types must be array")
    mime_types = [item for item in value if item]
    check_mime_types(mime_types)
    return mime_types


async def delete_bucket(api: StorageApi, request: Request) -> Response:
    """Delete an empty bucket."""
    identity = identity_of(api, request)
    bucket_id = check_bucket_name(request.path_params["bucket"])
    async with as_owner(api) as connection:
        exists = await objects.find_bucket(connection, bucket_id) is not None
        is_empty = not await objects.names_in(connection, bucket_id, 1)
    if not exists:
        raise no_such_bucket()
    if not is_empty:
        raise _not_empty()
    try:
        async with as_caller(api, request, identity, "storage.bucket.delete") as connection:
            status = await connection.execute("delete from storage.buckets where id = $1", bucket_id)
    except objects.REFERENCED:  # something was uploaded since the check
        raise _not_empty() from None
    if status != "DELETE 1":
        raise no_such_bucket()
    return json_answer({"message": "Successfully deleted"})


def _not_empty() -> StorageError:
    return StorageError(409, "ResourceNotEmpty", "The bucket you tried to delete is not empty")


async def empty_bucket(api: StorageApi, request: Request) -> Response:
    """Delete every object of a bucket that the caller may see; refuse if one may not be deleted."""
    identity = identity_of(api, request)
    bucket_id = check_bucket_name(request.path_params["bucket"])
    while True:
        async with as_caller(api, request, identity, "storage.bucket.empty") as connection:
            if await objects.find_bucket(connection, bucket_id) is None:
                raise no_such_bucket()
            names = await objects.names_in(connection, bucket_id, _EMPTIED_AT_ONCE)
            deleted = await objects.delete(connection, bucket_id, names)
        await cleanup.delete_removed(api)
        left = sorted(set(names) - {each.name for each in deleted})
        if left:
            reason = "you may have SELECT but not DELETE permissions"
            raise access_denied(f"Cannot delete: {' ,'.join(left)}, {reason}")
        if not names:
            return json_answer({"message": "Successfully emptied"})
