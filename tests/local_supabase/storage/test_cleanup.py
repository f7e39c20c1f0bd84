import logging
import os
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from local_supabase.context import Context
from local_supabase.database import Database
from local_supabase.identity import TokenVerifier
from local_supabase.keys import load_keys
from local_supabase.settings import Settings
from local_supabase.stack.datadir import DataDir
from local_supabase.stack.runtime import StackInfo
from local_supabase.storage import cleanup
from local_supabase.storage.api import StorageApi
from local_supabase.storage.files import FileStore
from local_supabase.storage.service import declare_buckets
from local_supabase.storage.settings import BucketSettings, StorageSettings
from tests.local_supabase.storage.conftest import Storage


@pytest.fixture
async def api(stack: StackInfo, tmp_path: Path) -> AsyncIterator[StorageApi]:
    """Return a service in this process, with its own folder, on the stack's database."""
    keys = load_keys(DataDir(stack.data_dir))
    port, database_port = urlsplit(stack.url).port or 0, urlsplit(stack.database_url).port or 0
    settings = Settings(port, database_port, 0, stack.data_dir, DataDir(stack.data_dir))
    database = await Database.open(settings, keys)
    verifier = TokenVerifier(keys.jwt_secret)
    context = Context(settings, keys, database, verifier, logging.getLogger("test"))
    declared = {"declared": BucketSettings(public=True, file_size_limit=10)}
    files = FileStore(tmp_path)
    files.prepare()
    yield StorageApi(context, StorageSettings(buckets=declared), files)
    await database.close()


def _file(files: FileStore) -> str:
    draft = files.new_draft()
    draft.write(b"x")
    return draft.finish().version


async def test_files_without_an_object_are_deleted_at_start(
    api: StorageApi, service: Storage, stack: StackInfo, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = await service.make_bucket()
    await service.upload(bucket, "a.txt")
    version = (await service.get(f"/object/info/{bucket}/a.txt")).json()["version"]
    kept = api.files.path(version)
    kept.parent.mkdir(exist_ok=True)
    os.link(FileStore(stack.data_dir / "storage").path(version), kept)
    orphan = _file(api.files)
    await cleanup.delete_orphans(api)
    assert set(api.files.versions(older_than=-60)) == {version, orphan}
    monkeypatch.setattr(cleanup, "_COMMIT_SECONDS", -60.0)
    await cleanup.delete_orphans(api)
    assert set(api.files.versions(older_than=-60)) == {version}


async def test_declared_buckets_are_created_and_updated(api: StorageApi, service: Storage) -> None:
    for _ in range(2):
        await declare_buckets(api)
        bucket = (await service.get("/bucket/declared")).json()
        assert (bucket["public"], bucket["file_size_limit"]) == (True, 10)
        await service.call("PUT", "/bucket/declared", {"public": False})
    await service.call("DELETE", "/bucket/declared")
