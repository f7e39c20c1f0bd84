"""What surrounds the candidates: progress, the last decision, names after the vote. All of it is text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from db.ratings.models import Campaign, CampaignStatus
from db.ratings.task_models import (
    AutoCheckStatus,
    OtherVerdict,
    RatingTask,
    Reveal,
    TaskStatus,
    Verdict,
)
from ui.ratings.desk_html import (
    Decision,
    Progress,
    RevealedTask,
    decision_html,
    progress_html,
    progress_of,
    revealed_html,
)

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
CAMPAIGN = Campaign(
    "c", "t", "<b>C</b>", None, "", (), 2, 600, 60, 0.0, CampaignStatus.ACTIVE, None, 1, NOW, NOW
)


def task(
    name: str, status: TaskStatus, judgments: int = 0, *ends: datetime, campaign: str = "c"
) -> RatingTask:
    return RatingTask(
        name, "t", campaign, None, "chat", 0, status, 2, judgments, ends, AutoCheckStatus.NONE, None, None, 1,
        NOW, NOW,
    )  # fmt: skip


def reveal(gold: Verdict | None, *others: Verdict) -> Reveal:
    judgments = tuple(OtherVerdict(f"r{at}", verdict, "<i>so</i>") for at, verdict in enumerate(others))
    return Reveal("<b>one</b>", "two", None, None, gold, "It runs.", judgments)


def test_progress_counts_free_places_and_leaves_out_withdrawn_tasks_and_other_campaigns() -> None:
    later, earlier = NOW + timedelta(minutes=1), NOW - timedelta(minutes=1)
    tasks = [
        task("new", TaskStatus.PENDING),
        task("leased", TaskStatus.IN_PROGRESS, 0, later, earlier),
        task("done", TaskStatus.COMPLETED, 2),
        task("withdrawn", TaskStatus.WITHDRAWN, 1),
        task("elsewhere", TaskStatus.PENDING, campaign="other"),
    ]
    assert progress_of(tasks, "c", NOW) == Progress(3, 1, 3)
    shown = progress_html(CAMPAIGN, Progress(3, 1, 3), None)
    assert "&lt;b&gt;C&lt;/b&gt;</bdi></b><span>1 of 3 tasks done · 3 more judgments to give</span>" in shown


def test_the_bar_of_a_campaign_says_what_the_words_say() -> None:
    # All of the other seven tasks have one judgment of three: that is not in the words, so not in the bar.
    begun = [task(f"begun {number}", TaskStatus.IN_PROGRESS, 1) for number in range(7)]
    done = [task(f"done {number}", TaskStatus.COMPLETED, 2) for number in range(5)]
    shown = progress_html(CAMPAIGN, progress_of([*begun, *done], "c", NOW), None)
    assert "5 of 12 tasks done" in shown
    assert 'aria-label="Tasks done"' in shown
    assert 'aria-valuemax="12" aria-valuenow="5" aria-valuetext="5 of 12"' in shown
    assert 'style="width:41%"' in shown
    # Full is only what is done, and a campaign without tasks has no bar that could say anything.
    assert 'style="width:99%"' in progress_html(CAMPAIGN, Progress(1000, 999, 1), None)
    assert "progressbar" not in progress_html(CAMPAIGN, Progress(0, 0, 0), None)


def test_the_last_decision_is_in_terms_of_the_sides_that_were_shown() -> None:
    assert "<b>B is better.</b> <bdi>&lt;?</bdi>" in decision_html(
        Decision("t", "<?", Verdict.A, "", swapped=True)
    )
    assert "Skipped: <bdi>x</bdi>" in decision_html(Decision("t", "x", None, "", swapped=True))


def test_names_gold_and_other_verdicts_are_shown_as_text_after_the_vote() -> None:
    decision = Decision("t", "Which <b>?", Verdict.A, "", swapped=True)
    shown = revealed_html([RevealedTask(decision, reveal(Verdict.B, Verdict.A, Verdict.A, Verdict.TIE))])
    assert "<b><bdi>&lt;b&gt;one&lt;/b&gt;</bdi></b> over <bdi>two</bdi>" in shown
    assert "This task has a known answer: <b><bdi>two</bdi></b> over" in shown
    assert "All 3: 2 × <bdi>&lt;b&gt;one&lt;/b&gt;</bdi>, 1 × equally good" in shown
    assert "&lt;i&gt;so&lt;/i&gt;" in shown
    assert "yours is right" in revealed_html([RevealedTask(decision, reveal(Verdict.A, Verdict.A))])
    assert "known answer" not in revealed_html([RevealedTask(decision, reveal(None, Verdict.A))])
