"""Every bucket x verb x role over Storage."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator

import httpx
import pytest

from local_supabase.stack.runtime import StackInfo
from tests.security.matrix.cast import Cast
from tests.security.matrix.expected import BUCKETS
from tests.security.matrix.rows import Rows
from tests.support.stack import PROJECT

CONTENT = b'{"kept": true}'
PICTURES = {"avatars": "owner", "event-pictures": "event"}
"""The buckets of pictures, and whose folder is tried: that of `owner`, or of the event of `owner`."""
PUT_THERE = ("kept", "replaced", "deleted", "moved")


@pytest.fixture(scope="module")
def http(stack: StackInfo) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{stack.url}/storage/v1", timeout=60) as client:
        yield client


def buckets(rows: Rows) -> list[str]:
    """Return the project's buckets. Other tests make more of them."""
    project = "".join(path.read_text() for path in (PROJECT / "migrations").glob("*.sql"))
    project += (PROJECT / "config.toml").read_text()
    made = [str(name) for (name,) in rows.sql.rows("select id from storage.buckets order by id")]
    declared = [name for name in made if f"'{name}'" in project or f"[storage.buckets.{name}]" in project]
    assert declared, made
    return declared


def test_every_bucket_is_listed(rows: Rows) -> None:
    assert set(buckets(rows)) - BUCKETS.keys() == set(), (
        "Say who may do what with the files of these buckets: add them to BUCKETS in"
        " tests/security/matrix/expected.py."
    )


def key(cast: Cast, bucket: str, name: str) -> str:
    """Return the key of a file, as the bucket takes it."""
    if bucket in PICTURES:
        return f"{cast.values[PICTURES[bucket]]}/{uuid.uuid5(uuid.NAMESPACE_OID, name)}.webp"
    return f"{cast.values['tenant']}/{name}.json"


def mime_type(bucket: str) -> str:
    return "image/webp" if bucket in PICTURES else "application/json"


def put(http: httpx.Client, cast: Cast, bucket: str, name: str) -> None:
    """Put a file into the folder of the tenant, or of `owner`, as the service does."""
    headers = {"Authorization": f"Bearer {cast.stack.service_key}", "x-upsert": "true"}
    path = f"/object/{bucket}/{key(cast, bucket, name)}"
    files = {"content-type": mime_type(bucket), **headers}
    assert http.post(path, content=CONTENT, headers=files).status_code == 200


def requests(http: httpx.Client, cast: Cast, bucket: str) -> dict[str, Callable[[str], httpx.Response]]:
    """Return what sends the request of each verb, for a role."""

    def path(name: str, kind: str = "") -> str:
        return f"/object{kind}/{bucket}/{key(cast, bucket, name)}"

    def headers(role: str) -> dict[str, str]:
        return {**cast.headers(role), "content-type": mime_type(bucket)}

    def move(verb: str, source: str, role: str) -> httpx.Response:
        body = {
            "bucketId": bucket,
            "sourceKey": key(cast, bucket, source),
            "destinationKey": key(cast, bucket, f"{verb}-by-{role}"),
        }
        return http.post(f"/object/{verb}", json=body, headers=cast.headers(role))

    folder = key(cast, bucket, "kept").partition("/")[0]
    return {
        "read": lambda role: http.get(path("kept"), headers=cast.headers(role)),
        "info": lambda role: http.get(path("kept", "/info"), headers=cast.headers(role)),
        "list": lambda role: http.post(
            f"/object/list/{bucket}", json={"prefix": folder}, headers=cast.headers(role)
        ),
        "sign": lambda role: http.post(
            path("kept", "/sign"), json={"expiresIn": 60}, headers=cast.headers(role)
        ),
        "upload": lambda role: http.post(path(f"by-{role}"), content=CONTENT, headers=headers(role)),
        "sign_upload": lambda role: http.post(
            path(f"signed-by-{role}", "/upload/sign"), headers=cast.headers(role)
        ),
        "replace": lambda role: http.put(path("replaced"), content=CONTENT, headers=headers(role)),
        "copy": lambda role: move("copy", "kept", role),
        "move": lambda role: move("move", "moved", role),
        "delete": lambda role: http.delete(path("deleted"), headers=cast.headers(role)),
    }


def test_every_verb_for_every_role(http: httpx.Client, cast: Cast, rows: Rows) -> None:
    wrong = []
    for bucket in buckets(rows):
        verbs, expected = requests(http, cast, bucket), BUCKETS[bucket]
        for role in cast.roles:
            may = f"{expected.get(role, '')} {expected.get('public', '')}".split()
            for name in PUT_THERE:
                if role == cast.roles[0] or expected.get(role):
                    put(http, cast, bucket, name)
            for verb, send in verbs.items():
                answer = send(role)
                done = answer.is_success and answer.json() != []
                if done is not (verb in may):
                    wrong.append(f"{bucket}: {verb} by {role}: {answer.status_code} {answer.text[:200]}")
    assert not wrong, "\n".join(wrong)


def test_only_public_buckets_answer_without_a_token(http: httpx.Client, cast: Cast, rows: Rows) -> None:
    for bucket in buckets(rows):
        put(http, cast, bucket, "kept")
        answer = http.get(f"/object/public/{bucket}/{key(cast, bucket, 'kept')}")
        assert answer.is_success is ("public" in BUCKETS[bucket]), bucket


def test_nobody_changes_a_bucket(http: httpx.Client, cast: Cast, rows: Rows) -> None:
    wrong = []
    for bucket in buckets(rows):
        for role in cast.roles:
            headers = cast.headers(role)
            answers = [
                http.post("/bucket", json={"name": f"new-{role}", "public": True}, headers=headers),
                http.put(f"/bucket/{bucket}", json={"public": True}, headers=headers),
                http.post(f"/bucket/{bucket}/empty", headers=headers),
                http.delete(f"/bucket/{bucket}", headers=headers),
                http.get(f"/bucket/{bucket}", headers=headers),
            ]
            wrong += [f"{bucket} by {role}: {answer.text[:200]}" for answer in answers if answer.is_success]
            listed = http.get("/bucket", headers=headers)
            assert listed.json() == [], role
    assert not wrong, "\n".join(wrong)
