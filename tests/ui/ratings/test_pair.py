"""Two candidates side by side: as plain text, each with its own findings."""

from __future__ import annotations

import pytest

from ui.ratings.pair import Pair, candidate_text, pair_html


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


def test_prompt_and_candidates_are_text_and_long_ones_are_cut() -> None:
    shown = pair_html(Pair("<i>?", "<b>", "x" * 60_007), swapped=False)
    assert "<i>" not in shown
    assert "<b>" not in shown
    assert "… 7 more characters" in shown


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
        ("SELECT ;", "SELECT ;", False),
    ],
)
def test_a_candidate_is_shown_as_its_text(candidate: object, text: str, is_code: bool) -> None:
    assert candidate_text(candidate) == (text, is_code)


def test_a_long_text_is_told_from_a_statement_in_one_pass() -> None:
    text = "SELECT x" + " " * 1_000_000 + ";x"
    assert candidate_text(text) == (text, False)
