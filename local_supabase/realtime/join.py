"""Reads the payload of a `phx_join`, without I/O: what a client asks for when it joins a channel."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from local_supabase.realtime.framing import JsonObject

_NOTHING: Mapping[str, object] = {}
_TRUE = frozenset(("true", "1"))


@dataclass(frozen=True, slots=True)
class JoinRequest:
    """What a join asks for.

    As on the hosted server, an option that cannot be parsed has its default and does not refuse the join.
    `replay` is the raw `broadcast.replay`, None without one. `postgres_changes` are the raw entries, which
    the reply repeats.
    """

    private: bool = False
    ack: bool = False
    self_broadcast: bool = False
    replication_ready: bool = False
    replay: object | None = None
    presence_enabled: bool = False
    presence_key: str = ""
    postgres_changes: tuple[object, ...] = ()
    access_token: str | None = None


def read_join(payload: object) -> JoinRequest:
    """Read the payload of a `phx_join`; anything is accepted."""
    document = _object(payload)
    config = _object(document.get("config"))
    broadcast = _object(config.get("broadcast"))
    presence = _object(config.get("presence"))
    changes = config.get("postgres_changes")
    return JoinRequest(
        private=_flag(config.get("private")),
        ack=_flag(broadcast.get("ack")),
        self_broadcast=_flag(broadcast.get("self")),
        replication_ready=_flag(broadcast.get("replication_ready")),
        replay=broadcast.get("replay"),
        presence_enabled=_flag(presence.get("enabled")),
        presence_key=_key(presence.get("key")),
        postgres_changes=tuple(change for change in changes if change is not None)
        if isinstance(changes, list)
        else (),
        access_token=_token(document),
    )


def _object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else _NOTHING


def _flag(value: object) -> bool:
    if isinstance(value, str):
        return value.lower() in _TRUE
    return value is True


def _key(value: object) -> str:
    """Return the presence key; a UUID in place of one that is absent, empty or unusable."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, str) and value:
        return value
    return str(uuid.uuid1())


def _token(document: Mapping[str, object]) -> str | None:
    # `user_token` is the older name.
    for name in ("access_token", "user_token"):
        value = document.get(name)
        if isinstance(value, str) and value:
            return value
    return None


@dataclass(frozen=True, slots=True)
class FilterSize:
    """How much the `postgres_changes` of a join ask to be checked, estimated without parsing them.

    Attributes:
        terms: an upper bound of the conditions, the values in their lists, and the selected columns.
        length: the characters of all filters and selected columns.
    """

    terms: int
    length: int


def filter_size(request: JoinRequest) -> FilterSize:
    """Return the size of the filters of a join."""
    terms = length = 0
    for entry in request.postgres_changes:
        if not isinstance(entry, dict):
            continue
        text, select = entry.get("filter"), entry.get("select")
        if isinstance(text, str):
            terms += text.count(",") + 1
            length += len(text)
        if isinstance(select, list):
            terms += len(select)
            length += sum(len(name) for name in select if isinstance(name, str))
    return FilterSize(terms, length)


def reply_to_join(request: JoinRequest, ids: list[int]) -> JsonObject:
    """Return the response to a successful join: each entry as the client sent it, with its id added."""
    entries = [
        {**entry, "id": binding_id} if isinstance(entry, dict) else entry
        for entry, binding_id in zip(request.postgres_changes, ids, strict=True)
    ]
    return {"postgres_changes": entries}
