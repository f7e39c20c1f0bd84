"""Tasks from a file or pasted text: JSON lines, a JSON list, or CSV with a header. Nothing is guessed."""

from __future__ import annotations

import csv
import io
import json
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from db.rating_campaigns import TaskDraft
from db.rating_task_models import Verdict

MOST_TASKS: Final = 1000
"""As `create_rating_tasks` takes at a time."""
MOST_BYTES: Final = 20 * 1024 * 1024
_NEEDED: Final = ("task_type", "prompt", "candidate_a", "candidate_b", "name_a", "name_b")
_OPTIONAL: Final = ("model_a", "model_b", "priority", "external_id", "gold_verdict", "gold_reason")
_VERDICTS: Final = {
    **{verdict.value.lower(): verdict for verdict in Verdict},
    "a": Verdict.A, "b": Verdict.B, "both bad": Verdict.BOTH_BAD,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one row; rows are counted from 1 as the person sees them, header included."""

    row: int
    message: str


@dataclass(frozen=True, slots=True)
class Read:
    """The tasks that were understood, and what was not."""

    tasks: tuple[TaskDraft, ...]
    problems: tuple[Problem, ...]


class Unreadable(Exception):
    """Nothing of it can be read; the message says why."""


def read(text: str, campaign_id: str, task_types: Iterable[str]) -> Read:
    """Read tasks for a campaign that takes these types (none means any). Raises `Unreadable`.

    A task's id comes from what it says: the same text, entered twice, is the same task.
    """
    allowed = tuple(task_types)
    tasks: dict[str, TaskDraft] = {}
    problems: list[Problem] = []
    for row, values in _rows(text):
        if len(tasks) == MOST_TASKS:
            problems.append(
                Problem(row, f"Up to {MOST_TASKS:,} tasks can be added at a time. Add the rest after.")
            )
            break
        try:
            draft = _draft(values, campaign_id, allowed)
        except ValueError as error:
            problems.append(Problem(row, str(error)))
            continue
        if draft.id in tasks:
            problems.append(Problem(row, "This task is there twice."))
            continue
        tasks[draft.id] = draft
    if not tasks and not problems:
        raise Unreadable("There are no tasks in it.")
    return Read(tuple(tasks.values()), tuple(problems))


def _rows(text: str) -> Iterator[tuple[int, object]]:
    body = text.lstrip("\ufeff \t\r\n")
    if len(text.encode()) > MOST_BYTES:
        raise Unreadable(f"It is larger than {MOST_BYTES // 2**20} MB. Add it in parts.")
    if not body:
        raise Unreadable("There is nothing in it yet.")
    if body.startswith("["):
        return _list(body)
    return _lines(text.lstrip("\ufeff")) if body.startswith("{") else _table(text.lstrip("\ufeff"))


def _list(text: str) -> Iterator[tuple[int, object]]:
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"It begins as a JSON list, but cannot be read: {error}.") from error
    return iter(enumerate(values, start=1))


def _lines(text: str) -> Iterator[tuple[int, object]]:
    for row, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            yield row, json.loads(line)
        except (ValueError, RecursionError) as error:
            yield row, ValueError(f"This line is no JSON: {error}.")


def _table(text: str) -> Iterator[tuple[int, object]]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True, restkey="")
    try:
        names = [name.strip() for name in reader.fieldnames or ()]
    except csv.Error as error:
        raise Unreadable(f"It cannot be read as CSV: {error}.") from error
    missing = [name for name in _NEEDED if name not in names]
    if missing:
        raise Unreadable(
            "It is neither JSON nor CSV with a header that names "
            f"{', '.join(_NEEDED)}. Missing: {', '.join(missing)}."
        )
    reader.fieldnames = names
    return _table_rows(reader)


def _table_rows(reader: csv.DictReader[str]) -> Iterator[tuple[int, object]]:
    while True:
        row = reader.line_num + 1
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield row, ValueError(f"This row cannot be read: {error}.")
            return
        if "" in values:
            yield row, ValueError("This row has more fields than the header.")
        else:
            yield row, {name: value for name, value in values.items() if value}


def _draft(values: object, campaign_id: str, allowed: tuple[str, ...]) -> TaskDraft:
    if isinstance(values, ValueError):
        raise values
    if not isinstance(values, Mapping):
        raise ValueError("A task is an object with named values.")
    _check_names(values)
    task_type = _text(values, "task_type")
    if allowed and task_type not in allowed:
        raise ValueError(f"The type {task_type!r} is none of this campaign's: {', '.join(allowed)}.")
    name_a, name_b = _text(values, "name_a"), _text(values, "name_b")
    if name_a == name_b:
        raise ValueError("name_a and name_b are the same: a candidate cannot be compared with itself.")
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
    missing = [name for name in _NEEDED if values.get(name) in (None, "")]
    if missing:
        raise ValueError(f"Missing: {', '.join(missing)}.")
    unknown = [str(name) for name in values if name not in _NEEDED and name not in _OPTIONAL]
    if unknown:
        raise ValueError(f"Unknown: {', '.join(unknown)}.")


def _text(values: Mapping[str, object], name: str) -> str:
    value = values[name]
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{name} has to be a text.")
    return value.strip() if name != "prompt" else value


def _optional(values: Mapping[str, object], name: str) -> str | None:
    return None if values.get(name) in (None, "") else _text(values, name)


def _priority(value: object) -> int:
    if value in (None, ""):
        return 0
    try:
        number = int(str(value))
    except ValueError:
        raise ValueError("priority has to be a whole number.") from None
    if not -1000 <= number <= 1000:
        raise ValueError("priority is between -1,000 and 1,000.")
    return number


def _verdict(value: object) -> Verdict | None:
    if value in (None, ""):
        return None
    try:
        return _VERDICTS[str(value).strip().lower()]
    except KeyError:
        raise ValueError("gold_verdict is A, B, tie or both_bad.") from None


def _id_of(values: Mapping[str, object], campaign_id: str) -> str:
    said = json.dumps({name: values.get(name) for name in _NEEDED}, sort_keys=True, default=str)
    return str(uuid.uuid5(uuid.UUID(campaign_id), said))
