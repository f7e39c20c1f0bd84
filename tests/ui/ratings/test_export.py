"""Judgments as files."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from db.ratings.judgments import ExportedJudgment
from db.ratings.task_models import Judgment, TaskSecret, Verdict
from ui.base.export import BYTE_ORDER_MARK
from ui.ratings import export
from ui.ratings.sides import swapped

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_an_export_has_the_raters_id_the_winner_and_the_candidate_on_the_left() -> None:
    judgment = Judgment(
        "j", "t", "c", "task", None, "=rhea", Verdict.B, "-1+1", 2.5, NOW, NOW, None, 1, NOW, NOW
    )
    secret = TaskSecret("task", None, "one", "two", None, "m", Verdict.B, None)
    [row] = export.rows([ExportedJudgment(judgment, secret)])
    assert (row["rater_id"], row["verdict"], row["winner"], row["final"]) == ("=rhea", "B", "two", True)
    assert row["shown_first"] == ("B" if swapped("task", "=rhea") else "A")
    text = export.as_csv([row])
    assert text.splitlines()[0] == BYTE_ORDER_MARK + ",".join(export.COLUMNS)
    assert "'=rhea" in text  # no formula for a spreadsheet
    assert "'-1+1" in text
    assert json.loads(export.as_json([row])) == [row]
