"""The access tables: every table x role x verb, and the row, the change and the insert that try each cell.

Tests send the cells to Postgres (test_access.py, test_ratings_access.py) and through REST and Realtime
(tests/security/matrix).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

VERBS = ("select", "insert", "update", "delete")

Values = Mapping[str, object]
"""Columns with their values. `{name}` stands for a value of the test's world, such as the id of a person."""


@dataclass(frozen=True, slots=True)
class Case:
    """One cell of the table."""

    table: str
    role: str
    verb: str
    allowed: bool

    def __str__(self) -> str:
        return f"{self.table}-{self.role}-{'may' if self.allowed else 'may not'} {self.verb}"

    @property
    def relation(self) -> str:
        """The table's own name: that of `users.role` is `users`."""
        return self.table.partition(".")[0]


@dataclass(frozen=True, slots=True)
class AccessTable:
    """Who may do what with which tables.

    Arguments:
        text: a header, then a line for each table and role: yes, no, or - for what is not tried.
        rows: the columns that select the row of a table.
        sets: what an update sets.
        inserts: what an insert inserts.
    """

    text: str
    rows: Mapping[str, Values]
    sets: Mapping[str, Values]
    inserts: Mapping[str, Values]

    @property
    def cells(self) -> list[Case]:
        """The cells of the table."""
        header, *lines = (line.split() for line in self.text.strip().splitlines())
        return [
            Case(line[0], line[1], verb, answer == "yes")
            for line in lines
            for verb, answer in zip(header[2:], line[2:], strict=True)
            if answer != "-"
        ]

    @property
    def tables(self) -> frozenset[str]:
        """The names of the tables."""
        return frozenset(case.relation for case in self.cells)

    def row(self, case: Case) -> Values:
        """Return the columns that select the row of the cell."""
        return self.rows.get(case.table) or self.rows[case.relation]

    def statement(self, case: Case, world: Mapping[str, str]) -> tuple[str, tuple[object, ...]]:
        """Return the SQL of the cell, and its values in a world."""
        row = filled(self.row(case), world)
        where = " and ".join(f"{sql_column(column)} = %s" for column in row)
        match case.verb:
            case "select":
                return f"select from public.{case.relation} where {where}", tuple(row.values())
            case "update":
                changed = filled(self.sets[case.table], world)
                sets = ", ".join(f"{column} = %s" for column in changed)
                values = (*changed.values(), *row.values())
                return f"update public.{case.relation} set {sets} where {where}", values
            case "delete":
                return f"delete from public.{case.relation} where {where}", tuple(row.values())
            case _:
                made = filled(self.inserts[case.relation], world)
                places = ", ".join("%s" for _ in made)
                sql = f"insert into public.{case.relation} ({', '.join(made)}) values ({places})"
                return sql, tuple(made.values())


def filled(values: Values, world: Mapping[str, str]) -> dict[str, object]:
    """Put the values of a world into the braces."""
    return {column: _filled(value, world) for column, value in values.items()}


def _filled(value: object, world: Mapping[str, str]) -> object:
    if isinstance(value, list):
        return [_filled(each, world) for each in value]
    return world[value[1:-1]] if isinstance(value, str) and value[:1] == "{" and value != "{}" else value


def sql_column(column: str) -> str:
    """Return the SQL for a column, or for a key in a JSON column."""
    name, arrow, key = column.partition("->>")
    return f"{name} ->> '{key}'" if arrow else name
