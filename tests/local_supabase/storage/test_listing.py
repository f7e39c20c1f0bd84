import pytest

from tests.local_supabase.storage.conftest import Storage, refusal

NAMES = ("b.txt", "a/1.txt", "a/2.txt", "a/deep/3.txt", "C.txt", "d_1/x.txt", "dx1/y.txt")


@pytest.fixture
async def bucket(service: Storage) -> str:
    bucket = await service.make_bucket()
    for name in NAMES:
        await service.upload(bucket, name)
    return bucket


async def _names(storage: Storage, bucket: str, **body: object) -> list[str]:
    answer = await storage.call("POST", f"/object/list/{bucket}", {"prefix": ""} | body)
    assert answer.status_code == 200, answer.text
    return [entry["name"] for entry in answer.json()]


async def test_a_folder_lists_folders_then_files(service: Storage, bucket: str) -> None:
    answer = await service.call("POST", f"/object/list/{bucket}", {"prefix": ""})
    entries = answer.json()
    assert [(entry["name"], entry["id"] is None) for entry in entries] == [
        ("a", True),
        ("d_1", True),
        ("dx1", True),
        ("C.txt", False),
        ("b.txt", False),
    ]
    assert entries[-1]["metadata"]["size"] == 5
    assert entries[0]["metadata"] is None
    assert await _names(service, bucket, prefix="a") == ["deep", "1.txt", "2.txt"]
    assert await _names(service, bucket, prefix="a/deep/") == ["3.txt"]
    assert await _names(service, bucket, prefix="nowhere") == []


async def test_a_search_finds_beginnings_in_any_case(service: Storage, bucket: str) -> None:
    assert await _names(service, bucket, search="c") == ["C.txt"]
    assert await _names(service, bucket, search="d_") == ["d_1"]
    assert await _names(service, bucket, search="%") == []
    assert await _names(service, bucket, prefix="a", search="2") == ["2.txt"]


async def test_lists_are_sorted_and_limited(service: Storage, bucket: str) -> None:
    newest = {"column": "created_at", "order": "desc"}
    assert (await _names(service, bucket, prefix="a", sortBy=newest))[1:] == ["2.txt", "1.txt"]
    assert await _names(service, bucket, prefix="a", limit=1, offset=1) == ["1.txt"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"prefix": 1},
        {"prefix": "", "limit": 0},
        {"prefix": "", "offset": -1},
        {"prefix": "", "limit": "many"},
        {"prefix": "", "sortBy": "name"},
        {"prefix": "", "sortBy": {"column": "name; drop table storage.objects"}},
        {"prefix": "", "sortBy": {"column": "name", "order": "sideways"}},
    ],
)
async def test_a_wrong_list_is_refused(service: Storage, bucket: str, body: object) -> None:
    assert refusal(await service.call("POST", f"/object/list/{bucket}", body))[1] == "400"


@pytest.mark.parametrize("column", ["name", "created_at", "updated_at"])
@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("with_delimiter", [True, False])
async def test_pages_hold_everything_once_in_order(
    service: Storage, bucket: str, column: str, order: str, with_delimiter: bool
) -> None:
    sort_by = {"column": column, "order": order}
    body: dict[str, object] = {"limit": 2, "with_delimiter": with_delimiter, "sortBy": sort_by}
    seen: list[str] = []
    while True:
        page = (await service.call("POST", f"/object/list-v2/{bucket}", body)).json()
        seen += [entry["name"] for entry in page["folders"] + page["objects"]]
        if not page["hasNext"]:
            break
        body["cursor"] = page["nextCursor"]
    wanted = {"a/", "d_1/", "dx1/", "b.txt", "C.txt"} if with_delimiter else set(NAMES)
    assert set(seen) == wanted
    assert len(seen) == len(wanted)
    if column == "name" and not with_delimiter:
        assert seen == sorted(NAMES, reverse=order == "desc")


async def test_a_prefix_of_pages_is_any_beginning(service: Storage, bucket: str) -> None:
    body = {"prefix": "a/", "with_delimiter": True}
    page = (await service.call("POST", f"/object/list-v2/{bucket}", body)).json()
    assert [folder["name"] for folder in page["folders"]] == ["a/deep/"]
    assert [found["name"] for found in page["objects"]] == ["a/1.txt", "a/2.txt"]
    assert page["hasNext"] is False


@pytest.mark.parametrize("cursor", ["nonsense", "e30=", "WzEsMiwzXQ==", "ü"])
async def test_a_wrong_cursor_is_refused(service: Storage, bucket: str, cursor: str) -> None:
    answer = await service.call("POST", f"/object/list-v2/{bucket}", {"cursor": cursor})
    assert refusal(answer)[1] == "400"


async def test_policies_decide_what_is_listed(
    service: Storage, member: Storage, other: Storage, policies: None
) -> None:
    bucket = await service.make_bucket("own")
    await member.upload(bucket, f"{member.user_id}/a.txt")
    await other.upload(bucket, f"{other.user_id}/b.txt")
    assert await _names(member, bucket) == [member.user_id]
    page = (await member.call("POST", f"/object/list-v2/{bucket}", {})).json()
    assert [found["name"] for found in page["objects"]] == [f"{member.user_id}/a.txt"]
