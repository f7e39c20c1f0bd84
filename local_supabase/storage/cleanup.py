"""Deletes files that no object refers to: after each change, and at the start what a crash left."""

import asyncio
from itertools import islice

from local_supabase.storage import objects
from local_supabase.storage.api import StorageApi, as_owner

_BATCH = 500
_COMMIT_SECONDS = 60.0


async def delete_removed(api: StorageApi) -> None:
    """Delete the files of objects that were deleted or replaced, also of those deleted by SQL."""
    while True:
        async with as_owner(api) as connection:
            versions = await objects.removed_files(connection, _BATCH)
            await asyncio.to_thread(_unlink, api, versions)
            await objects.delete_removed_versions(connection, versions)
        if len(versions) < _BATCH:
            return


def _unlink(api: StorageApi, versions: list[str]) -> None:
    for version in versions:
        try:
            api.files.delete(version)
        except ValueError:  # a row inserted by SQL, whose version is not the name of a file
            continue


async def delete_orphans(api: StorageApi) -> None:
    """Delete files that were complete when the gateway was killed, before a row referred to them.

    The newest are left for the next start, because the last commit of a killed gateway may still be running.
    """
    listing = api.files.versions(older_than=_COMMIT_SECONDS)
    while versions := await asyncio.to_thread(lambda: list(islice(listing, _BATCH))):
        async with as_owner(api) as connection:
            known = await objects.known_versions(connection, versions)
        await asyncio.to_thread(_unlink, api, [version for version in versions if version not in known])
