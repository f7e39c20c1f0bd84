import pytest

from tests.local_supabase.storage.conftest import Storage, refusal


def _both(bucket: str, source: str, target: str, **more: object) -> dict[str, object]:
    return {"bucketId": bucket, "sourceKey": source, "destinationKey": target, **more}


async def test_a_moved_object_keeps_its_file_and_id(service: Storage) -> None:
    bucket = await service.make_bucket()
    made = (await service.upload(bucket, "a.txt", b"one")).json()
    moved = await service.call("POST", "/object/move", _both(bucket, "a.txt", "b/c.txt"))
    assert moved.json() == {"message": "Successfully moved", "Id": made["Id"], "Key": "b/c.txt"}
    assert (await service.get(f"/object/{bucket}/b/c.txt")).content == b"one"
    assert refusal(await service.get(f"/object/{bucket}/a.txt"))[1] == "404"


async def test_an_object_moves_and_is_copied_to_another_bucket(service: Storage) -> None:
    one, two = await service.make_bucket(), await service.make_bucket()
    await service.upload(one, "a.txt", b"one")
    body = _both(one, "a.txt", "b.txt", destinationBucket=two)
    copied = (await service.call("POST", "/object/copy", body)).json()
    assert copied["Key"] == f"{two}/b.txt"
    assert copied["name"] == "b.txt"
    body = _both(one, "a.txt", "c.txt", destinationBucket=two)
    assert (await service.call("POST", "/object/move", body)).status_code == 200
    for name in ("b.txt", "c.txt"):
        assert (await service.get(f"/object/{two}/{name}")).content == b"one"


async def test_a_copy_lives_on_without_its_original(service: Storage) -> None:
    bucket = await service.make_bucket()
    await service.upload(bucket, "a.txt", b"one")
    await service.call("POST", "/object/copy", _both(bucket, "a.txt", "b.txt"))
    gone = await service.call("DELETE", f"/object/{bucket}/a.txt")
    assert gone.json() == {"message": "Successfully deleted"}
    assert (await service.get(f"/object/{bucket}/b.txt")).content == b"one"


@pytest.mark.parametrize("path", ["/object/move", "/object/copy"])
async def test_a_taken_or_wrong_destination_is_refused(service: Storage, path: str) -> None:
    bucket = await service.make_bucket()
    await service.upload(bucket, "a.txt", b"one")
    await service.upload(bucket, "b.txt", b"two")
    taken = await service.call("POST", path, _both(bucket, "a.txt", "b.txt"))
    assert refusal(taken) == (400, "409", "Duplicate")
    missing = await service.call("POST", path, _both(bucket, "x.txt", "c.txt"))
    assert refusal(missing) == (400, "404", "not_found")
    wrong = await service.call("POST", path, _both(bucket, "a.txt", "../c.txt"))
    assert refusal(wrong) == (400, "400", "InvalidKey")
    nowhere = await service.call("POST", path, _both(bucket, "a.txt", "c", destinationBucket="no"))
    assert refusal(nowhere)[1] == "404"
    assert refusal(await service.call("POST", path, {"bucketId": bucket}))[1] == "400"
    assert (await service.get(f"/object/{bucket}/b.txt")).content == b"two"


async def test_a_copy_may_replace(service: Storage) -> None:
    bucket = await service.make_bucket()
    await service.upload(bucket, "a.txt", b"one")
    await service.upload(bucket, "b.txt", b"two")
    body = _both(bucket, "a.txt", "b.txt")
    answer = await service.call("POST", "/object/copy", body, **{"x-upsert": "true"})
    assert answer.status_code == 200
    assert (await service.get(f"/object/{bucket}/b.txt")).content == b"one"


async def test_several_objects_are_deleted_at_once(service: Storage) -> None:
    bucket = await service.make_bucket()
    await service.upload(bucket, "a.txt")
    await service.upload(bucket, "b.txt")
    body = {"prefixes": ["a.txt", "b.txt", "c.txt"]}
    gone = (await service.call("DELETE", f"/object/{bucket}", body)).json()
    assert sorted(deleted["name"] for deleted in gone) == ["a.txt", "b.txt"]
    assert gone[0]["bucket_id"] == bucket
    assert (await service.call("DELETE", f"/object/{bucket}", body)).json() == []
    assert refusal(await service.call("DELETE", f"/object/{bucket}/a.txt"))[1] == "404"
    wrong_bodies: list[dict[str, object]] = [{}, {"prefixes": []}, {"prefixes": "a"}, {"prefixes": [1]}]
    for wrong in wrong_bodies:
        assert refusal(await service.call("DELETE", f"/object/{bucket}", wrong))[1] == "400"


async def test_policies_decide_who_moves_copies_and_deletes(
    service: Storage, member: Storage, other: Storage, policies: None
) -> None:
    bucket = await service.make_bucket("own")
    mine = f"{member.user_id}/a.txt"
    await member.upload(bucket, mine, b"mine")
    for path in ("/object/move", "/object/copy"):
        stolen = await other.call("POST", path, _both(bucket, mine, f"{other.user_id}/a.txt"))
        assert refusal(stolen)[1] == "404"
        planted = await member.call("POST", path, _both(bucket, mine, f"{other.user_id}/a.txt"))
        assert refusal(planted)[1] == "403"
    assert (await other.call("DELETE", f"/object/{bucket}", {"prefixes": [mine]})).json() == []
    assert refusal(await other.call("DELETE", f"/object/{bucket}/{mine}"))[1] == "404"
    moved = await member.call("POST", "/object/move", _both(bucket, mine, f"{member.user_id}/b.txt"))
    assert moved.status_code == 200
    assert (await member.get(f"/object/{bucket}/{member.user_id}/b.txt")).content == b"mine"
