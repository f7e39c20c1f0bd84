"""Tasks as JSON lines, a JSON list or CSV, and what is wrong with rows that are none."""

from __future__ import annotations

import json
import uuid

import pytest

from ui.base import text_files
from ui.ratings import import_tasks
from ui.ratings.import_tasks import Rejected, UnreadableFileError

CAMPAIGN = str(uuid.UUID(int=7))
ROW = {
    "task_type": "chat", "prompt": "Hello?", "candidate_a": "Hi", "candidate_b": "Ho",
    "name_a": "a", "name_b": "b",
}  # fmt: skip


def test_tasks_come_as_json_lines_a_json_list_or_csv() -> None:
    line = json.dumps(ROW)
    table = ",".join(ROW) + "\n" + ",".join(str(value) for value in ROW.values())
    for text in (line, f"\ufeff{line}\n\n", f"[{line}]", table, table.replace("\n", "\r\n")):
        found = import_tasks.parse(text, CAMPAIGN, ())
        assert [task.prompt for task in found.tasks] == ["Hello?"]
        assert found.problems == ()


def test_the_same_text_entered_twice_is_the_same_task_in_one_campaign() -> None:
    [one] = import_tasks.parse(json.dumps(ROW), CAMPAIGN, ()).tasks
    [again] = import_tasks.parse(json.dumps([dict(reversed(ROW.items()))]), CAMPAIGN, ()).tasks
    [elsewhere] = import_tasks.parse(json.dumps(ROW), str(uuid.UUID(int=8)), ()).tasks
    assert one.id == again.id != elsewhere.id
    twice = import_tasks.parse(f"{json.dumps(ROW)}\n{json.dumps(ROW)}", CAMPAIGN, ())
    assert len(twice.tasks) == 1
    assert [(one.line, one.message) for one in twice.problems] == [
        (2, "This task is a duplicate of that in line 1.")
    ]


@pytest.mark.parametrize("form", ["lines", "list", "table"])
def test_the_second_task_of_an_external_id_is_named_and_can_be_downloaded(form: str) -> None:
    rows = [ROW | {"prompt": prompt, "external_id": one} for prompt, one in zip("ABCD", "1213", strict=True)]
    lines = [json.dumps(row) for row in rows]
    table = "\n".join(",".join(map(str, each)) for each in (rows[0], *(row.values() for row in rows)))
    text = {"lines": "\n".join(lines), "list": "[" + ",\n".join(lines) + "]", "table": table}[form]
    found = import_tasks.parse(text, CAMPAIGN, ())
    assert [task.prompt for task in found.tasks] == ["A", "B", "D"]
    first = 2 if form == "table" else 1
    assert [(one.line, one.message) for one in found.problems] == [
        (first + 2, f"The external_id '1' is that of line {first} too.")
    ]
    _, content = import_tasks.as_file(Rejected(found.file, found.problems))
    again = import_tasks.parse(text_files.read(content, "US").text, CAMPAIGN, ())
    assert [(task.prompt, task.external_id) for task in again.tasks] == [("C", "1")]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"prompt": ""}, "Missing: prompt."),
        ({"candidate_b": None, "name_a": ""}, "Missing: candidate_b, name_a."),
        ({"name_b": "a"}, "name_a and name_b are the same"),
        ({"task_type": "other"}, "This campaign does not take the type 'other', only chat."),
        ({"priority": "high"}, "priority must be a whole number from -1,000 to 1,000."),
        ({"priority": 5000}, "priority must be a whole number from"),
        ({"gold_verdict": "C"}, "gold_verdict must be A, B, tie or both_bad."),
        ({"prompt": 7}, "prompt must be text."),
        ({"extra": 1}, "Unknown: extra."),
        ({"task_type": "Chat"}, "task_type has 1 to 60 small letters"),
        ({"prompt": "p" * 50_001}, "prompt has 50,001 characters; up to 50,000"),
        ({"name_a": "n" * 121}, "name_a has 121 characters; up to 120"),
        ({"model_b": "m" * 201}, "model_b has 201 characters; up to 200"),
        ({"external_id": "e" * 201}, "external_id has 201 characters; up to 200"),
        ({"gold_reason": "r" * 5001}, "gold_reason has 5,001 characters; up to 5,000"),
        ({"candidate_a": "a" * 200_000}, "candidate_a has 200,002 bytes of JSON; up to 200,000"),
        ({"candidate_a": [1e299] * 700}, "bytes of JSON; up to 200,000"),
        ({"candidate_a": {"deep": [float("nan")]}}, "candidate_a contains NaN"),
        ({"candidate_b": float("inf")}, "candidate_b contains a number beyond 1e300."),
        ({"candidate_b": [-(10**301)]}, "candidate_b contains a number beyond 1e300."),
        ({"candidate_a": "\ud800"}, "candidate_a contains half of a character"),
        ({"candidate_a": {"\udfff": 1}}, "candidate_a contains half of a character"),
        ({"candidate_a": ["a\x00"]}, "candidate_a contains the character U+0000"),
        ({"prompt": "a\x00"}, "prompt contains the character U+0000"),
        ({"name_b": "\ud83d"}, "name_b contains half of a character"),
        ({"gold_reason": "\x00"}, "gold_reason contains the character U+0000"),
        ({"\ud800": 1}, "Unknown: ?."),
    ],
)
def test_a_problem_names_its_row(change: dict[str, object], message: str) -> None:
    lines = [json.dumps(ROW), "", json.dumps(ROW | change)]
    found = import_tasks.parse("\n".join(lines), CAMPAIGN, ["chat"])
    assert len(found.tasks) == 1
    [problem] = found.problems
    assert problem.line == 3
    assert message in problem.message


