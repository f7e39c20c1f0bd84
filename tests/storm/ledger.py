"""What a process meant to write and what it was told, in a file that survives the process.

A line is one append: a process killed at any moment leaves whole lines, and at most what it meant to write
without its answer.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path


class Kind(StrEnum):
    """The ways to write."""

    SAY = "say"
    WHISPER = "whisper"
    EDIT = "edit"


@dataclass(frozen=True, slots=True)
class Intention:
    """One write by one person. `about` is the new row's id, or that of the message that is edited."""

    id: str
    kind: Kind
    person: str
    about: str
    to: str = ""
    """The recipient of a private message."""
    version: int = 0
    """The version that the person saw of what they edit."""


@dataclass(frozen=True, slots=True)
class Account:
    """What the ledger says at the end: everything meant, and what of it was acknowledged."""

    meant: tuple[Intention, ...]
    acknowledged: frozenset[str]

    @property
    def open(self) -> tuple[Intention, ...]:
        """What has no answer: it may have been written, or not."""
        return tuple(one for one in self.meant if one.id not in self.acknowledged)

    def of(self, kind: Kind) -> tuple[Intention, ...]:
        """Return what was meant of one kind."""
        return tuple(one for one in self.meant if one.kind is kind)


class Ledger:
    """Appends to the file; used by many threads of one process at a time."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def means(self, intention: Intention) -> None:
        """Note a write before it is sent."""
        self._append({"means": asdict(intention)})

    def acknowledged(self, intention: Intention) -> None:
        """Note that the database has said yes."""
        self._append({"acknowledged": intention.id})

    def _append(self, line: object) -> None:
        os.write(self._file, json.dumps(line).encode() + b"\n")


def read_ledger(path: Path) -> Account:
    """Read what the processes that wrote this file meant and were told."""
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
