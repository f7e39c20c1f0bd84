"""Files that hold scripts, and what a browser is told to do with them."""

import httpx
import pytest

from local_supabase.stack.runtime import StackInfo
from tests.security.storage.conftest import call

PAGE = b"<!doctype html><script>document.title = 'ran'</script><p>hello"


def store(stack: StackInfo, bucket: str, name: str, content: bytes, mime_type: str) -> str:
    """Upload as text, then copy with another type, which a client may claim freely; return the address."""
    headers = {"Authorization": f"Bearer {stack.service_key}", "content-type": "text/plain"}
    url = f"{stack.url}/storage/v1/object/{bucket}/plain-{name}"
    assert httpx.post(url, content=content, headers=headers).status_code == 200
    body = {
        "bucketId": bucket,
        "sourceKey": f"plain-{name}",
        "destinationKey": name,
        "copyMetadata": False,
        "metadata": {"mimetype": mime_type},
    }
    assert call(stack, "POST", "/object/copy", body, stack.service_key).status_code == 200
    return f"{stack.url}/storage/v1/object/public/{bucket}/{name}"


@pytest.mark.parametrize(
    ("mime_type", "is_shown"),
    [
        ("text/html", False),
        ("text/HTML", False),
        ("TEXT/HTML; charset=utf-8", False),
        ("application/xhtml+xml", False),
        ("Image/SVG+xml", False),
        ("text/xml", False),
        ("text/javascript", False),
        ("application/pdf", False),
        ("multipart/x-mixed-replace; boundary=x", False),
        ("text/plain, text/html", False),
        ("", False),
        ("Text/Plain; charset=utf-8", True),
        ("image/PNG", True),
    ],
)
def test_every_object_is_served_in_a_sandbox_and_most_are_only_saved(
    stack: StackInfo, open_bucket: str, mime_type: str, is_shown: bool
) -> None:
    address = store(stack, open_bucket, "a", PAGE, mime_type)
    signed = call(
        stack, "POST", f"/object/sign/{open_bucket}/a", {"expiresIn": 60}, stack.service_key
    ).json()["signedURL"]
    part = {"Range": "bytes=0-3"}
    answers = [httpx.get(address), httpx.get(address, headers=part), call(stack, "GET", signed)]
    answers.append(httpx.get(address, headers={"If-None-Match": answers[0].headers["etag"]}))
    assert [answer.status_code for answer in answers] == [200, 206, 200, 304]
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("sandbox; default-src 'none'")
        assert "allow-" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "html" not in answer.headers["content-type"].lower()
        assert ("content-disposition" not in answer.headers) == is_shown
