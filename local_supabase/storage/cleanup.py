"""Deleting files that no object names any more: after each change, and at start what a crash left."""

import asyncio
from itertools import islice

from local_supabase.storage import objects
from local_supabase.storage.api import StorageApi, as_owner

_BATCH = 500
_COMMIT_SECONDS = 60.0


async def delete_removed(api: StorageApi) -> None:
    """Delete the files of objects that were deleted or replaced, by whatever way."""
    while True:
        async with as_owner(api) as connection:
            versions = await objects.removed_files(connection, _BATCH)
            await asyncio.to_thread(_unlink, api, versions)
            await objects.forget_removed(connection, versions)
        if len(versions) < _BATCH:
            return


def _unlink(api: StorageApi, versions: list[str]) -> None:
    for version in versions:
        try:
            api.files.delete(version)
        except ValueError:  # a row made by SQL, whose version never was a file
            continue


async def delete_orphans(api: StorageApi) -> None:
    """Delete the files that were complete when the server died, before an object named them.

    The youngest are left for the next start: the last commit of a server that died may still be under way.
    """
    listing = api.files.versions(older_than=_COMMIT_SECONDS)
    while versions := await asyncio.to_thread(lambda: list(islice(listing, _BATCH))):
        async with as_owner(api) as connection:
            known = await objects.known_versions(connection, versions)
        await asyncio.to_thread(_unlink, api, [version for version in versions if version not in known])
