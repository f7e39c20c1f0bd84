"""The settings of Storage, the ``[storage]`` table of a project's ``config.toml``."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from local_supabase.storage.errors import StorageError
from local_supabase.storage.names import check_bucket_name, check_mime_types, parse_size

DEFAULT_LIMIT = 50 * 2**20


@dataclass(frozen=True, slots=True)
class BucketSettings:
    """A bucket that the project declares."""

    public: bool = False
    file_size_limit: int | None = None
    allowed_mime_types: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class StorageSettings:
    """The largest file in bytes, and the buckets that the project declares."""

    file_size_limit: int = DEFAULT_LIMIT
    buckets: Mapping[str, BucketSettings] = field(default_factory=dict)

    @classmethod
    def from_config(cls, config: Mapping[str, object]) -> Self:
        """Read the table. Raises `ValueError` that names an invalid setting."""
        buckets = config.get("buckets", {})
        if not isinstance(buckets, dict):
            raise ValueError("storage.buckets in config.toml must be a table")
        return cls(
            file_size_limit=_size(config, "storage") or DEFAULT_LIMIT,
            buckets={name: _bucket(name, values) for name, values in buckets.items()},
        )


def _size(config: Mapping[str, object], path: str) -> int | None:
    value = config.get("file_size_limit")
    try:
        if value is None:
            return None
        if isinstance(value, str):
            return parse_size(value)
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return value
    except StorageError:
        pass
    raise ValueError(f'{path}.file_size_limit in config.toml must be a size such as "50MiB"')


def _bucket(name: str, values: object) -> BucketSettings:
    path = f"storage.buckets.{name}"
    if not isinstance(values, dict):
        raise ValueError(f"{path} in config.toml must be a table")
    public, mime_types = values.get("public", False), values.get("allowed_mime_types")
    try:
        check_bucket_name(name)
        if mime_types is not None:
            check_mime_types(mime_types)
    except (StorageError, TypeError) as error:
        raise ValueError(f"{path} in config.toml: {error}") from error
    if not isinstance(public, bool):
        raise ValueError(f"{path}.public in config.toml must be true or false")
    return BucketSettings(public, _size(values, path), tuple(mime_types) if mime_types is not None else None)
