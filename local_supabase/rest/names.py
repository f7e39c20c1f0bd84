"""Names of the database's objects, which every part of the REST service uses."""

from __future__ import annotations

from typing import NamedTuple


class Name(NamedTuple):
    """A schema-qualified name."""

    schema: str
    name: str
