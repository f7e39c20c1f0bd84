"""Any request gets an answer or an error in Storage's form, and never a failure of the server."""

import json
from urllib.parse import quote

import httpx
from hypothesis import given, settings
from hypothesis import strategies as st

from local_supabase.stack.runtime import StackInfo

PATHS = (
    ("POST", "/bucket"),
    ("PUT", "/bucket/nowhere"),
    ("POST", "/object/list/nowhere"),
    ("POST", "/object/list-v2/nowhere"),
    ("POST", "/object/sign/nowhere/a.txt"),
    ("POST", "/object/sign/nowhere"),
    ("POST", "/object/move"),
    ("POST", "/object/copy"),
    ("DELETE", "/object/nowhere"),
)
FIELDS = (
    "name", "id", "public", "type", "file_size_limit", "allowed_mime_types", "prefix", "limit", "offset",
    "sortBy", "search", "cursor", "with_delimiter", "expiresIn", "paths", "bucketId", "sourceKey",
    "destinationKey", "destinationBucket", "prefixes", "metadata", "copyMetadata",
)  # fmt: skip

text = st.text(st.characters(codec="utf-8"), max_size=20)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=6,
)
plausible = st.sampled_from(
    ["a.txt", "../x", "nowhere", "60", 60, 2**40, True, "", "\0", "'", "%", ["a"], {"column": "name"}]
)
bodies = st.dictionaries(st.sampled_from(FIELDS), plausible | anything, max_size=6)


def _is_clean(answer: httpx.Response) -> bool:
    if answer.status_code >= 500:
        return answer.status_code == 501
    return answer.status_code < 400 or {"statusCode", "error", "message"} <= answer.json().keys()


def test_no_body_makes_the_server_fail(stack: StackInfo) -> None:
    headers = {"Authorization": f"Bearer {stack.service_key}"}
    with httpx.Client(base_url=f"{stack.url}/storage/v1", headers=headers) as http:

        @settings(max_examples=150, deadline=None)
        @given(st.sampled_from(PATHS), bodies.map(json.dumps).map(str.encode) | st.binary(max_size=40))
        def send(path: tuple[str, str], raw: bytes) -> None:
            answer = http.request(*path, content=raw)
            if path == ("POST", "/bucket") and answer.status_code == 200:
                made = json.loads(raw)
                http.delete(f"/bucket/{made.get('id') or made['name']}")
            assert _is_clean(answer), (path, raw, answer.text)

        send()


def test_no_path_or_header_makes_the_server_fail(stack: StackInfo) -> None:
    segment = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
    headers = st.dictionaries(
        st.sampled_from(
            ("range", "if-none-match", "if-modified-since", "authorization", "x-metadata", "content-type")
        ),
        st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30).map(str.strip),
        max_size=3,
    )
    with httpx.Client(base_url=f"{stack.url}/storage/v1") as http:

        @settings(max_examples=150, deadline=None)
        @given(
            st.sampled_from(("GET", "HEAD", "POST", "PUT", "DELETE")),
            st.sampled_from(("/object", "/object/public", "/object/sign", "/object/info", "/bucket")),
            st.lists(segment, min_size=1, max_size=3),
            headers,
            st.binary(max_size=40),
        )
        def send(method: str, base: str, parts: list[str], more: dict[str, str], raw: bytes) -> None:
            path = "/".join([base, *(quote(part, safe="") for part in parts)])
            answer = http.request(method, path, headers=more, content=raw)
            assert answer.status_code < 500, (method, path, more, answer.text)

        send()
