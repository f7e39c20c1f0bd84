"""Findings beside a candidate, whatever the edge function has stored."""

from __future__ import annotations

import pytest

from ui.ratings.auto_check_html import Finding, chips_html, findings


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
def test_a_check_of_another_form_has_no_findings(check: dict[str, object] | None) -> None:
    assert findings(check, "candidate_a") == []


def test_each_applicable_kind_has_a_chip() -> None:
    found = findings(
        {"candidate_a": {"applies": ["json", "sql"], "json_valid": True, "sql_error": "<b>"}}, "candidate_a"
    )
    assert found == [Finding("json", True, None), Finding("sql", False, "<b>")]
    shown = chips_html(found)
    assert "JSON is valid" in shown
    assert "SQL is not valid<small>: &lt;b&gt;</small>" in shown
