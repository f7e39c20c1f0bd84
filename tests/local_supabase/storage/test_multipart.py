import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_supabase.storage.errors import StorageError
from local_supabase.storage.multipart import MAX_FIELD_BYTES, FormReader


def _form(content: bytes, fields: dict[str, str], file_name: str = "a.txt") -> tuple[str, bytes]:
    files = {"file": (file_name, content, "text/plain")}
    request = httpx.Request("POST", "http://x", data=fields, files=files)
    return request.headers["content-type"], request.read()


@given(
    st.binary(max_size=500), st.integers(1, 64), st.dictionaries(st.text("abc", min_size=1), st.text("xyz"))
)
def test_a_form_is_read_however_it_is_split(content: bytes, size: int, fields: dict[str, str]) -> None:
    content_type, body = _form(content, fields)
    reader = FormReader(content_type)
    pieces = [reader.feed(body[start : start + size]) for start in range(0, len(body), size)]
    assert b"".join(pieces) == content
    assert reader.fields == fields
    assert reader.content_type == "text/plain"


def test_only_the_first_file_counts() -> None:
    request = httpx.Request("POST", "http://x", files=[("a", ("1", b"one")), ("b", ("2", b"two"))])
    reader = FormReader(request.headers["content-type"])
    assert reader.feed(request.read()) == b"one"


def test_a_form_without_a_file_is_recognized() -> None:
    request = httpx.Request("POST", "http://x", files={"field": (None, b"value")})
    reader = FormReader(request.headers["content-type"])
    reader.feed(request.read())
    assert not reader.has_file
    assert reader.fields == {"field": "value"}


def test_a_form_needs_a_boundary() -> None:
    with pytest.raises(StorageError, match="No content provided"):
        FormReader("multipart/form-data")


def test_a_field_may_not_be_huge() -> None:
    content_type, body = _form(b"", {"metadata": "x" * (MAX_FIELD_BYTES + 1)})
    with pytest.raises(StorageError, match="exceeded"):
        FormReader(content_type).feed(body)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_form_or_refused(body: bytes) -> None:
    reader = FormReader("multipart/form-data; boundary=x")
    try:
        reader.feed(b"--x\r\n" + body)
    except StorageError as refused:
        assert refused.http_status == 400  # noqa: PT017  # any bytes may come, most are refused
