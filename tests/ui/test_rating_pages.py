"""What the rating pages show and read, without a browser."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest

from db.rating_judgments import ExportedJudgment
from db.rating_models import RaterProfile, RatingRole
from db.rating_task_models import Judgment, OtherVerdict, Reveal, TaskSecret, Verdict
from ui import rating_export, rating_import
from ui.leaderboard import raters_html, standings
from ui.rating_check import findings
from ui.rating_desk_html import Given, Told, told_html
from ui.rating_import import Unreadable
from ui.rating_pair import Pair, pair_html, said
from ui.rating_sides import swapped, turned

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
CAMPAIGN = str(uuid.UUID(int=7))
ROW = {
    "task_type": "chat", "prompt": "Hello?", "candidate_a": "Hi", "candidate_b": "Ho",
    "name_a": "a", "name_b": "b",
}  # fmt: skip


# ---------------------------------------------------------------- sides


def test_half_of_the_raters_see_a_task_the_other_way_round_and_always_the_same_half() -> None:
    orders = [swapped("task", f"rater_{number}") for number in range(400)]
    assert orders == [swapped("task", f"rater_{number}") for number in range(400)]
    assert 150 < Counter(orders)[True] < 250


@pytest.mark.parametrize("verdict", list(Verdict))
def test_what_is_said_of_sides_is_turned_into_what_is_said_of_candidates_and_back(verdict: Verdict) -> None:
    assert turned(verdict, swapped=False) is verdict
    assert turned(turned(verdict, swapped=True), swapped=True) is verdict
    assert (turned(verdict, swapped=True) is verdict) == (verdict in (Verdict.TIE, Verdict.BOTH_BAD))


def test_a_swapped_pair_shows_the_second_first_with_its_own_check() -> None:
    check = {
        "candidate_a": {"applies": ["sql"], "sql_valid": True, "sql_error": None},
        "candidate_b": {"applies": ["sql"], "sql_valid": False, "sql_error": "near <b>"},
    }
    shown = pair_html(Pair("Which?", "first", "second", check), swapped=True)
    left, right = shown.split('aria-label="Candidate B"')
    assert "second" in left
    assert "SQL is not valid<small>: near &lt;b&gt;" in left
    assert "first" in right
    assert "SQL is valid" in right


@pytest.mark.parametrize(
    ("candidate", "text", "is_code"),
    [
        ("plain", "plain", False),
        ({"text": "wrapped"}, "wrapped", False),
        ({"content": '{"a": 1}'}, '{"a": 1}', True),
        ({"tool": "x", "text": "y"}, '{\n  "tool": "x",\n  "text": "y"\n}', True),
        ([1, "é"], '[\n  1,\n  "é"\n]', True),
        ("{not json", "{not json", False),
        ("[" * 100_000, "[" * 100_000, False),
        (None, "null", True),
        ("SELECT 1\nFROM t;", "SELECT 1\nFROM t;", True),
        ("Select something; then eat it.", "Select something; then eat it.", False),
        ("WITH care; as ever", "WITH care; as ever", False),
    ],
)
def test_a_candidate_is_shown_as_what_it_says(candidate: object, text: str, is_code: bool) -> None:
    assert said(candidate) == (text, is_code)


@pytest.mark.parametrize(
    "check",
    [
        None,
        {},
        {"candidate_a": None},
        {"candidate_a": {"applies": "sql"}},
        {"candidate_a": {"applies": [3, {}]}},
    ],
)
def test_a_check_of_another_form_shows_nothing(check: dict[str, object] | None) -> None:
    assert findings(check, "candidate_a") == []


# ---------------------------------------------------------------- many tasks at once


def test_tasks_come_as_json_lines_a_json_list_or_csv() -> None:
    line = json.dumps(ROW)
    table = ",".join(ROW) + "\n" + ",".join(str(value) for value in ROW.values())
    for text in (line, f"\ufeff{line}\n\n", f"[{line}]", table, table.replace("\n", "\r\n")):
        found = rating_import.read(text, CAMPAIGN, ())
        assert [task.prompt for task in found.tasks] == ["Hello?"]
        assert found.problems == ()


def test_the_same_text_entered_twice_is_the_same_task_in_one_campaign() -> None:
    [one] = rating_import.read(json.dumps(ROW), CAMPAIGN, ()).tasks
    [again] = rating_import.read(json.dumps([dict(reversed(ROW.items()))]), CAMPAIGN, ()).tasks
    [elsewhere] = rating_import.read(json.dumps(ROW), str(uuid.UUID(int=8)), ()).tasks
    assert one.id == again.id != elsewhere.id
    twice = rating_import.read(f"{json.dumps(ROW)}\n{json.dumps(ROW)}", CAMPAIGN, ())
    assert len(twice.tasks) == 1
    assert [(one.row, one.message) for one in twice.problems] == [(2, "This task is there twice.")]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"prompt": ""}, "Missing: prompt."),
        ({"candidate_b": None, "name_a": ""}, "Missing: candidate_b, name_a."),
        ({"name_b": "a"}, "name_a and name_b are the same"),
        ({"task_type": "other"}, "The type 'other' is none of this campaign's: chat."),
        ({"priority": "high"}, "priority has to be a whole number."),
        ({"priority": 5000}, "priority is between"),
        ({"gold_verdict": "C"}, "gold_verdict is A, B, tie or both_bad."),
        ({"prompt": 7}, "prompt has to be a text."),
        ({"extra": 1}, "Unknown: extra."),
    ],
)
def test_what_is_wrong_is_told_with_its_row(change: dict[str, object], message: str) -> None:
    lines = [json.dumps(ROW), "", json.dumps(ROW | change)]
    found = rating_import.read("\n".join(lines), CAMPAIGN, ["chat"])
    assert len(found.tasks) == 1
    [problem] = found.problems
    assert problem.row == 3
    assert message in problem.message


def test_a_line_that_is_no_json_is_one_problem_among_good_lines() -> None:
    found = rating_import.read(f"{json.dumps(ROW)}\n{{broken\n[1]", CAMPAIGN, ())
    assert len(found.tasks) == 1
    assert [problem.row for problem in found.problems] == [2, 3]
    assert found.problems[0].message.startswith("This line is no JSON")


def test_rows_of_csv_are_counted_as_a_person_sees_them() -> None:
    head = ",".join(ROW)
    good, long, bad = 'chat,"two\nlines",x,y,a,b', "chat,p,x,y,a,b,more", "chat,p,x,y,a,a"
    found = rating_import.read("\n".join((head, good, long, bad)), CAMPAIGN, ())
    assert [task.prompt for task in found.tasks] == ["two\nlines"]
    assert [(one.row, one.message.split(":")[0]) for one in found.problems] == [
        (4, "This row has more fields than the header."),
        (5, "name_a and name_b are the same"),
    ]


@pytest.mark.parametrize("text", ["", "  \n", "[1,", "just words", "prompt,name_a\nx,y", "[]"])
def test_what_holds_no_tasks_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(Unreadable, match=r"\.$"):
        rating_import.read(text, CAMPAIGN, ())


# ---------------------------------------------------------------- what is told, ranked and taken away


def reveal(gold: Verdict | None, *others: Verdict) -> Reveal:
    judgments = [OtherVerdict(f"r{at}", verdict, "<i>so</i>") for at, verdict in enumerate(others)]
    return Reveal("<b>one</b>", "two", None, None, gold, "It runs.", judgments)


def test_after_the_vote_names_gold_and_the_others_are_told_as_text() -> None:
    given = Given("t", "Which <b>?", Verdict.A, "", swapped=True)
    shown = told_html([Told(given, reveal(Verdict.B, Verdict.A, Verdict.A, Verdict.TIE))])
    assert "<b><bdi>&lt;b&gt;one&lt;/b&gt;</bdi></b> over <bdi>two</bdi>" in shown
    assert "The answer was known: <b><bdi>two</bdi></b> over" in shown
    assert "All 3: 2 × <bdi>&lt;b&gt;one&lt;/b&gt;</bdi>, 1 × equally good" in shown
    assert "&lt;i&gt;so&lt;/i&gt;" in shown
    assert "yours is right" in told_html([Told(given, reveal(Verdict.A, Verdict.A))])
    assert "The answer was known" not in told_html([Told(given, reveal(None, Verdict.A))])


def rater(name: str, total: int, **values: object) -> RaterProfile:
    known: dict[str, object] = {
        "user_id": name, "tenant_id": "t", "rater_id": name, "name": name, "role": "rater", "brand_id": None,
        "active": True, "total_judgments": total, "compared": 0, "agreed": 0, "gold_total": 0,
        "gold_correct": 0, "streak": 3, "best_streak": 5, "last_judged_on": "2026-11-20", "version": 1,
        "created_at": NOW.isoformat(), "updated_at": NOW.isoformat(),
    }  # fmt: skip
    return RaterProfile.from_record({**known, **values})


def test_raters_with_the_same_number_of_judgments_share_a_place() -> None:
    people = [
        rater("cy", 5), rater("ada", 9), rater("mei", 5, compared=4, agreed=3), rater("finn", 1),
        rater("bo", 50, role=RatingRole.MANAGER.value), rater("gone", 70, active=False),
    ]  # fmt: skip
    ranked = [(one.place, one.profile.name) for one in standings(people)]
    assert ranked == [(1, "ada"), (2, "mei"), (2, "cy"), (4, "finn")]


def test_a_streak_ends_with_a_day_without_a_judgment_and_names_are_text() -> None:
    ranked = standings([rater("<img>", 2)])
    on = [raters_html(ranked, "<img>", date(2026, 11, 20) + timedelta(days=days)) for days in (0, 1, 2)]
    assert ["3 🔥" in shown for shown in on] == [True, True, False]
    assert "<img>" not in on[0]
    assert 'class="mine"' in on[0]


def test_an_export_has_the_raters_id_the_winner_and_what_was_on_the_left() -> None:
    judgment = Judgment(
        "j", "t", "c", "task", None, "=rhea", Verdict.B, "-1+1", 2.5, NOW, NOW, None, 1, NOW, NOW
    )
    secret = TaskSecret("task", None, "one", "two", None, "m", Verdict.B, None)
    [row] = rating_export.rows([ExportedJudgment(judgment, secret)])
    assert (row["rater_id"], row["verdict"], row["winner"], row["final"]) == ("=rhea", "B", "two", True)
    assert row["shown_first"] == ("B" if swapped("task", "=rhea") else "A")
    text = rating_export.as_csv([row])
    assert text.splitlines()[0] == ",".join(rating_export.COLUMNS)
    assert "'=rhea" in text  # no formula for a spreadsheet
    assert "'-1+1" in text
    assert json.loads(rating_export.as_json([row])) == [row]
