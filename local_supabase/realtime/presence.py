"""Who is present in a room: keys, metas and the diffs between states, without I/O.

Shapes: `Phoenix.Presence`. Each tracker may be present once under a key, so a person with two tabs is present
twice.
"""

import itertools
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from local_supabase.realtime.framing import JsonObject

Tracker = TypeVar("Tracker")

Payload = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Diff:
    """The metas that joined and left, by key."""

    joins: JsonObject
    leaves: JsonObject

    def to_json(self) -> JsonObject:
        """Return the payload of a `presence_diff`."""
        return {"joins": self.joins, "leaves": self.leaves}


@dataclass(slots=True)
class _Meta:
    ref: str
    payload: Payload
    previous_ref: str | None = None

    def to_json(self) -> JsonObject:
        meta = {**self.payload, "phx_ref": self.ref}
        return meta if self.previous_ref is None else {**meta, "phx_ref_prev": self.previous_ref}


@dataclass(slots=True)
class Presence(Generic[Tracker]):
    """The presence of one room; trackers are its channels."""

    _metas: dict[str, dict[Tracker, _Meta]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self._metas)

    def state(self) -> JsonObject:
        """Return the payload of a `presence_state`."""
        return {key: _entry(*metas.values()) for key, metas in self._metas.items()}

    def track(self, tracker: Tracker, key: str, payload: Payload) -> Diff | None:
        """Add or change the meta of a tracker under a key; return None when that changes nothing."""
        metas = self._metas.setdefault(key, {})
        before = metas.get(tracker)
        if before is not None and before.payload == payload:
            return None
        meta = _Meta(_new_ref(), payload, before.ref if before else None)
        metas[tracker] = meta
        return Diff({key: _entry(meta)}, {key: _entry(before)} if before else {})

    def untrack(self, tracker: Tracker, key: str) -> Diff | None:
        """Remove the meta of a tracker; return None when there is none."""
        metas = self._metas.get(key, {})
        meta = metas.pop(tracker, None)
        if meta is None:
            return None
        if not metas:
            del self._metas[key]
        return Diff({}, {key: _entry(meta)})


def _entry(*metas: _Meta) -> JsonObject:
    return {"metas": [meta.to_json() for meta in metas]}


_prefix = secrets.token_urlsafe(6)
_counter = itertools.count(1)


def _new_ref() -> str:
    return f"{_prefix}{next(_counter):08x}"
