"""Judgments as CSV or JSON, with who made them and what they are about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from db.ratings.judgments import ExportedJudgment
from ui.base.export import csv_text, json_text
from ui.ratings.sides import swapped

COLUMNS: Final = (
    "id", "campaign_id", "task_id", "external_id", "rater_id", "verdict", "winner", "name_a", "name_b",
    "model_a", "model_b", "shown_first", "gold_verdict", "comment", "seconds", "judged_at", "final",
)  # fmt: skip


def rows(judgments: Iterable[ExportedJudgment]) -> list[dict[str, object]]:
    """Return one row a judgment. `shown_first` is the candidate that the rater saw on the left, A or B."""
    return [_row(one) for one in judgments]


def _row(one: ExportedJudgment) -> dict[str, object]:
    judgment, secret = one.judgment, one.secret
    return {
        "id": judgment.id,
        "campaign_id": judgment.campaign_id,
        "task_id": judgment.task_id,
        "external_id": secret.external_id,
        "rater_id": judgment.rater_id,
        "verdict": judgment.verdict.value,
        "winner": one.winner,
        "name_a": secret.name_a,
        "name_b": secret.name_b,
        "model_a": secret.model_a,
        "model_b": secret.model_b,
        "shown_first": "B" if swapped(judgment.task_id, judgment.rater_id) else "A",
        "gold_verdict": secret.gold_verdict.value if secret.gold_verdict else None,
        "comment": judgment.comment,
        "seconds": round(judgment.seconds, 3),
        "judged_at": judgment.judged_at.isoformat(),
        "final": judgment.sealed_at is not None,
    }


def as_csv(exported: Iterable[Mapping[str, object]]) -> str:
    """Return the rows as CSV with a header."""
    return csv_text(COLUMNS, ([row[column] for column in COLUMNS] for row in exported))


def as_json(exported: Iterable[Mapping[str, object]]) -> str:
    """Return the rows as a JSON list."""
    return json_text(exported)
