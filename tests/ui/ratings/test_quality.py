"""When the judgments of a campaign are offered as files."""

from __future__ import annotations

from datetime import UTC, datetime

from db.ratings.task_models import Judgment, Verdict
from tests.ui.samples import snapshot
from ui.ratings.quality import may_have_judgments

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def judgment(number: int, campaign: str, *, undone: bool = False) -> Judgment:
    return Judgment(
        str(number), "t", campaign, f"task {number}", "u", "r", Verdict.A, "", 2.0, NOW, None,
        NOW if undone else None, 1, NOW, NOW,
    )  # fmt: skip


def test_a_campaign_without_a_judgment_that_counts_has_nothing_to_export() -> None:
    loaded = snapshot([judgment(1, "c"), judgment(2, "undone", undone=True)])
    assert may_have_judgments(loaded, "c")
    assert not may_have_judgments(loaded, "undone")
    assert not may_have_judgments(loaded, "other")


def test_where_not_all_judgments_are_loaded_a_campaign_may_have_older_ones() -> None:
    assert may_have_judgments(snapshot(judgment(number, "c") for number in range(1000)), "other")
