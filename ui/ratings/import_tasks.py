"""Tasks from text: JSON lines, a JSON list, or CSV with a header. Nothing is guessed.

Good rows become tasks, whatever is wrong with others. Those can be saved to a file, corrected, and imported.
"""

from __future__ import annotations

import csv
import io
import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from db.ratings.campaigns import TaskDraft
from db.ratings.task_models import Verdict
from ui.base.export import BYTE_ORDER_MARK
from ui.base.text import shortened
from ui.ratings import task_limits
from ui.ratings.task_rows import (
    MOST_BYTES,
    Form,
    RestError,
    Row,
    RowError,
    TaskFile,
    UnreadableFileError,
    open_text,
)

__all__ = [
    "MOST_BYTES",
    "MOST_TASKS",
    "ImportedTasks",
    "Problem",
    "Rejected",
    "UnreadableFileError",
    "as_file",
    "parse",
]

MOST_TASKS: Final = 1000
"""The limit of `create_rating_tasks` for one call."""
_REQUIRED: Final = ("task_type", "prompt", "candidate_a", "candidate_b", "name_a", "name_b")
_OPTIONAL: Final = ("model_a", "model_b", "priority", "external_id", "gold_verdict", "gold_reason")
_NOTES: Final = ("line", "problem")
"""What a file of rejected rows says about each. It is no part of a task."""
_LONGEST_MESSAGE: Final = 300
_VERDICTS: Final = {
    **{verdict.value.lower(): verdict for verdict in Verdict},
    "a": Verdict.A, "b": Verdict.B, "both bad": Verdict.BOTH_BAD,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one row, and the row. Lines are numbered from 1, header included."""

    line: int
    message: str
    row: Row


@dataclass(frozen=True, slots=True)
class Rejected:
    """Rows with problems, and the file that they are from."""

    file: TaskFile
    problems: Sequence[Problem]


@dataclass(frozen=True, slots=True)
class ImportedTasks:
    """The tasks of a text with the rows they are from, and the problems of its rows that are no tasks."""

    tasks: tuple[TaskDraft, ...]
    problems: tuple[Problem, ...]
    file: TaskFile
    rows: Mapping[str, Row]
    """By the id of the task."""


def parse(text: str, campaign_id: str, task_types: Iterable[str]) -> ImportedTasks:
    """Parse the tasks of a text for a campaign that takes these types; none means any.

    A task's id is computed from its content, so that the same task imported twice is added once.

    Raises:
        UnreadableFileError: Nothing in the text can be read.
    """
    allowed = tuple(task_types)
    file = open_text(text, _REQUIRED)
    tasks: dict[str, TaskDraft] = {}
    rows: dict[str, Row] = {}
    problems: list[Problem] = []
    named: dict[str | None, int] = {}  # the lines of the external ids
    for row in file.rows:
        try:
            if len(tasks) == MOST_TASKS:
                raise ValueError(
                    f"Up to {MOST_TASKS:,} tasks can be added at a time. Add the rest afterwards."
                )
            draft = _draft(row.values, campaign_id, allowed)
            _check_is_first(draft, rows, named)
        except RestError as error:
            if not tasks:
                raise UnreadableFileError(str(error)) from error
            problems.append(problem_of(row, str(error)))
        except ValueError as error:
            problems.append(problem_of(row, str(error)))
        else:
            tasks[draft.id], rows[draft.id] = draft, row
            named[draft.external_id] = row.line
    if not tasks and not problems:
        raise UnreadableFileError("It contains no tasks.")
    return ImportedTasks(tuple(tasks.values()), tuple(problems), file, rows)


def _check_is_first(draft: TaskDraft, rows: Mapping[str, Row], named: Mapping[str | None, int]) -> None:
    if draft.id in rows:
        raise ValueError(f"This task is a duplicate of that in line {rows[draft.id].line}.")
    if draft.external_id is not None and draft.external_id in named:
        line = named[draft.external_id]
        raise ValueError(f"The external_id {draft.external_id!r} is that of line {line} too.")


def problem_of(row: Row, message: str) -> Problem:
    """Return what is wrong with a row, as text that every client can read."""
    readable = message.encode("utf-8", "replace").decode()
    return Problem(row.line, shortened(readable, _LONGEST_MESSAGE), row)


def as_file(rejected: Rejected) -> tuple[str, bytes]:
    """Return the ending and the content of a file with the rejected rows.

    They are as in the file they come from, with the line and the problem before the rest.
    """
    file, problems = rejected.file, rejected.problems
    if file.form is Form.JSON:
        text = "".join(f"{_noted(one)}\n" for one in problems)
        return "jsonl", text.encode("utf-8", "replace")
    buffer = io.StringIO()
    # Not against formulas, as exports are: the row is the person's own, and must come back as it was.
    writer = csv.writer(buffer, delimiter=file.delimiter)
    writer.writerow((*_NOTES, *(name for name in file.columns if name not in _NOTES)))
    for one in problems:
        writer.writerow((one.line, one.message, *_fields(file, one.row)))
    return "csv", (BYTE_ORDER_MARK + buffer.getvalue()).encode("utf-8", "replace")


def _noted(problem: Problem) -> str:
    """Return a row of JSON on one line, with the notes if it is an object, and otherwise as it is."""
    source = " ".join(problem.row.source.splitlines()).strip()
    if not isinstance(problem.row.values, Mapping):
        return source
    values = {name: value for name, value in problem.row.values.items() if name not in _NOTES}
    notes = json.dumps({"line": problem.line, "problem": problem.message}, ensure_ascii=False)
    if values.keys() != problem.row.values.keys():  # of an earlier attempt
        source = json.dumps(values)
    return f"{notes[:-1]}, {source[1:].lstrip()}" if values else notes


def _fields(file: TaskFile, row: Row) -> list[str]:
    if isinstance(row.values, Mapping):
        return [str(row.values.get(name, "")) for name in file.columns if name not in _NOTES]
    fields = next(csv.reader(io.StringIO(row.source, newline=""), delimiter=file.delimiter), [])
    return [field for name, field in _named(file.columns, fields) if name not in _NOTES]


def _named(columns: Sequence[str], fields: Sequence[str]) -> list[tuple[str, str]]:
    names = [*columns, *[""] * (len(fields) - len(columns))]
    return list(zip(names, fields, strict=False))


def _draft(values: object, campaign_id: str, allowed: tuple[str, ...]) -> TaskDraft:
    if isinstance(values, RowError):
        raise values
    if not isinstance(values, Mapping):
        raise ValueError("A task must be a JSON object.")
    _check_names(values)
    task_type = _text(values, "task_type")
    task_limits.check_task_type(task_type)
    if allowed and task_type not in allowed:
        raise ValueError(f"This campaign does not take the type {task_type!r}, only {', '.join(allowed)}.")
    name_a, name_b = _text(values, "name_a"), _text(values, "name_b")
    if name_a == name_b:
        raise ValueError("name_a and name_b are the same: a candidate cannot be compared with itself.")
    for name in ("candidate_a", "candidate_b"):
        task_limits.check_json(name, values[name])
    return TaskDraft(
        id=_id_of(values, campaign_id),
        task_type=task_type,
        prompt=_text(values, "prompt"),
        candidate_a=values["candidate_a"],
        candidate_b=values["candidate_b"],
        name_a=name_a,
        name_b=name_b,
        model_a=_optional(values, "model_a"),
        model_b=_optional(values, "model_b"),
        priority=_priority(values.get("priority")),
        external_id=_optional(values, "external_id"),
        gold_verdict=_verdict(values.get("gold_verdict")),
        gold_reason=_optional(values, "gold_reason"),
    )


def _check_names(values: Mapping[str, object]) -> None:
    missing = [name for name in _REQUIRED if values.get(name) in (None, "")]
    if missing:
        raise ValueError(f"Missing: {', '.join(missing)}.")
    unknown = [str(name) for name in values if name not in (*_REQUIRED, *_OPTIONAL, *_NOTES)]
    if unknown:
        raise ValueError(f"Unknown: {', '.join(unknown)}.")


def _text(values: Mapping[str, object], name: str) -> str:
    value = values[name]
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{name} must be text.")
    text = value.strip() if name != "prompt" else value
    task_limits.check_text(name, text)
    return text


def _optional(values: Mapping[str, object], name: str) -> str | None:
    return None if values.get(name) in (None, "") else _text(values, name)


_PRIORITY: Final = "priority must be a whole number from -1,000 to 1,000."


def _priority(value: object) -> int:
    if value in (None, ""):
        return 0
    try:
        number = int(str(value))
    except ValueError:
        raise ValueError(_PRIORITY) from None
    if not -1000 <= number <= 1000:
        raise ValueError(_PRIORITY)
    return number


def _verdict(value: object) -> Verdict | None:
    if value in (None, ""):
        return None
    try:
        return _VERDICTS[str(value).strip().lower()]
    except KeyError:
        raise ValueError("gold_verdict must be A, B, tie or both_bad.") from None


def _id_of(values: Mapping[str, object], campaign_id: str) -> str:
    content = json.dumps({name: values.get(name) for name in _REQUIRED}, sort_keys=True, default=str)
    return str(uuid.uuid5(uuid.UUID(campaign_id), content))