def test_an_invalid_line_is_one_problem_among_good_lines() -> None:
    found = import_tasks.parse(f"{json.dumps(ROW)}\n{{broken\n[1]", CAMPAIGN, ())
    assert len(found.tasks) == 1
    assert [problem.line for problem in found.problems] == [2, 3]
    assert found.problems[0].message.startswith("This line is not valid JSON")


def test_rows_of_csv_are_counted_as_a_person_sees_them() -> None:
    head = ",".join(ROW)
    good, long, bad = 'chat,"two\nlines",x,y,a,b', "chat,p,x,y,a,b,more", "chat,p,x,y,a,a"
    found = import_tasks.parse("\n".join((head, good, long, bad)), CAMPAIGN, ())
    assert [task.prompt for task in found.tasks] == ["two\nlines"]
    assert [(one.line, one.message.split(":")[0]) for one in found.problems] == [
        (4, "This row has more fields than the header."),
        (5, "name_a and name_b are the same"),
    ]


@pytest.mark.parametrize("text", ["", "  \n", "[1,", "just words", "prompt,name_a\nx,y", "[]"])
def test_text_without_tasks_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(UnreadableFileError, match=r"\.$"):
        import_tasks.parse(text, CAMPAIGN, ())


def test_json_has_less_than_100_levels() -> None:
    line = json.dumps(ROW | {"candidate_a": "HERE"})
    lines = [line.replace('"HERE"', "[" * levels + "1" + "]" * levels) for levels in (99, 100, 50_000)]
    found = import_tasks.parse("\n".join(lines), CAMPAIGN, ())
    assert len(found.tasks) == 1
    assert ["levels" in one.message for one in found.problems] == [True, True]


BAD_LINES = (
    json.dumps(ROW | {"candidate_a": "SPECIAL"}).replace('"SPECIAL"', special)
    for special in ("NaN", "1e400", "-Infinity", '"\\ud800"', '"\\u0000"', "9" * 5000)
)
MIXED = [json.dumps(ROW), *BAD_LINES, json.dumps(ROW | {"prompt": "Bye?"})]


@pytest.mark.parametrize("text", ["\n".join(MIXED), "[\n" + ",\n".join(MIXED) + "\n]"])
def test_good_rows_are_tasks_whatever_is_wrong_with_others(text: str) -> None:
    found = import_tasks.parse(text, CAMPAIGN, ())
    assert [task.prompt for task in found.tasks] == ["Hello?", "Bye?"]
    first = 3 if text.startswith("[") else 2
    assert [one.line for one in found.problems] == [*range(first, first + 6)]
    assert all(one.message.startswith("candidate_a contains") for one in found.problems)


def test_a_list_that_breaks_off_keeps_what_stands_before() -> None:
    text = f"[{json.dumps(ROW)},\n{json.dumps(ROW | {'prompt': 'Two'})} {json.dumps(ROW)}]"
    found = import_tasks.parse(text, CAMPAIGN, ())
    assert len(found.tasks) == 2
    assert [(one.line, one.message) for one in found.problems] == [
        (2, "Here the list neither goes on with a comma nor ends.")
    ]
    half = import_tasks.parse(f"[{json.dumps(ROW)},\n\n{{broken", CAMPAIGN, ())
    assert [one.line for one in half.problems] == [3]


