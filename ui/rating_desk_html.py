"""What stands around the two candidates: the last vote, who they were, how far the campaign is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from db.rating_models import Campaign, RaterProfile
from db.rating_task_models import OtherVerdict, RatingTask, Reveal, TaskStatus, Verdict
from ui.rating_sides import SHOWN, turned
from ui.text import as_html, plural, shortened


@dataclass(frozen=True, slots=True)
class Given:
    """What the rater did last: judged a task, or skipped it (no verdict). `swapped` as it was shown."""

    task_id: str
    prompt: str
    verdict: Verdict | None
    comment: str
    swapped: bool


@dataclass(frozen=True, slots=True)
class Told:
    """A judged task, and what the rater may know of it since."""

    given: Given
    reveal: Reveal


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a campaign is. `open_places` could be claimed now, by somebody."""

    tasks: int
    completed: int
    judgments: int
    wanted: int
    open_places: int

    @property
    def share(self) -> float:
        """Judgments that are there of those that are wanted, 0 to 1."""
        return self.judgments / self.wanted if self.wanted else 0.0


def progress_of(tasks: Iterable[RatingTask], campaign_id: str, now: datetime) -> Progress:
    """Count a campaign's tasks; withdrawn ones do not count."""
    mine = [
        task for task in tasks if task.campaign_id == campaign_id and task.status is not TaskStatus.WITHDRAWN
    ]
    return Progress(
        len(mine),
        sum(task.status is TaskStatus.COMPLETED for task in mine),
        sum(task.judgments_count for task in mine),
        sum(task.judgments_wanted for task in mine),
        sum(task.free_places(now) for task in mine),
    )


def progress_html(campaign: Campaign, progress: Progress, me: RaterProfile | None) -> str:
    """Show the bar, and what the person has done."""
    percent = round(100 * progress.share)
    words = [
        f"{progress.completed:,} of {plural(progress.tasks, 'task')} done",
        f"{plural(progress.open_places, 'place')} open",
    ]
    if me is not None and me.total_judgments:
        words.append(f"{plural(me.total_judgments, 'judgment')} of yours")
    return (
        f'<div class="tv-campaign"><b><bdi>{as_html(campaign.name)}</bdi></b><span>{" · ".join(words)}</span>'
        '<div class="tv-bar" role="progressbar" aria-label="Judgments" aria-valuemin="0" '
        f'aria-valuemax="100" aria-valuenow="{percent}"><i style="width:{percent}%"></i></div></div>'
    )


def last_html(given: Given) -> str:
    """Say what was done last, in the words of the sides that were shown."""
    task = f"<bdi>{as_html(shortened(given.prompt, 80))}</bdi>"
    if given.verdict is None:
        return f'<p class="tv-last">Skipped: {task}</p>'
    seen = SHOWN[turned(given.verdict, swapped=given.swapped)]
    return f'<p class="tv-last"><b>{seen}.</b> {task}</p>'


def told_html(told: Sequence[Told]) -> str:
    """Show who the candidates of the last tasks were, what others said, and whether gold was met."""
    items = "".join(_told(one) for one in told)
    return f'<ol class="tv-told" aria-label="Judged before">{items}</ol>'


_OUTCOME: Final[Mapping[Verdict, str]] = {
    Verdict.A: "<b>{a}</b> over {b}",
    Verdict.B: "<b>{b}</b> over {a}",
    Verdict.TIE: "{a} and {b} equally good",
    Verdict.BOTH_BAD: "{a} and {b} both bad",
}


def _told(one: Told) -> str:
    given, reveal = one.given, one.reveal
    if given.verdict is None:
        return ""
    a, b = (f"<bdi>{as_html(name)}</bdi>" for name in (reveal.name_a, reveal.name_b))
    outcome = _OUTCOME[given.verdict].format(a=a, b=b)
    task = f"<small><bdi>{as_html(shortened(given.prompt, 80))}</bdi></small>"
    return f"<li><div>{outcome}</div>{_gold(given.verdict, reveal, a, b)}{_others(reveal, a, b)}{task}</li>"


def _gold(verdict: Verdict, reveal: Reveal, a: str, b: str) -> str:
    gold = reveal.gold_verdict
    if gold is None:
        return ""
    if gold is verdict:
        return '<div class="tv-gold good">The answer was known, and yours is right.</div>'
    reason = f" {as_html(reveal.gold_reason)}" if reveal.gold_reason else ""
    known = _OUTCOME[gold].format(a=a, b=b)
    return f'<div class="tv-gold bad">The answer was known: {known}.<span>{reason}</span></div>'


def _others(reveal: Reveal, a: str, b: str) -> str:
    # One's own is among them.
    if len(reveal.judgments) < 2:
        return "<div><small>You are the first.</small></div>"
    counts = Counter(judgment.verdict for judgment in reveal.judgments)
    names = {Verdict.A: a, Verdict.B: b, Verdict.TIE: "equally good", Verdict.BOTH_BAD: "both bad"}
    words = ", ".join(f"{counts[verdict]} × {names[verdict]}" for verdict in Verdict if counts[verdict])
    return f"<div><small>All {len(reveal.judgments)}: {words}</small></div>{_comments(reveal.judgments)}"


def _comments(judgments: Sequence[OtherVerdict]) -> str:
    said = [f"<q><bdi>{as_html(one.comment)}</bdi></q>" for one in judgments if one.comment]
    return f"<div><small>{' '.join(said[:3])}</small></div>" if said else ""
