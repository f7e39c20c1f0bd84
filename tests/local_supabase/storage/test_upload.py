import asyncio
import base64
import json
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from local_supabase.stack.runtime import StackInfo
from tests.local_supabase.storage.conftest import Storage, refusal

if TYPE_CHECKING:
    import asyncpg


def _versions(stack: StackInfo) -> set[str]:
    folder = stack.data_dir / "storage"
    return {path.name for path in folder.rglob("*") if path.is_file()}


async def test_raw_bytes_become_an_object(service: Storage) -> None:
    bucket = await service.make_bucket()
    metadata = base64.b64encode(json.dumps({"n": 1}).encode()).decode()
    answer = await service.upload(
        bucket, "a/b.txt", b"hello", **{"cache-control": "max-age=60", "x-metadata": metadata}
    )
    assert answer.status_code == 200
    assert answer.json()["Key"] == f"{bucket}/a/b.txt"
    info = (await service.get(f"/object/info/{bucket}/a/b.txt")).json()
    assert info["id"] == answer.json()["Id"]
    assert (info["name"], info["bucket_id"], info["size"]) == ("a/b.txt", bucket, 5)
    assert (info["content_type"], info["cache_control"]) == ("text/plain", "max-age=60")
    assert info["metadata"] == {"n": 1}


async def test_a_form_becomes_an_object(service: Storage) -> None:
    bucket = await service.make_bucket()
    answer = await service.http.post(
        f"/object/{bucket}/pic.png",
        files={"": ("pic.png", b"\x89PNG", "image/png")},
        data={"cacheControl": "3600", "metadata": '{"n": 2}'},
        headers=service.headers(),
    )
    assert answer.status_code == 200
    info = (await service.get(f"/object/info/{bucket}/pic.png")).json()
    assert (info["content_type"], info["cache_control"]) == ("image/png", "max-age=3600")
    assert info["metadata"] == {"n": 2}


async def test_a_taken_name_needs_upsert(service: Storage) -> None:
    bucket = await service.make_bucket()
    first = await service.upload(bucket, "a.txt", b"one")
    assert refusal(await service.upload(bucket, "a.txt", b"two")) == (400, "409", "Duplicate")
    assert (await service.get(f"/object/{bucket}/a.txt")).content == b"one"
    second = await service.upload(bucket, "a.txt", b"two", **{"x-upsert": "true"})
    assert second.json()["Id"] == first.json()["Id"]
    third = await service.upload(bucket, "a.txt", b"three", method="PUT")
    assert third.status_code == 200
    assert (await service.get(f"/object/{bucket}/a.txt")).content == b"three"


async def test_replaced_and_refused_files_leave_nothing(service: Storage, stack: StackInfo) -> None:
    bucket = await service.make_bucket(file_size_limit=10)
    before = _versions(stack)
    await service.upload(bucket, "a.txt", b"one")
    await service.upload(bucket, "a.txt", b"two", method="PUT")
    await service.upload(bucket, "a.txt", b"taken")
    await service.upload(bucket, "b.txt", b"x" * 11)
    assert len(_versions(stack) - before) == 1
    await service.call("DELETE", f"/object/{bucket}", {"prefixes": ["a.txt"]})
    assert _versions(stack) == before


@pytest.mark.parametrize("size", [11, 300_000, 3_000_000])
async def test_a_file_beyond_the_limit_is_refused(service: Storage, size: int) -> None:
    bucket = await service.make_bucket(file_size_limit=10)
    raw = await service.upload(bucket, "a.txt", b"x" * size)
    assert refusal(raw) == (400, "413", "Payload too large")
    form = await service.http.post(
        f"/object/{bucket}/a.txt", files={"file": b"x" * size}, headers=service.headers()
    )
    assert refusal(form) == (400, "413", "Payload too large")


async def test_a_bucket_accepts_only_its_types(service: Storage) -> None:
    bucket = await service.make_bucket(allowed_mime_types=["image/*"])
    answer = await service.upload(bucket, "a.txt")
    assert refusal(answer) == (400, "415", "invalid_mime_type")
    good = await service.upload(bucket, "a.png", b"hello", **{"content-type": "image/png"})
    assert good.status_code == 200


