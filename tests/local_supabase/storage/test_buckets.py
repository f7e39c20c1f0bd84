from typing import TYPE_CHECKING

import pytest

from tests.local_supabase.storage.conftest import Storage, refusal

if TYPE_CHECKING:
    import asyncpg


async def test_a_bucket_is_created_updated_and_deleted(service: Storage) -> None:
    bucket = await service.make_bucket(file_size_limit="1MB", allowed_mime_types=["image/*"])
    made = (await service.get(f"/bucket/{bucket}")).json()
    assert (made["id"], made["name"], made["public"], made["owner"]) == (bucket, bucket, False, "")
    assert (made["file_size_limit"], made["allowed_mime_types"]) == (1_000_000, ["image/*"])
    assert made in (await service.get("/bucket")).json()
    body = {"public": True, "file_size_limit": None}
    changed = await service.call("PUT", f"/bucket/{bucket}", body)
    assert changed.json() == {"message": "Successfully updated"}
    now = (await service.get(f"/bucket/{bucket}")).json()
    assert (now["public"], now["file_size_limit"]) == (True, None)
    assert now["allowed_mime_types"] == ["image/*"]
    gone = await service.call("DELETE", f"/bucket/{bucket}", {})
    assert gone.json() == {"message": "Successfully deleted"}
    assert refusal(await service.get(f"/bucket/{bucket}")) == (400, "404", "Bucket not found")


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ({}, "400", "Error"),
        ({"name": 1}, "400", "Error"),
        ({"name": "a/b"}, "400", "Invalid Input"),
        ({"name": ""}, "400", "Invalid Input"),
        ({"name": "x", "public": "maybe"}, "400", "Error"),
        ({"name": "x", "file_size_limit": "much"}, "400", "InvalidRequest"),
        ({"name": "x", "file_size_limit": -1}, "400", "Error"),
        ({"name": "x", "file_size_limit": "900GB"}, "413", "Payload too large"),
        ({"name": "x", "allowed_mime_types": ["png"]}, "415", "invalid_mime_type"),
        ({"name": "x", "allowed_mime_types": "image/*"}, "400", "Error"),
        ({"name": "x", "type": "ANALYTICS"}, "501", "NotSupported"),
    ],
)
async def test_a_wrong_bucket_is_refused(service: Storage, body: object, status: str, error: str) -> None:
    answer = await service.call("POST", "/bucket", body)
    assert refusal(answer)[1:] == (status, error)


async def test_a_taken_name_is_refused(service: Storage) -> None:
    bucket = await service.make_bucket()
    answer = await service.call("POST", "/bucket", {"name": bucket})
    assert refusal(answer) == (400, "409", "Duplicate")


async def test_a_bucket_must_be_empty_to_be_deleted(service: Storage) -> None:
    bucket = await service.make_bucket()
    for number in range(3):
        await service.upload(bucket, f"a/{number}.txt")
    refused = await service.call("DELETE", f"/bucket/{bucket}")
    assert refusal(refused) == (400, "409", "ResourceNotEmpty")
    emptied = await service.call("POST", f"/bucket/{bucket}/empty", {})
    assert emptied.json() == {"message": "Successfully emptied"}
    assert (await service.call("DELETE", f"/bucket/{bucket}")).status_code == 200


async def test_policies_decide_who_sees_and_creates_buckets(
    service: Storage, member: Storage, visitor: Storage, policies: None
) -> None:
    looked, hidden = await service.make_bucket("look"), await service.make_bucket("hide")
    assert [bucket["id"] for bucket in (await visitor.get("/bucket")).json()] == []
    seen = {bucket["id"] for bucket in (await member.get("/bucket")).json()}
    assert looked in seen
    assert hidden not in seen
    assert refusal(await member.get(f"/bucket/{hidden}"))[1] == "404"
    refused = await member.call("POST", "/bucket", {"name": f"{looked}2"})
    assert refusal(refused) == (400, "403", "Unauthorized")
    assert refused.json()["message"] == "new row violates row-level security policy"
    assert refusal(await member.call("PUT", f"/bucket/{looked}", {"public": True}))[1] == "404"
    assert refusal(await member.call("DELETE", f"/bucket/{looked}"))[1] == "404"
    assert (await service.get(f"/bucket/{looked}")).status_code == 200


async def test_emptying_needs_the_right_to_delete(service: Storage, member: Storage, policies: None) -> None:
    bucket = await service.make_bucket("look")
    await service.upload(bucket, "a.txt")
    refused = await member.call("POST", f"/bucket/{bucket}/empty")
    assert refusal(refused)[1] == "403"
    assert "you may have SELECT but not DELETE permissions" in refused.json()["message"]


async def test_a_token_is_needed_and_checked(stranger: Storage) -> None:
    assert refusal(await stranger.get("/bucket")) == (400, "400", "Error")
    wrong = Storage(stranger.http, "nonsense")
    assert refusal(await wrong.get("/bucket")) == (400, "403", "Unauthorized")


async def test_rows_cannot_be_deleted_behind_the_services_back(
    service: Storage, sql: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    import asyncpg

    bucket = await service.make_bucket()
    await service.upload(bucket, "a.txt")
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="Use the Storage API instead"):
        await sql.execute("delete from storage.objects where bucket_id = $1", bucket)


async def test_helpers_of_policies_take_names_apart(sql: "asyncpg.Connection[asyncpg.Record]") -> None:
    record = await sql.fetchrow(
        "select storage.foldername($1), storage.filename($1), storage.extension($1)", "a/b/c.tar.gz"
    )
    assert record is not None
    assert tuple(record) == (["a", "b"], "c.tar.gz", "gz")
    assert await sql.fetchval("select storage.foldername('c.txt')") == []
