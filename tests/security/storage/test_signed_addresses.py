"""Signed addresses in the hands of somebody whose rights are gone."""

import httpx
import jwt
import pytest
from storage3.types import CreateSignedUploadUrlOptions

from local_supabase.stack.runtime import StackInfo
from tests.security.storage.conftest import Rater, call, execute

BUCKET = "model-artifacts"
WEEK = 7 * 24 * 3600


def _reading_address(rater: Rater, name: str) -> str:
    signed = rater.person.client.storage.from_(BUCKET).create_signed_url(f"{rater.tenant}/{name}", WEEK)
    assert signed["signedUrl"] is not None
    return signed["signedUrl"]


def _uploading_address(rater: Rater, name: str) -> str:
    files = rater.person.client.storage.from_(BUCKET)
    options = CreateSignedUploadUrlOptions(upsert="true")
    return files.create_signed_upload_url(f"{rater.tenant}/{name}", options)["signed_url"]


def _put(address: str) -> httpx.Response:
    return httpx.put(address, content=b"overwritten", headers={"content-type": "text/plain"})


def _content(rater: Rater, name: str) -> bytes:
    return call(
        rater.stack, "GET", f"/object/{BUCKET}/{rater.tenant}/{name}", token=rater.stack.service_key
    ).content


def test_a_deactivated_rater_neither_reads_nor_overwrites_by_old_addresses(rater: Rater) -> None:
    rater.upload(BUCKET, "model.txt", b"secret", "text/plain")
    reading, uploading = _reading_address(rater, "model.txt"), _uploading_address(rater, "model.txt")
    assert httpx.get(reading).content == b"secret"
    assert _put(uploading).status_code == 200
    rater.upload(BUCKET, "model.txt", b"secret", "text/plain")

    rater.deactivate()
    assert httpx.get(reading).json()["error"] == "not_found"
    assert _put(uploading).json()["error"] == "Unauthorized"
    assert _content(rater, "model.txt") == b"secret"


@pytest.mark.parametrize(
    "end",
    [
        "update auth.users set banned_until = now() + interval '1 day' where id = %s",
        "update auth.users set deleted_at = now() where id = %s",
        "delete from auth.users where id = %s",
    ],
    ids=["banned", "deleted softly", "deleted"],
)
def test_addresses_of_an_ended_account_end_with_it(rater: Rater, open_bucket: str, end: str) -> None:
    rater.upload(BUCKET, "model.txt", b"secret", "text/plain")
    reading, uploading = _reading_address(rater, "model.txt"), _uploading_address(rater, "other.txt")
    execute(rater.stack, end, rater.person.user_id)
    for answer in (httpx.get(reading), _put(uploading)):
        assert answer.json()["error"] == "Unauthorized"
        assert b"secret" not in answer.content


@pytest.mark.parametrize("seconds", [WEEK + 1, 10**10, "99999999999"])
def test_no_address_lasts_longer_than_a_week(rater: Rater, seconds: object) -> None:
    rater.upload(BUCKET, "model.txt", b"secret", "text/plain")
    path = f"/object/sign/{BUCKET}"
    one = rater.call("POST", f"{path}/{rater.tenant}/model.txt", {"expiresIn": seconds})
    many = rater.call("POST", path, {"expiresIn": seconds, "paths": [f"{rater.tenant}/model.txt"]})
    for answer in (one, many):
        assert (answer.status_code, answer.json()["message"]) == (400, f"body/expiresIn must be <= {WEEK}")


def test_a_visitor_learns_nothing_of_the_signer_from_an_address(stack: StackInfo, rater: Rater) -> None:
    rater.upload(BUCKET, "model.txt", b"secret", "text/plain")
    address = _reading_address(rater, "model.txt")
    assert rater.person.email not in address

    token = address.partition("token=")[2]
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims.keys() == {"url", "by", "iat", "exp"}
    assert rater.person.user_id not in str(claims)
