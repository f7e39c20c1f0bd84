import time
from urllib.parse import quote

import jwt
import pytest

from local_supabase.keys import load_keys
from local_supabase.stack.datadir import DataDir
from local_supabase.stack.runtime import StackInfo
from tests.local_supabase.storage.conftest import Storage, refusal

URL = "signedURL"


async def _signed(storage: Storage, bucket: str, name: str, seconds: object = 60) -> str:
    answer = await storage.call("POST", f"/object/sign/{bucket}/{name}", {"expiresIn": seconds})
    assert answer.status_code == 200, answer.text
    url: str = answer.json()[URL]
    return url


async def test_a_signed_url_opens_one_object_to_everybody(service: Storage, stranger: Storage) -> None:
    bucket = await service.make_bucket()
    await service.upload(bucket, "a b.txt", b"one")
    await service.upload(bucket, "c.txt", b"two")
    url = await _signed(service, bucket, "a b.txt", "60")
    answer = await stranger.get(url)
    assert answer.content == b"one"
    assert "expires" in answer.headers
    token = url.partition("token=")[2]
    wrong = await stranger.get(f"/object/sign/{bucket}/c.txt?token={token}")
    assert refusal(wrong) == (400, "400", "InvalidSignature")


async def test_invalid_tokens_are_refused(stack: StackInfo, service: Storage, stranger: Storage) -> None:
    bucket = await service.make_bucket()
    await service.upload(bucket, "a.txt")
    secret = load_keys(DataDir(stack.data_dir)).jwt_secret
    path = f"/object/sign/{bucket}/a.txt"
    claims = {"url": f"{bucket}/a.txt"}
    tokens = [
        "nonsense",
        jwt.encode(claims | {"exp": time.time() - 1}, secret, algorithm="HS256"),
        jwt.encode(claims | {"exp": time.time() + 60}, "x" * 40, algorithm="HS256"),
        jwt.encode(claims, secret, algorithm="HS256"),
        stack.service_key,
    ]
    for token in tokens:
        answer = await stranger.get(f"{path}?token={token}")
        assert refusal(answer)[1] == "400"
        assert answer.json()["error"] in ("InvalidJWT", "InvalidSignature")
    assert refusal(await stranger.get(path))[1:] == ("400", "Error")


async def test_a_token_of_a_signed_url_identifies_no_user(service: Storage, stranger: Storage) -> None:
    bucket = await service.make_bucket()
    await service.upload(bucket, "a.txt")
    token = (await _signed(service, bucket, "a.txt")).partition("token=")[2]
    bearer = Storage(stranger.http, token)
    assert refusal(await bearer.get(f"/object/{bucket}/a.txt"))[1] == "404"
    assert refusal(await bearer.upload(bucket, "b.txt"))[1] == "403"


async def test_only_what_one_may_read_can_be_signed(
    service: Storage, member: Storage, visitor: Storage, policies: None
) -> None:
    bucket = await service.make_bucket("look")
    await service.upload(bucket, "a.txt")
    assert await _signed(member, bucket, "a.txt")
    refused = await visitor.call("POST", f"/object/sign/{bucket}/a.txt", {"expiresIn": 60})
    assert refusal(refused) == (400, "404", "not_found")


@pytest.mark.parametrize("seconds", [None, 0, -1, "soon", 1.5, True])
async def test_a_wrong_time_is_refused(service: Storage, seconds: object) -> None:
    bucket = await service.make_bucket()
    await service.upload(bucket, "a.txt")
    answer = await service.call("POST", f"/object/sign/{bucket}/a.txt", {"expiresIn": seconds})
    assert refusal(answer)[1] == "400"


@pytest.mark.parametrize("name", ["a?b.txt", "a ?token=x&y=z.txt", "!(1)'&$@=;:+,?.txt", "a+b/c?/d.txt"])
async def test_names_with_reserved_characters_are_encoded(
    service: Storage, stranger: Storage, name: str
) -> None:
    bucket = await service.make_bucket()
    address = f"/object/upload/sign/{bucket}/{quote(name)}"
    signed = (await service.call("POST", address)).json()["url"]
    assert (await stranger.http.put(signed, content=b"one")).json()["Key"] == f"{bucket}/{name}"
    url = await _signed(service, bucket, quote(name))
    [entry] = (
        await service.call("POST", f"/object/sign/{bucket}", {"expiresIn": 60, "paths": [name]})
    ).json()
    for each in (url, entry[URL]):
        assert (await stranger.get(each)).content == b"one"
        # supabase-js applies encodeURI to the address, which encodes each "%" once more.
        path, _, query = each.partition("?")
        assert (await stranger.get(f"{path.replace('%', '%25')}?{query}")).content == b"one"


