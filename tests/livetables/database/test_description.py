"""What the database says, as values."""

import pytest

from livetables.database.description import Problem, Severity, not_installed, parse
from livetables.errors import ReadError
from livetables.tables.spec import Visibility

PROBLEM = {"code": "no_log", "severity": "error", "message": "items is not watched", "mend": "select 1;"}
WARNING = {"code": "no_rls", "severity": "warning", "message": "items has no policies", "mend": "select 2;"}
TABLE = {
    "name": "items",
    "key": ["id"],
    "version": "version",
    "visibility": "user",
    "filters": ["user_id"],
    "columns": {"id": "uuid"},
    "problems": [PROBLEM, WARNING],
}


def test_a_table_is_read() -> None:
    (table,) = parse({"database_version": 1, "problems": [], "tables": [TABLE]}).tables
    assert (table.name, table.key, table.version, table.filters) == (
        "items",
        ("id",),
        "version",
        ("user_id",),
    )
    assert (table.visibility, table.columns) == (Visibility.USER, {"id": "uuid"})


def test_errors_leave_warnings_out() -> None:
    found = parse({"database_version": 1, "problems": [], "tables": [TABLE]})
    assert found.errors == (Problem("items", "no_log", "items is not watched", "select 1;"),)
    assert [problem.severity for problem in found.problems] == [Severity.ERROR, Severity.WARNING]


def test_a_problem_tells_what_is_missing_and_what_mends_it() -> None:
    assert (
        str(Problem("items", "no_log", "items is not watched", "select 1;"))
        == "items is not watched\n    select 1;"
    )


def test_an_older_database_is_a_problem_of_its_own() -> None:
    (problem,) = parse({"database_version": 0, "problems": [], "tables": []}).errors
    assert (problem.table, problem.code) == (None, "old_version")
    assert "python -m livetables init" in problem.mend


def test_a_database_without_livetables_names_the_command() -> None:
    (problem,) = not_installed().errors
    assert "python -m livetables init" in problem.mend


@pytest.mark.parametrize("answer", [None, [], {}, {"tables": [{}]}, {"tables": [], "problems": []}, "x"])
def test_another_answer_is_no_description(answer: object) -> None:
    with pytest.raises(ReadError, match="livetables_tables"):
        parse(answer)
