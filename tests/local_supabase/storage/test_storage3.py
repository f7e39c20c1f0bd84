"""The real client of supabase-py against the running stack."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from storage3.exceptions import StorageApiError
from supabase import Client, ClientOptions, create_client

from local_supabase.stack.runtime import StackInfo


@pytest.fixture
def client(stack: StackInfo) -> Iterator[Client]:
    with httpx.Client() as http:
        options = ClientOptions(auto_refresh_token=False, persist_session=False, httpx_client=http)
        yield create_client(stack.url, stack.service_key, options)


def test_buckets(client: Client) -> None:
    storage, name = client.storage, f"py-{uuid4().hex[:8]}"
    storage.create_bucket(name, options={"public": True, "file_size_limit": 1000})
    bucket = storage.get_bucket(name)
    assert (bucket.public, bucket.file_size_limit) == (True, 1000)
    assert name in [listed.id for listed in storage.list_buckets()]
    assert storage.update_bucket(name, {"public": False})["message"] == "Successfully updated"
    assert storage.empty_bucket(name)["message"] == "Successfully emptied"
    assert storage.delete_bucket(name)["message"] == "Successfully deleted"
    with pytest.raises(StorageApiError) as gone:
        storage.get_bucket(name)
    assert (gone.value.status, gone.value.code) == ("404", "Bucket not found")


def test_files(client: Client, tmp_path: Path) -> None:
    name = f"py-{uuid4().hex[:8]}"
    client.storage.create_bucket(name, options={"public": True})
    bucket = client.storage.from_(name)
    path = tmp_path / "b.txt"
    path.write_bytes(b"from a file")
    uploaded = bucket.upload("a/b c.txt", path, {"content-type": "text/plain", "metadata": {"n": 1}})
    assert uploaded.full_path == f"{name}/a/b c.txt"
    assert bucket.download("a/b c.txt") == b"from a file"
    assert bucket.info("a/b c.txt")["metadata"] == {"n": 1}
    assert bucket.exists("a/b c.txt")
    assert not bucket.exists("nothing")
    bucket.update("a/b c.txt", b"changed", {"content-type": "text/plain"})
    assert httpx.get(bucket.get_public_url("a/b c.txt")).content == b"changed"
    signed = bucket.create_signed_url("a/b c.txt", 60, {"download": "ü.txt"})["signedURL"]
    assert signed is not None
    answer = httpx.get(signed)
    assert answer.content == b"changed"
    assert "filename*=UTF-8''%C3%BC.txt" in answer.headers["content-disposition"]
    bucket.upload("a?b c.txt", b"reserved", {"content-type": "text/plain"})
    reserved = bucket.create_signed_url("a?b c.txt", 60)["signedURL"]
    assert reserved is not None
    assert httpx.get(reserved).content == b"reserved"
    bucket.remove(["a?b c.txt"])
    several = bucket.create_signed_urls(["a/b c.txt", "nothing"], 60)
    assert [entry["error"] is None for entry in several] == [True, False]
    ticket = bucket.create_signed_upload_url("signed.txt")
    bucket.upload_to_signed_url("signed.txt", ticket["token"], b"signed")
    bucket.copy("signed.txt", "copied.txt")
    bucket.move("copied.txt", "moved.txt")
    assert bucket.download("moved.txt") == b"signed"
    assert [entry["name"] for entry in bucket.list()] == ["a", "moved.txt", "signed.txt"]
    page = bucket.list_v2({"with_delimiter": True, "limit": 2})
    assert page.hasNext
    assert [folder.name for folder in page.folders] == ["a/"]
    assert len(bucket.remove(["moved.txt", "signed.txt"])) == 2
    with pytest.raises(StorageApiError) as missing:
        bucket.download("moved.txt")
    assert (missing.value.status, missing.value.code) == ("404", "not_found")
