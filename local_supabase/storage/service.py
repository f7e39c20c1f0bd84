"""The routes of the service, and the assembly of its parts from the stack's settings."""

import asyncio
import tomllib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from local_supabase.context import Context
from local_supabase.storage import (
    buckets,
    cleanup,
    download,
    listing,
    manage,
    signed,
    upload,
)
from local_supabase.storage.api import Handler, StorageApi, as_owner, endpoint, json_answer
from local_supabase.storage.errors import not_supported
from local_supabase.storage.files import FileStore
from local_supabase.storage.settings import StorageSettings

_ALL = ["GET", "POST", "PUT", "PATCH", "DELETE"]


async def health(api: StorageApi, request: Request) -> Response:
    """Answer that the service runs."""
    del api, request
    return json_answer({"healthy": True})


async def refuse_images(api: StorageApi, request: Request) -> Response:
    """Refuse to transform images."""
    del api, request
    raise signed.no_images()


async def refuse_protocol(api: StorageApi, request: Request) -> Response:
    """Refuse the other protocols of hosted Storage."""
    del api, request
    raise not_supported("The embedded Supabase has no resumable uploads, S3, Iceberg or vector protocol")


# The order matters: fixed paths come before those that begin with the name of a bucket.
ENDPOINTS: Sequence[tuple[list[str], str, Handler]] = (
    (["GET"], "/status", health),
    (["GET"], "/health", health),
    (["GET"], "/bucket", buckets.list_buckets),
    (["GET"], "/bucket/", buckets.list_buckets),
    (["POST"], "/bucket", buckets.create_bucket),
    (["POST"], "/bucket/", buckets.create_bucket),
    (["GET"], "/bucket/{bucket}", buckets.get_bucket),
    (["PUT"], "/bucket/{bucket}", buckets.update_bucket),
    (["DELETE"], "/bucket/{bucket}", buckets.delete_bucket),
    (["POST"], "/bucket/{bucket}/empty", buckets.empty_bucket),
    (["POST"], "/object/list/{bucket}", listing.list_objects),
    (["POST"], "/object/list-v2/{bucket}", listing.list_objects_v2),
    (["POST"], "/object/move", manage.move_object),
    (["POST"], "/object/copy", manage.copy_object),
    (["POST"], "/object/upload/sign/{bucket}/{name:path}", signed.sign_upload),
    (["PUT"], "/object/upload/sign/{bucket}/{name:path}", signed.upload_signed),
    (["POST"], "/object/sign/{bucket}/{name:path}", signed.sign_url),
    (["POST"], "/object/sign/{bucket}", signed.sign_urls),
    (["GET"], "/object/sign/{bucket}/{name:path}", signed.get_signed),
    (["GET"], "/object/info/public/{bucket}/{name:path}", download.get_public_info),
    (["GET"], "/object/info/authenticated/{bucket}/{name:path}", download.get_authenticated_info),
    (["GET"], "/object/info/{bucket}/{name:path}", download.get_info),
    (["GET"], "/object/public/{bucket}/{name:path}", download.get_public),
    (["GET"], "/object/authenticated/{bucket}/{name:path}", download.get_authenticated),
    (["GET"], "/object/{bucket}/{name:path}", download.get_object),
    (["POST"], "/object/{bucket}/{name:path}", upload.create_object),
    (["PUT"], "/object/{bucket}/{name:path}", upload.update_object),
    (["DELETE"], "/object/{bucket}/{name:path}", manage.delete_object),
    (["DELETE"], "/object/{bucket}", manage.delete_objects),
    (["GET"], "/render/image/{rest:path}", refuse_images),
    (_ALL, "/upload/resumable", refuse_protocol),
    (_ALL, "/upload/resumable/{rest:path}", refuse_protocol),
    (_ALL, "/s3", refuse_protocol),
    (_ALL, "/s3/{rest:path}", refuse_protocol),
    (_ALL, "/iceberg/{rest:path}", refuse_protocol),
    (_ALL, "/vector/{rest:path}", refuse_protocol),
)


@asynccontextmanager
async def lifespan(context: Context) -> AsyncIterator[None]:
    """Create the folders and the project's buckets, and delete what a crash left."""
    api = make_api(context)
    await asyncio.to_thread(api.files.prepare)
    await declare_buckets(api)
    await cleanup.delete_removed(api)
    await cleanup.delete_orphans(api)
    yield


def routes(context: Context) -> list[BaseRoute]:
    """Return the routes, relative to ``/storage/v1``."""
    return build_routes(make_api(context))


def make_api(context: Context) -> StorageApi:
    """Return the parts of the service."""
    settings = load_settings(context.settings.project)
    return StorageApi(context, settings, FileStore(context.settings.data_dir.storage))


def build_routes(api: StorageApi) -> list[BaseRoute]:
    """Return the routes of an assembled service."""
    return [Route(path, endpoint(api, handler), methods=methods) for methods, path, handler in ENDPOINTS]


def load_settings(project: Path) -> StorageSettings:
    """Read the project's ``config.toml``, if there is one.

    Raises:
        ValueError: the file or a setting in it is invalid; the message names it.
    """
    try:
        table = tomllib.loads((project / "config.toml").read_text()).get("storage", {})
    except FileNotFoundError:
        table = {}
    if not isinstance(table, dict):
        raise ValueError("storage in config.toml must be a table")
    return StorageSettings.from_config(table)


async def declare_buckets(api: StorageApi) -> None:
    """Create the buckets that the project declares, and update those that exist."""
    for name, bucket in api.settings.buckets.items():
        async with as_owner(api) as connection:
            await connection.execute(
                """
                insert into storage.buckets (id, name, public, file_size_limit, allowed_mime_types)
                values ($1, $1, $2, $3, $4::text[])
                on conflict (id) do update set public = excluded.public,
                    file_size_limit = excluded.file_size_limit,
                    allowed_mime_types = excluded.allowed_mime_types, updated_at = now()
                """,
                name,
                bucket.public,
                bucket.file_size_limit,
                None if bucket.allowed_mime_types is None else list(bucket.allowed_mime_types),
            )
