"""What a `postgres_changes` message says, as the Realtime server sends it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, cast

from live.changes import Change, Key, Op, Record
from live.tables import AnySpec


@dataclass(frozen=True, slots=True)
class Incomplete:
    """A change that came without all of its columns: too large, or unchanged values stored out of line.

    Its key is None when not even that came.
    """

    table: str
    key: Key | None


def read_message(data: Record, spec: AnySpec, position: int) -> Change[Any] | Incomplete:
    """Return what the message tells of its row, or that the row has to be read."""
    record, old = _record(data, "record"), _record(data, "old_record")
    committed_at = _moment(data.get("commit_timestamp"))
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
    # The client gives an enumeration of its own, whose members are the words of the wire.
    return Op(str(value.value if isinstance(value, Enum) else value))


def _key(spec: AnySpec, record: Record) -> Key | None:
    try:
        return spec.key_of(record)
    except KeyError:
        return None


def _record(data: Record, name: str) -> Record:
    value = data.get(name)
    return cast(Record, value) if isinstance(value, Mapping) else {}


def _moment(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None
