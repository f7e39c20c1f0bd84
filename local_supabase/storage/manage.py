"""Moves, copies and deletes objects, as the caller's policies allow."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

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
from local_supabase.storage.errors import StorageError, no_such_key, too_large
from local_supabase.storage.names import EMPTY_FOLDER, check_bucket_name, check_key
from local_supabase.storage.objects import Bucket, Metadata, NewObject, StoredObject
from local_supabase.storage.upload import bucket_of, check_type, place_of, size_limit

_DELETED_AT_ONCE = 1000


def _places(body: Body) -> tuple[tuple[str, str], tuple[str, str]]:
    """Return the bucket and name of the source and of the destination."""
    source = check_bucket_name(body.text("bucketId"))
    target = check_bucket_name(body.optional_text("destinationBucket", source) or source)
    return (source, check_key(body.text("sourceKey"))), (target, check_key(body.text("destinationKey")))


async def move_object(api: StorageApi, request: Request) -> Response:
    """Move an object to another name or bucket. Its file stays where it is."""
    identity = identity_of(api, request)
    source, target = _places(await read_body(request))
    bucket = await bucket_of(api, target[0])
    async with as_caller(api, request, identity, "storage.object.move") as connection:
        found = await objects.find_object(connection, *source)
        if found is None:
            raise no_such_key()
        # A bucket may have become stricter since. What is in it may still get another name.
        if source[0] != target[0] or target[1].endswith(EMPTY_FOLDER):
            await _check_accepted(api, bucket, target[1], found)
        if source != target and not await objects.move(connection, source, target, identity.user_id):
            raise no_such_key()
    return json_answer({"message": "Successfully moved", "Id": found.id, "Key": target[1]})


async def copy_object(api: StorageApi, request: Request) -> Response:
    """Create another object with the same bytes."""
    identity = identity_of(api, request)
    body = await read_body(request)
    source, target = _places(body)
    upsert = request.headers.get("x-upsert") == "true"
    bucket = await bucket_of(api, target[0])
    async with as_caller(api, request, identity, "storage.object.copy", read_only=True) as connection:
        found = await objects.find_object(connection, *source)
    if found is None:
        raise no_such_key()
    metadata = _copied_metadata(found, body)
    await _check_accepted(api, bucket, target[1], replace(found, metadata=metadata))
    version = await _copy_file(api, found)
    user_metadata = found.user_metadata if _keeps_metadata(body) else None
    new = NewObject(*target, identity.user_id, version, metadata, user_metadata)
    try:
        async with as_caller(api, request, identity, "storage.object.copy") as connection:
            await objects.write(connection, new, upsert=upsert)
    except Exception:
        await asyncio.to_thread(api.files.delete, version)
        raise
    if upsert:
        await cleanup.delete_removed(api)
    async with as_owner(api) as connection:
        copied = await objects.find_object(connection, *target)
    details = copied.to_json() if copied else {}
    return json_answer({"Id": details.get("id"), "Key": "/".join(target), **details})


async def _copy_file(api: StorageApi, found: StoredObject) -> str:
    try:
        return await asyncio.to_thread(api.files.copy, found.version)
    except (FileNotFoundError, ValueError):
        raise no_such_key() from None


async def _check_accepted(api: StorageApi, bucket: Bucket, name: str, found: StoredObject) -> None:
    """Check that a bucket would also accept the object as an upload. Raises `StorageError`."""
    check_type(bucket, name, found.meta("mimetype") or "application/octet-stream")
    try:
        size = await asyncio.to_thread(api.files.size, found.version)
    except (FileNotFoundError, ValueError):
        raise no_such_key() from None
    if size > size_limit(api, bucket, name):
        raise too_large()


def _keeps_metadata(body: Body) -> bool:
    return body.flag("copyMetadata", default=True)


def _copied_metadata(found: StoredObject, body: Body) -> Metadata:
    metadata = {**(found.metadata or {}), "lastModified": objects.iso(datetime.now(UTC))}
    given = body.value("metadata")
    if not _keeps_metadata(body) and isinstance(given, dict):
        metadata |= {
            name: value
            for name, value in given.items()
            if name in ("cacheControl", "mimetype") and isinstance(value, str)
        }
    return metadata


async def delete_objects(api: StorageApi, request: Request) -> Response:
    """Delete several objects and return those that were deleted."""
    identity = identity_of(api, request)
    bucket = check_bucket_name(request.path_params["bucket"])
    names = (await read_body(request)).texts("prefixes")
    if len(names) > _DELETED_AT_ONCE:
        message = f"body/prefixes must NOT have more than {_DELETED_AT_ONCE} items"
        raise StorageError(400, "InvalidRequest", message, error="Error")
    async with as_caller(api, request, identity, "storage.object.delete_many") as connection:
        deleted = await objects.delete(connection, bucket, names)
    await cleanup.delete_removed(api)
    return json_answer([each.to_json() for each in deleted])


async def delete_object(api: StorageApi, request: Request) -> Response:
    """Delete one object."""
    identity = identity_of(api, request)
    bucket, name = place_of(request)
    async with as_caller(api, request, identity, "storage.object.delete") as connection:
        deleted = await objects.delete(connection, bucket, [name])
    if not deleted:
        raise no_such_key()
    await cleanup.delete_removed(api)
    return json_answer({"message": "Successfully deleted"})
