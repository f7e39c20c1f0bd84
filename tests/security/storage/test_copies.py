"""Copies and moves that carry into a bucket what it takes no upload of."""

import httpx
import pytest

from local_supabase.stack.runtime import StackInfo
from tests.security.storage.conftest import Rater, call, execute

SOURCE, TARGET = "model-artifacts", "exports"


def _to(
    rater: Rater, verb: str, name: str, target: str, bucket: str = TARGET, **more: object
) -> httpx.Response:
    body = {
        "bucketId": SOURCE,
        "sourceKey": f"{rater.tenant}/{name}",
        "destinationBucket": bucket,
        "destinationKey": f"{rater.tenant}/{target}",
        **more,
    }
    return rater.call("POST", f"/object/{verb}", body)


def _is_there(rater: Rater, name: str) -> bool:
    path = f"/object/public/{TARGET}/{rater.tenant}/{name}"
    return call(rater.stack, "GET", path).status_code == 200


@pytest.mark.parametrize("verb", ["copy", "move"])
def test_the_type_must_be_one_that_the_target_takes(rater: Rater, verb: str) -> None:
    rater.upload(SOURCE, "a.bin", b"<script>", "application/octet-stream")
    assert _to(rater, verb, "a.bin", "a.bin").json()["error"] == "invalid_mime_type"
    assert not _is_there(rater, "a.bin")


@pytest.mark.parametrize("mime_type", ["text/html", "text/HTML", "image/svg+xml", "Text/Html; charset=utf-8"])
def test_a_copy_cannot_claim_another_type(rater: Rater, mime_type: str) -> None:
    rater.upload(SOURCE, "a.txt", b"<script>", "text/plain")
    for bucket in (SOURCE, TARGET):
        claimed = {"copyMetadata": False, "metadata": {"mimetype": mime_type}}
        answer = _to(rater, "copy", "a.txt", "b.txt", bucket, **claimed)
        assert answer.json()["error"] == "invalid_mime_type"
    assert not _is_there(rater, "b.txt")


@pytest.mark.parametrize("verb", ["copy", "move"])
def test_the_size_must_be_one_that_the_target_takes(rater: Rater, stack: StackInfo, verb: str) -> None:
    rater.upload(SOURCE, "large.txt", b"x" * 2000, "text/plain")
    # A size that the row only claims decides nothing.
    execute(
        stack,
        "update storage.objects set metadata = metadata || '{\"size\": 1}' where name = %s",
        f"{rater.tenant}/large.txt",
    )
    small = f"small-{rater.tenant}"
    execute(
        stack, "insert into storage.buckets (id, name, file_size_limit) values (%s, %s, 1000)", small, small
    )
    body = {
        "bucketId": SOURCE,
        "sourceKey": f"{rater.tenant}/large.txt",
        "destinationBucket": small,
        "destinationKey": "large.txt",
    }
    answer = call(stack, "POST", f"/object/{verb}", body, stack.service_key)
    assert answer.json()["error"] == "Payload too large"


@pytest.mark.parametrize("verb", ["copy", "move"])
def test_the_rights_are_those_of_the_target(rater: Rater, stack: StackInfo, verb: str) -> None:
    rater.upload(SOURCE, "a.txt", b"text", "text/plain")
    execute(stack, "update public.rater_profiles set role = 'rater' where user_id = %s", rater.person.user_id)
    assert _to(rater, verb, "a.txt", "a.txt").json()["error"] == "Unauthorized"
    assert not _is_there(rater, "a.txt")
    assert _to(rater, verb, "a.txt", "b.txt", SOURCE).status_code == 200