@pytest.mark.parametrize(
    "name",
    ["%2e%2e/x.txt", "a/%2e%2e/%2e%2e/x.txt", "%2e%2e%2f%2e%2e%2fsecrets.json", "%2Fetc/passwd", "a%00b",
     "%C3%BC.txt", "a%5Cb", "x" * 1025],
)  # fmt: skip
async def test_names_that_leave_the_bucket_are_refused(service: Storage, name: str) -> None:
    bucket = await service.make_bucket()
    assert refusal(await service.upload(bucket, name)) == (400, "400", "InvalidKey")
    assert (await service.get(f"/object/{bucket}/{name}")).status_code == 400


async def test_a_missing_bucket_is_refused(service: Storage) -> None:
    assert refusal(await service.upload("nowhere", "a.txt"))[1:] == ("404", "Bucket not found")


async def test_a_form_without_a_file_is_refused(service: Storage) -> None:
    bucket = await service.make_bucket()
    path = f"/object/{bucket}/a.txt"
    no_file = await service.http.post(path, files={"x": (None, b"y")}, headers=service.headers())
    assert no_file.json()["message"] == "No content provided"
    broken = service.headers(**{"content-type": "multipart/form-data"})
    assert refusal(await service.http.post(path, content=b"x", headers=broken))[1] == "400"


async def test_policies_decide_who_uploads(
    service: Storage, member: Storage, other: Storage, visitor: Storage, policies: None
) -> None:
    bucket = await service.make_bucket("own")
    name = f"{member.user_id}/a.txt"
    for uploader in (other, visitor):
        refused = await uploader.upload(bucket, name)
        assert refusal(refused) == (400, "403", "Unauthorized")
        assert refused.json()["message"] == "new row violates row-level security policy"
    assert (await member.upload(bucket, name)).status_code == 200
    again = await member.upload(bucket, name, b"new", **{"x-upsert": "true"})
    assert again.status_code == 200
    assert refusal(await other.upload(bucket, name, b"mine", method="PUT"))[1] == "403"
    assert (await member.get(f"/object/{bucket}/{name}")).content == b"new"


async def test_the_right_to_insert_is_enough_to_upload(
    service: Storage, member: Storage, policies: None, sql: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    bucket = await service.make_bucket("drop")
    assert (await member.upload(bucket, "a.txt")).status_code == 200
    assert refusal(await member.get(f"/object/{bucket}/a.txt"))[1] == "404"
    query = "select owner::text, owner_id from storage.objects where bucket_id = $1"
    record = await sql.fetchrow(query, bucket)
    assert record is not None
    assert tuple(record) == (member.user_id, member.user_id)


async def test_uploads_of_one_name_at_once_leave_one_file(service: Storage, stack: StackInfo) -> None:
    bucket = await service.make_bucket()
    before = _versions(stack)
    contents = [f"{number}".encode() * 1000 for number in range(6)]
    upsert = {"x-upsert": "true"}
    answers = await asyncio.gather(
        *(service.upload(bucket, "a.txt", content, **upsert) for content in contents)
    )
    assert {answer.status_code for answer in answers} == {200}
    assert (await service.get(f"/object/{bucket}/a.txt")).content in contents
    assert len(_versions(stack) - before) == 1


async def test_a_large_file_arrives_whole(service: Storage, tmp_path: Path) -> None:
    bucket = await service.make_bucket()
    content = bytes(range(256)) * 40_000
    await service.upload(bucket, "big.bin", content)
    answer = await service.get(f"/object/{bucket}/big.bin")
    assert answer.content == content
    assert answer.headers["content-length"] == str(len(content))


async def test_a_row_made_by_sql_has_no_file(
    service: Storage, sql: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    bucket = await service.make_bucket()
    statement = "insert into storage.objects (bucket_id, name, version) values ($1, $2, $3)"
    await sql.execute(statement, bucket, "a.txt", "../../secrets.json")
    await sql.execute(statement, bucket, "b.txt", str(uuid4()))
    for name in ("a.txt", "b.txt"):
        assert refusal(await service.get(f"/object/{bucket}/{name}"))[1] == "404"
    gone = await service.call("DELETE", f"/object/{bucket}", {"prefixes": ["a.txt", "b.txt"]})
    assert len(gone.json()) == 2
