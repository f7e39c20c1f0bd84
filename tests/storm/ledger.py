"""The writes that a process intended and those that were acknowledged, in a file that survives the process.

Each line is one append, so a process that is killed at any moment leaves only whole lines. At most the last
write of each person has no acknowledgement.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path


class Kind(StrEnum):
    """The kinds of writes."""

    POST = "post"
    PRIVATE = "private"
    EDIT = "edit"


@dataclass(frozen=True, slots=True)
class Intention:
    """One write by one person. `about` is the id of the new row, or of the message that is edited."""

    id: str
    kind: Kind
    person: str
    about: str
    to: str = ""
    """The recipient of a private message."""
    version: int = 0
    """The version of the message when the person edited it."""


@dataclass(frozen=True, slots=True)
class Account:
    """The content of a ledger: every intended write, and the ids of the acknowledged ones."""

    meant: tuple[Intention, ...]
    acknowledged: frozenset[str]

    @property
    def unanswered(self) -> tuple[Intention, ...]:
        """Return the writes without an answer, which the database may have made or not."""
        return tuple(one for one in self.meant if one.id not in self.acknowledged)

    def of(self, kind: Kind) -> tuple[Intention, ...]:
        """Return the intended writes of one kind."""
        return tuple(one for one in self.meant if one.kind is kind)


class Ledger:
    """Appends to the file, from any number of threads of one process at a time."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def means(self, intention: Intention) -> None:
        """Record a write before it is sent."""
        self._append({"means": asdict(intention)})

    def acknowledged(self, intention: Intention) -> None:
        """Record that the database has acknowledged a write."""
        self._append({"acknowledged": intention.id})

    def _append(self, line: object) -> None:
        os.write(self._file, json.dumps(line).encode() + b"\n")


def read_ledger(path: Path) -> Account:
    """Read the file."""
    lines = path.read_text().splitlines() if path.exists() else []
    return _account(json.loads(line) for line in lines)


def _account(lines: Iterable[dict[str, object]]) -> Account:
    meant: list[Intention] = []
    acknowledged: set[str] = set()
    for line in lines:
        match line:
            case {"means": dict(values)}:
                meant.append(Intention(**{**values, "kind": Kind(values["kind"])}))
            case {"acknowledged": str(one)}:
                acknowledged.add(one)
    return Account(tuple(meant), frozenset(acknowledged))