@pytest.mark.parametrize("text", ["\n".join(MIXED), "[" + ",\n".join(MIXED) + "]"])
def test_rejected_rows_of_json_can_be_corrected_and_imported(text: str) -> None:
    found = import_tasks.parse(text, CAMPAIGN, ())
    ending, content = import_tasks.as_file(Rejected(found.file, found.problems))
    lines = content.decode().splitlines()
    assert (ending, len(lines)) == ("jsonl", 6)
    assert lines[0].startswith('{"line": ')
    again = import_tasks.parse(content.decode(), CAMPAIGN, ())
    assert [one.message for one in again.problems] == [one.message for one in found.problems]
    corrected = "\n".join(f'{line[:-1]}, "candidate_a": "{number}"}}' for number, line in enumerate(lines))
    assert len(import_tasks.parse(corrected, CAMPAIGN, ()).tasks) == 6


def test_rejected_rows_of_a_table_can_be_corrected_and_imported() -> None:
    head = ";".join((*ROW, "priority"))
    rows = [
        "chat;=1+1;x;y;a;b;high",
        "chat;Größe;x;y;a;b;1",
        "chat;p;x;y;a;b;1;more",
        'chat;"two\r\nlines";x;y;a;a;2',
        'chat;"broken"x;x;y;a;b;1',
        "chat;последняя;x;y;a;b;1",
    ]
    found = import_tasks.parse("sep=;\r\n" + "\r\n".join((head, *rows)), CAMPAIGN, ())
    assert [task.prompt for task in found.tasks] == ["Größe", "последняя"]
    assert [one.line for one in found.problems] == [3, 5, 6, 8]
    ending, content = import_tasks.as_file(Rejected(found.file, found.problems))
    assert (ending, content[:3]) == ("csv", b"\xef\xbb\xbf")
    text = text_files.read(content, "DE").text
    assert text.splitlines()[0] == f"line;problem;{head}"
    corrected = text.replace(";high", ";1").replace(";more", "").replace(";a;a;", ";a;c;")
    again = import_tasks.parse(corrected, CAMPAIGN, ())
    assert [task.prompt for task in again.tasks] == ["=1+1", "p", "two\r\nlines", "brokenx"]
    assert again.problems == ()


def test_rows_beyond_the_limit_are_kept_for_the_next_file() -> None:
    lines = [json.dumps(ROW | {"prompt": f"{number}"}) for number in range(import_tasks.MOST_TASKS + 3)]
    found = import_tasks.parse("\n".join(lines), CAMPAIGN, ())
    assert (len(found.tasks), len(found.problems)) == (import_tasks.MOST_TASKS, 3)
    _, content = import_tasks.as_file(Rejected(found.file, found.problems))
    assert len(import_tasks.parse(content.decode(), CAMPAIGN, ()).tasks) == 3


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1251"])
def test_tables_of_excel_are_read(delimiter: str, encoding: str) -> None:
    rows = [delimiter.join(ROW), delimiter.join(("chat", "Как тебя зовут?", "Анна", "Не знаю", "а", "б"))]
    data = ("\r\n".join(rows) + "\r\n").encode(encoding)
    found = import_tasks.parse(text_files.read(data, "RU").text, CAMPAIGN, ())
    assert [(task.prompt, task.name_b) for task in found.tasks] == [("Как тебя зовут?", "б")]


def test_half_a_pair_in_utf_16_is_one_bad_row() -> None:
    lines = (json.dumps(ROW), json.dumps(ROW | {"prompt": "X"}), json.dumps(ROW | {"prompt": "Bye?"}))
    data = "\n".join(lines).replace("X", "\ud800").encode("utf-16", "surrogatepass")
    found = import_tasks.parse(text_files.read(data, "US").text, CAMPAIGN, ())
    assert [task.prompt for task in found.tasks] == ["Hello?", "Bye?"]
    assert "half of a character" in found.problems[0].message
    assert import_tasks.as_file(Rejected(found.file, found.problems))[1].decode()


def test_a_long_field_of_a_table_is_read() -> None:
    long = "x" * 150_000
    found = import_tasks.parse(",".join(ROW) + f"\nchat,p,{long},y,a,b\n", CAMPAIGN, ())
    assert [task.candidate_a for task in found.tasks] == [long]
