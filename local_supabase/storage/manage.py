"""Moving, copying and deleting objects, as the caller's policies allow."""

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
from local_supabase.storage.errors import StorageError, no_such_key
from local_supabase.storage.names import check_bucket_name, check_key
from local_supabase.storage.objects import NewObject, StoredObject
from local_supabase.storage.upload import bucket_of, place_of

_DELETED_AT_ONCE = 1000


def _places(body: Body) -> tuple[tuple[str, str], tuple[str, str]]:
    """Give bucket and name of the source and of the destination."""
    source = check_bucket_name(body.text("bucketId"))
    target = check_bucket_name(body.optional_text("destinationBucket", source) or source)
    return (source, check_key(body.text("sourceKey"))), (target, check_key(body.text("destinationKey")))


async def move_object(api: StorageApi, request: Request) -> Response:
    """Give an object another name or bucket. Its file stays where it is."""
    identity = identity_of(api, request)
    source, target = _places(await read_body(request))
    await bucket_of(api, target[0])
    async with as_caller(api, request, identity, "storage.object.move") as connection:
        found = await objects.find_object(connection, *source)
        if found is None:
            raise no_such_key()
        if source != target and not await objects.move(connection, source, target, identity.user_id):
            raise no_such_key()
    return json_answer({"message": "Successfully moved", "Id": found.id, "Key": target[1]})


async def copy_object(api: StorageApi, request: Request) -> Response:
    """Make another object of the same bytes."""
    identity = identity_of(api, request)
    body = await read_body(request)
    source, target = _places(body)
    upsert = request.headers.get("x-upsert") == "true"
    await bucket_of(api, target[0])
    async with as_caller(api, request, identity, "storage.object.copy", read_only=True) as connection:
        found = await objects.find_object(connection, *source)
    if found is None:
        raise no_such_key()
    version = await _copy_file(api, found)
    new = _copied(found, body, target, version, identity.user_id)
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


def _copied(
    found: StoredObject, body: Body, target: tuple[str, str], version: str, owner: str | None
) -> NewObject:
    metadata = {**(found.metadata or {}), "lastModified": objects.iso(datetime.now(UTC))}
    keeps = body.flag("copyMetadata", default=True)
    given = body.value("metadata")
    if not keeps and isinstance(given, dict):
        metadata |= {
            name: value
            for name, value in given.items()
            if name in ("cacheControl", "mimetype") and isinstance(value, str)
        }
    new = NewObject(*target, owner=owner, version=version, metadata=metadata)
    return replace(new, user_metadata=found.user_metadata) if keeps else new


async def delete_objects(api: StorageApi, request: Request) -> Response:
    """Delete several objects and give those that were deleted."""
    identity = identity_of(api, request)
    bucket = check_bucket_name(request.path_params["bucket"])
    names = (await read_body(request)).texts("prefixes")
    if len(names) > _DELETED_AT_ONCE:
        message = f"body/prefixes must NOT have more than {_DELETED_AT_ONCE} items"
        raise StorageError(400, "InvalidRequest", message, error="Error")
    async with as_caller(api, request, identity, "storage.object.delete_many") as connection:
        deleted = await objects.delete(connection, bucket, names)
    await cleanup.delete_removed(api)
    return json_answer([gone.to_json() for gone in deleted])


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
