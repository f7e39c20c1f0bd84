"""Searching the messages that a person may read, also those that no page has loaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from db import rows
from db.caller import Caller
from db.clients import Clients
from db.columns import AwareDatetime, Model, Record
from db.errors import translated

FUNCTION = "search_messages"


@dataclass(frozen=True, slots=True)
class FoundMessage(Model):
    """A message of the common room that was found."""

    id: str
    author_id: str
    body: str
    created_at: AwareDatetime


@dataclass(frozen=True, slots=True)
class FoundPrivateMessage(Model):
    """A message that was found between the person who searches and another one."""

    id: str
    sender_id: str
    recipient_id: str
    body: str
    created_at: AwareDatetime


@dataclass(frozen=True, slots=True)
class FoundMessages:
    """The newest messages with all words of a query."""

    room: Sequence[FoundMessage]
    private: Sequence[FoundPrivateMessage]


def search(clients: Clients, me: Caller | None, query: str) -> FoundMessages:
    """Search as a person, or as a visitor, by the beginnings of words."""
    params = {"p_query": query}
    if me is not None:
        return _parsed(rows.call(me, FUNCTION, params))
    with translated():
        return _parsed(clients.rpc(FUNCTION, params).execute().data)


def _parsed(answer: object) -> FoundMessages:
    found = cast("Mapping[str, Sequence[Record]]", answer)
    return FoundMessages(
        [FoundMessage.from_record(record) for record in found["tavern_messages"]],
        [FoundPrivateMessage.from_record(record) for record in found["private_messages"]],
    )
