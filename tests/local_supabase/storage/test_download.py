import pytest

from tests.local_supabase.storage.conftest import Storage, refusal

CONTENT = b"0123456789"


async def test_the_headers_of_a_download(service: Storage) -> None:
    bucket = await service.make_bucket()
    await service.upload(bucket, "a.txt", CONTENT, **{"cache-control": "max-age=5"})
    for path in (f"/object/{bucket}/a.txt", f"/object/authenticated/{bucket}/a.txt"):
        answer = await service.get(path)
        assert answer.content == CONTENT
        assert answer.headers["content-type"] == "text/plain"
        assert answer.headers["cache-control"] == "max-age=5"
        assert answer.headers["accept-ranges"] == "bytes"
        assert answer.headers["etag"] == '"781e5e245d69b566979b86e28d23f2c7"'
        assert answer.headers["last-modified"].endswith("GMT")


async def test_parts_of_a_file(service: Storage) -> None:
    bucket = await service.make_bucket()
    await service.upload(bucket, "a.txt", CONTENT)
    path = f"/object/{bucket}/a.txt"
    part = await service.get(path, range="bytes=2-5")
    assert (part.status_code, part.content) == (206, b"2345")
    assert part.headers["content-range"] == "bytes 2-5/10"
    assert part.headers["content-length"] == "4"
    tail = await service.get(path, range="bytes=-3")
    assert tail.content == b"789"
    beyond = await service.get(path, range="bytes=10-")
    assert refusal(beyond) == (416, "416", "InvalidRange")
    assert beyond.headers["content-range"] == "bytes */10"


async def test_a_client_that_has_the_file_gets_304(service: Storage) -> None:
    bucket = await service.make_bucket()
    await service.upload(bucket, "a.txt", CONTENT)
    path = f"/object/{bucket}/a.txt"
    etag = (await service.get(path)).headers["etag"]
    same = await service.get(path, **{"if-none-match": etag})
    assert (same.status_code, same.content) == (304, b"")
    assert refusal(await service.get(path, **{"if-match": '"x"'}))[0] == 412
    await service.upload(bucket, "a.txt", b"new", method="PUT")
    assert (await service.get(path, **{"if-none-match": etag})).content == b"new"


async def test_head_sends_the_headers_only(service: Storage) -> None:
    bucket = await service.make_bucket()
    await service.upload(bucket, "a.txt", CONTENT)
    there = await service.call("HEAD", f"/object/{bucket}/a.txt")
    assert (there.status_code, there.content) == (200, b"")
    assert there.headers["content-length"] == "10"
    missing = await service.call("HEAD", f"/object/{bucket}/b.txt")
    assert missing.status_code == 400


@pytest.mark.parametrize(
    ("download", "disposition"),
    [
        ("", "attachment"),
        ("a b.txt", 'attachment; filename="a b.txt"'),
        ('x"\r\ny', "attachment; filename*=UTF-8''x%22y; filename=\"x_y\""),
    ],
)
async def test_a_download_can_have_a_name(service: Storage, download: str, disposition: str) -> None:
    bucket = await service.make_bucket()
    await service.upload(bucket, "a.txt")
    path = f"/object/{bucket}/a.txt"
    answer = await service.http.get(path, params={"download": download}, headers=service.headers())
    assert answer.headers["content-disposition"] == disposition


async def test_files_that_could_hold_scripts_run_none(service: Storage) -> None:
    bucket = await service.make_bucket(public=True)
    await service.upload(bucket, "a.html", b"<script>", **{"content-type": "text/html"})
    await service.upload(bucket, "a.svg", b"<svg/>", **{"content-type": "image/svg+xml"})
    page = await service.get(f"/object/public/{bucket}/a.html")
    assert page.headers["content-type"] == "text/plain"
    picture = await service.get(f"/object/public/{bucket}/a.svg")
    assert picture.headers["content-type"] == "image/svg+xml"
    for answer in (page, picture):
        assert answer.headers["content-security-policy"].startswith("sandbox")
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_public_bucket_is_for_everybody(service: Storage, stranger: Storage) -> None:
    bucket = await service.make_bucket(public=True)
    await service.upload(bucket, "a.txt", CONTENT)
    for path in (f"/object/public/{bucket}/a.txt", f"/object/{bucket}/a.txt"):
        assert (await stranger.get(path)).content == CONTENT
    for path in (f"/object/info/public/{bucket}/a.txt", f"/object/info/{bucket}/a.txt"):
        assert (await stranger.get(path)).json()["size"] == 10
    missing = await stranger.get(f"/object/public/{bucket}/b.txt")
    assert refusal(missing) == (400, "404", "not_found")


async def test_a_private_bucket_is_for_those_whom_policies_allow(
    service: Storage, member: Storage, visitor: Storage, stranger: Storage, policies: None
) -> None:
    bucket = await service.make_bucket("look")
    await service.upload(bucket, "a.txt", CONTENT)
    path = f"/object/{bucket}/a.txt"
    assert (await member.get(path)).content == CONTENT
    assert refusal(await visitor.get(path))[1:] == ("404", "not_found")
    assert refusal(await stranger.get(path))[1:] == ("404", "Bucket not found")
    assert refusal(await stranger.get(f"/object/public/{bucket}/a.txt"))[1] == "404"
    assert refusal(await stranger.get(f"/object/authenticated/{bucket}/a.txt"))[1] == "400"
    assert refusal(await stranger.get(f"/object/info/{bucket}/a.txt"))[1] == "404"


async def test_images_are_not_transformed(service: Storage) -> None:
    bucket = await service.make_bucket(public=True)
    await service.upload(bucket, "a.png", b"hello", **{"content-type": "image/png"})
    answer = await service.get(f"/render/image/public/{bucket}/a.png?width=10")
    assert refusal(answer) == (400, "403", "FeatureNotEnabled")
    body = {"expiresIn": 60, "transform": {"width": 10}}
    signed = await service.call("POST", f"/object/sign/{bucket}/a.png", body)
    assert refusal(signed) == (400, "403", "FeatureNotEnabled")


@pytest.mark.parametrize("path", ["/upload/resumable", "/upload/resumable/x", "/s3/bucket/key"])
async def test_other_protocols_are_refused(service: Storage, path: str) -> None:
    assert refusal(await service.call("POST", path)) == (501, "501", "NotSupported")
