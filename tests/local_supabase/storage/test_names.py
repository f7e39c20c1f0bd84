import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_supabase.storage.errors import StorageError
from local_supabase.storage.names import (
    check_bucket_name,
    check_key,
    check_mime_type,
    check_mime_types,
    parse_size,
)


@pytest.mark.parametrize("key", ["a.txt", "a/b c/d!(1)'&$@=;:+,?.png", "..a/b..", "x" * 1024])
def test_names_that_s3_accepts_are_valid(key: str) -> None:
    assert check_key(key) == key


@pytest.mark.parametrize(
    "key",
    ["", "ü.txt", "a\0b", "a\\b", "a%2e", "a#b", "../a", "a/../b", "a/..", "./a", "a/./b", "/etc/passwd",
     "a\nb", "x" * 1025, "~/x", "a|b", "[a]"],
)  # fmt: skip
def test_anything_else_is_not(key: str) -> None:
    with pytest.raises(StorageError, match="Invalid key"):
        check_key(key)


@given(st.text())
def test_no_name_leaves_its_bucket(key: str) -> None:
    try:
        checked = check_key(key)
    except StorageError:
        return
    parts = checked.split("/")
    assert not {".", ".."} & set(parts)
    assert not checked.startswith("/")


@pytest.mark.parametrize("name", ["", "a/b", "..", ".", "ü", "x" * 101, "a\0"])
def test_a_wrong_bucket_name_is_refused(name: str) -> None:
    with pytest.raises(StorageError, match="Bucket name invalid"):
        check_bucket_name(name)


@pytest.mark.parametrize(
    ("mime_type", "allowed", "fits"),
    [
        ("image/png", ["image/png"], True),
        ("image/png", ["image/*"], True),
        ("text/plain; charset=utf-8", ["text/plain"], True),
        ("text/plain", ["image/*", "text/plain"], True),
        ("IMAGE/Png", ["image/png"], True),
        ("image/png", ["Image/*"], True),
        ("image/svg+xml", ["image/png"], False),
        ("Image/SVG+xml", ["image/png", "text/*"], False),
        ("imagex/png", ["image/*"], False),
        ("image", ["image/*"], False),
    ],
)
def test_content_types_are_compared(mime_type: str, allowed: list[str], fits: bool) -> None:
    if fits:
        check_mime_type(mime_type, allowed)
    else:
        with pytest.raises(StorageError) as refused:
            check_mime_type(mime_type, allowed)
        assert (refused.value.status, refused.value.error) == (415, "invalid_mime_type")


def test_the_content_types_of_a_bucket_are_checked() -> None:
    check_mime_types(["image/*", "application/vnd.api+json", "text/plain; charset=utf-8", "*"])
    for wrong in ("image", "image/", "a b/c", "x" * 1001):
        with pytest.raises(StorageError):
            check_mime_types([wrong])


@pytest.mark.parametrize(
    ("text", "size"),
    [("3B", 3), ("30kb", 30_000), ("1.5MB", 1_500_000), ("20GB", 20 * 10**9), ("50MiB", 50 * 2**20)],
)
def test_sizes_are_read(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "10", "MB", "-1MB", "1 TB"])
def test_an_invalid_size_is_refused(text: str) -> None:
    with pytest.raises(StorageError, match="Invalid file size format"):
        parse_size(text)
