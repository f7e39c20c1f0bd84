"""What the database says of its tables, as values: how each is kept live, and what keeps it from that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, cast

from livetables.database.migration import DATABASE_VERSION
from livetables.errors import ReadError
from livetables.tables.spec import Visibility

NOT_INSTALLED: Final = "no_changes_since"


class Severity(StrEnum):
    """How bad a problem is."""

    ERROR = "error"
    """The table is not live: some changes would arrive late or never."""
    WARNING = "warning"
    """It is live, and something beside it is probably not as intended."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is missing: of which table (None: of the database), what, and the SQL that mends it.

    `code` is one of `no_table`, `no_key`, `no_log`, `no_version`, `not_published`, `no_grant`, `no_policy`,
    `no_changes_since`, `old_version`, and of warnings `no_rls`, `full_identity`.
    """

    table: str | None
    code: str
    message: str
    mend: str
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        """Return what is missing and what mends it, in two lines."""
        return f"{self.message}\n    {self.mend}"


@dataclass(frozen=True, slots=True)
class WatchedTable:
    """What the library needs to know of a table.

    - `key` are the columns of the primary key, in its order. `version` is the version column, None if the
      table is not watched.
    - `filters` are the columns whose value may be compared with the user's id in a Realtime filter.
    - `columns` are the types of all columns, as Postgres writes them.
    """

    name: str
    key: tuple[str, ...]
    version: str | None
    visibility: Visibility
    filters: tuple[str, ...]
    columns: Mapping[str, str]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Description:
    """What the database says of itself and of some tables."""

    tables: tuple[WatchedTable, ...]
    problems: tuple[Problem, ...]
    """All problems, those of the database first."""

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that keep a table from being live."""
        return tuple(problem for problem in self.problems if problem.severity is Severity.ERROR)


def not_installed() -> Description:
    """Return the description of a database without the SQL of `livetables`."""
    problem = Problem(
        None,
        NOT_INSTALLED,
        "The database has no livetables: there is no log of changes and no function that reads it",
        "Run `python -m livetables init`, apply the migration, and watch the tables: "
        "select livetables.watch('name');",
    )
    return Description((), (problem,))


def parse(answer: object) -> Description:
    """Read the answer of `livetables_tables()`. Raises `ReadError` if it is none."""
    try:
        said = cast(Mapping[str, object], answer)
        tables = tuple(map(_table, cast(Sequence[Mapping[str, object]], said["tables"])))
        problems = _problems(None, said["problems"])
        version = int(str(said["database_version"]))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ReadError(f"livetables_tables() returned {answer!r}") from error
    if version < DATABASE_VERSION:
        problems = (_old_version(version), *problems)
    return Description(tables, problems + tuple(problem for table in tables for problem in table.problems))


def _old_version(version: int) -> Problem:
    return Problem(
        None,
        "old_version",
        f"The database has version {version} of the SQL of livetables, and this package {DATABASE_VERSION}",
        "Run `python -m livetables init` and apply the migration that it writes.",
    )


def _table(said: Mapping[str, object]) -> WatchedTable:
    name, version = str(said["name"]), said["version"]
    return WatchedTable(
        name,
        _texts(said["key"]),
        None if version is None else str(version),
        Visibility(str(said["visibility"])),
        _texts(said["filters"]),
        cast(Mapping[str, str], said["columns"]),
        _problems(name, said["problems"]),
    )


def _texts(said: object) -> tuple[str, ...]:
    return tuple(str(text) for text in cast(Sequence[object], said))


def _problems(table: str | None, said: object) -> tuple[Problem, ...]:
    return tuple(
        Problem(table, one["code"], one["message"], one["mend"], Severity(one["severity"]))
        for one in cast(Sequence[Mapping[str, str]], said)
    )