async def test_no_cache_answers_for_an_address(service: Storage, stranger: Storage) -> None:
    bucket = await service.make_bucket()
    await service.upload(bucket, "a.txt", b"one", **{"cache-control": "max-age=3600"})
    answer = await stranger.get(await _signed(service, bucket, "a.txt"))
    assert answer.headers["cache-control"] == "private, no-cache"


async def test_several_urls_are_signed_at_once(service: Storage, stranger: Storage) -> None:
    bucket = await service.make_bucket()
    await service.upload(bucket, "a.txt", b"one")
    body = {"expiresIn": 60, "paths": ["a.txt", "b.txt"]}
    first, second = (await service.call("POST", f"/object/sign/{bucket}", body)).json()
    assert (first["error"], first["path"]) == (None, "a.txt")
    assert (await stranger.get(first[URL])).content == b"one"
    assert second == {
        "error": "Either the object does not exist or you do not have access to it",
        "path": "b.txt",
        "signedURL": None,
    }
    for wrong in ({"expiresIn": 60, "paths": []}, {"expiresIn": 60}, {"paths": ["a.txt"]}):
        assert refusal(await service.call("POST", f"/object/sign/{bucket}", wrong))[1] == "400"


async def test_a_signed_upload_is_for_one_object(
    service: Storage, member: Storage, stranger: Storage, policies: None
) -> None:
    bucket = await service.make_bucket("own")
    name = f"{member.user_id}/a.txt"
    signed = (await member.call("POST", f"/object/upload/sign/{bucket}/{name}")).json()
    assert signed["token"] in signed["url"]
    put = {"content": b"signed", "headers": {"content-type": "text/plain"}}
    elsewhere = f"/object/upload/sign/{bucket}/b.txt?token={signed['token']}"
    assert refusal(await stranger.http.put(elsewhere, content=b"x"))[2] == "InvalidSignature"
    answer = await stranger.http.put(signed["url"], **put)  # type: ignore[arg-type]  # of two kinds
    assert answer.json()["Key"] == f"{bucket}/{name}"
    assert (await member.get(f"/object/{bucket}/{name}")).content == b"signed"
    again = await stranger.http.put(signed["url"], **put)  # type: ignore[arg-type]  # of two kinds
    assert refusal(again) == (400, "409", "Duplicate")


async def test_a_signed_upload_may_replace_if_it_was_signed_so(service: Storage, stranger: Storage) -> None:
    bucket = await service.make_bucket()
    await service.upload(bucket, "a.txt", b"old")
    path = f"/object/upload/sign/{bucket}/a.txt"
    assert refusal(await service.call("POST", path))[1] == "409"
    signed = (await service.call("POST", path, **{"x-upsert": "true"})).json()
    assert (await stranger.http.put(signed["url"], content=b"new")).status_code == 200
    assert (await service.get(f"/object/{bucket}/a.txt")).content == b"new"


async def test_only_what_one_may_upload_can_be_signed(
    service: Storage, other: Storage, policies: None
) -> None:
    bucket = await service.make_bucket("own")
    refused = await other.call("POST", f"/object/upload/sign/{bucket}/somebody/a.txt")
    assert refusal(refused) == (400, "403", "Unauthorized")


async def test_a_url_for_reading_does_not_upload(service: Storage, stranger: Storage) -> None:
    bucket = await service.make_bucket()
    await service.upload(bucket, "a.txt")
    token = (await _signed(service, bucket, "a.txt")).partition("token=")[2]
    upload = f"/object/upload/sign/{bucket}/a.txt?token={token}"
    assert refusal(await stranger.http.put(upload, content=b"x"))[2] == "InvalidSignature"
    signed = await service.call("POST", f"/object/upload/sign/{bucket}/b.txt")
    await service.upload(bucket, "b.txt", b"secret")
    reading = f"/object/sign/{bucket}/b.txt?token={signed.json()['token']}"
    assert refusal(await stranger.get(reading))[2] == "InvalidSignature"
