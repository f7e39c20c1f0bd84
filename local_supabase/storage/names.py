"""Checks of the names of buckets and objects, of content types, and of sizes.

Source: github.com/supabase/storage, ``src/storage/limits.ts``.
"""

import re
from collections.abc import Sequence

from local_supabase.storage.errors import (
    StorageError,
    invalid_bucket_name,
    invalid_key,
    invalid_mime_type,
)

MAX_KEY_BYTES = 1024
EMPTY_FOLDER = ".emptyFolderPlaceholder"
_KEY = re.compile(r"[A-Za-z0-9_/!\-.*'() &$@=;:+,?]+")
_BUCKET = re.compile(r"[A-Za-z0-9_!\-.*'() &$@=;:+,?]+")
_MIME = re.compile(r"[a-zA-Z0-9\-+.]+/(?:[a-zA-Z0-9\-+.]+|\*)(?:;\s*charset=[a-zA-Z0-9\-]+)?|\*")
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)(gb|mb|kb|b|gib|mib|kib)", re.IGNORECASE)
_UNITS = {"b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}


def check_key(key: str) -> str:
    """Return the name of an object. Raises `StorageError` for an invalid one.

    Unlike on hosted, "." and ".." may not be parts of a name, because clients and proxies resolve them.
    """
    if not _KEY.fullmatch(key) or len(key) > MAX_KEY_BYTES:
        raise invalid_key(key)
    if any(part in (".", "..") for part in key.split("/")) or key.startswith("/"):
        raise invalid_key(key)
    return key


def check_bucket_name(name: str) -> str:
    """Return the name of a bucket. Raises `StorageError` for an invalid one."""
    if len(name) > 100 or not _BUCKET.fullmatch(name) or name in (".", ".."):
        raise invalid_bucket_name()
    return name


def check_mime_types(mime_types: Sequence[str]) -> None:
    """Check the content types that a bucket shall accept. Raises `StorageError`."""
    for mime_type in mime_types:
        if len(mime_type) > 1000 or not _MIME.fullmatch(mime_type):
            raise invalid_mime_type(mime_type)


def check_mime_type(mime_type: str, allowed: Sequence[str]) -> None:
    """Check the content type of an object against accepted ones, such as "image/*". Raises `StorageError`."""
    kind, slash, detail = mime_type.lower().partition("/")
    if not slash:
        raise invalid_mime_type(mime_type)
    for candidate in allowed:
        allowed_kind, _, allowed_detail = candidate.lower().partition("/")
        if allowed_kind == kind and allowed_detail in ("*", detail, detail.partition(";")[0].strip()):
            return
    raise invalid_mime_type(mime_type)


def parse_size(text: str) -> int:
    """Return the bytes of a size such as "20MB" or "50MiB"."""
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        hint = "Invalid file size format, hint: use 20GB / 20MB / 30KB / 3B"
        raise StorageError(400, "InvalidRequest", hint)
    return int(float(match[1]) * _UNITS[match[2].lower()])
