"""Parses `postgres_changes` messages as the Realtime server sends them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, cast

from livetables.tables.changes import Change, Key, Op, Record
from livetables.tables.spec import AnySpec


@dataclass(frozen=True, slots=True)
class Incomplete:
    """A change that came without all of its columns: too large, or with unchanged values stored out of line.

    `key` is None if not even the key came.
    """

    table: str
    key: Key | None


def read_message(data: Record, spec: AnySpec, position: int) -> Change[Any] | Incomplete:
    """Parse a message's data. Return the change, or `Incomplete` if the row has to be read.

    `position` is the store's position at which the message arrived.
    """
    record, old = _record(data, "record"), _record(data, "old_record")
    committed_at = _timestamp(data.get("commit_timestamp"))
    if data.get("errors"):
        return Incomplete(spec.name, _key(spec, record) or _key(spec, old))
    op = _op(data.get("type"))
    if op is Op.DELETE:
        key = _key(spec, old)
        if key is None:
            return Incomplete(spec.name, None)
        return spec.deleted(key, committed_at=committed_at, position=position)
    try:
        return spec.written(record, op=op, committed_at=committed_at, position=position)
    except (KeyError, ValueError):
        return Incomplete(spec.name, _key(spec, record))


def _op(value: object) -> Op:
    # The client passes an enum of its own. The values of its members are those of the wire.
    return Op(str(value.value if isinstance(value, Enum) else value))


def _key(spec: AnySpec, record: Record) -> Key | None:
    try:
        return spec.key_of(record)
    except KeyError:
        return None


def _record(data: Record, name: str) -> Record:
    value = data.get(name)
    return cast(Record, value) if isinstance(value, Mapping) else {}


def _timestamp(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        return None
    return time if time.tzinfo is not None else None
