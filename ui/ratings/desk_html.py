"""What surrounds the two candidates: the last decision, their names afterwards, the campaign's progress."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from db.ratings.models import Campaign, RaterProfile
from db.ratings.task_models import (
    OtherVerdict,
    RatingTask,
    Reveal,
    TaskStatus,
    Verdict,
)
from ui.base.html import EMPTY, Markup, Template, join
from ui.base.text import plural, shortened
from ui.ratings.sides import VERDICT_LABELS, mirrored

_PROGRESS: Final = Template(
    '<div class="tv-campaign"><b><bdi>{name}</bdi></b><span>{facts}</span>{bar}</div>'
)
_BAR: Final = Template(
    '<div class="tv-bar" role="progressbar" aria-label="Tasks done" aria-valuemin="0" aria-valuemax="{tasks}"'
    ' aria-valuenow="{completed}" aria-valuetext="{completed} of {tasks}">'
    '<i style="width:{percent}%"></i></div>'
)
_TASK: Final = Template("<bdi>{prompt}</bdi>")
_SKIPPED: Final = Template('<p class="tv-last">Skipped: {task}</p>')
_JUDGED: Final = Template('<p class="tv-last"><b>{verdict}.</b> {task}</p>')
_REVEALED: Final = Template('<ol class="tv-revealed" aria-label="Judged before">{items}</ol>')
_REVEALED_TASK: Final = Template(
    "<li><div>{outcome}</div>{gold}{others}<small><bdi>{prompt}</bdi></small></li>"
)
_NAME: Final = Template("<bdi>{name}</bdi>")
_OUTCOMES: Final[Mapping[Verdict, Template]] = {
    Verdict.A: Template("<b>{a}</b> over {b}"),
    Verdict.B: Template("<b>{b}</b> over {a}"),
    Verdict.TIE: Template("{a} and {b} equally good"),
    Verdict.BOTH_BAD: Template("{a} and {b} both bad"),
}
_GOLD_MET: Final = Template(
    '<div class="tv-gold good">This task has a known answer, and yours is right.</div>'
)
_GOLD_MISSED: Final = Template(
    '<div class="tv-gold bad">This task has a known answer: {outcome}.<span>{reason}</span></div>'
)
_FIRST: Final = Template("<div><small>You are the first.</small></div>")
_OTHERS: Final = Template("<div><small>All {count}: {verdicts}</small></div>{comments}")
_COMMENTS: Final = Template("<div><small>{comments}</small></div>")
_COMMENT: Final = Template("<q><bdi>{text}</bdi></q>")
_COMMENTS_SHOWN: Final = 3
_PROMPT_LENGTH: Final = 80


@dataclass(frozen=True, slots=True)
class Decision:
    """A task that the rater judged, or skipped (no verdict). `swapped` is how it was shown."""

    task_id: str
    prompt: str
    verdict: Verdict | None
    comment: str
    swapped: bool


@dataclass(frozen=True, slots=True)
class RevealedTask:
    """A judged task with what the rater may know since: names, gold answer, other raters' verdicts."""

    decision: Decision
    reveal: Reveal


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a campaign is. `open_places` is how many judgments could be claimed now."""

    tasks: int
    completed: int
    open_places: int


def progress_of(tasks: Iterable[RatingTask], campaign_id: str, now: datetime) -> Progress:
    """Count a campaign's tasks, without the withdrawn ones."""
    counted = [
        task for task in tasks if task.campaign_id == campaign_id and task.status is not TaskStatus.WITHDRAWN
    ]
    return Progress(
        len(counted),
        sum(task.status is TaskStatus.COMPLETED for task in counted),
        sum(task.free_places(now) for task in counted),
    )


def progress_html(campaign: Campaign, progress: Progress, me: RaterProfile | None) -> Markup:
    """Show a campaign's progress, and how much of it is the viewer's."""
    facts = [
        f"{progress.completed:,} of {plural(progress.tasks, 'task')} done",
        plural(progress.open_places, "more judgment to give", "more judgments to give"),
    ]
    if me is not None and me.total_judgments:
        facts.append(f"{plural(me.total_judgments, 'judgment')} of yours")
    return _PROGRESS(name=campaign.name, facts=" · ".join(facts), bar=_bar_html(progress))


def _bar_html(progress: Progress) -> Markup:
    """Show what the words say: tasks, not judgments. It is full only when all tasks are done."""
    done, tasks = progress.completed, progress.tasks
    return _BAR(completed=done, tasks=tasks, percent=100 * done // tasks) if tasks else EMPTY


def decision_html(decision: Decision) -> Markup:
    """Show the last decision, in terms of the sides that the rater saw."""
    task = _TASK(prompt=shortened(decision.prompt, _PROMPT_LENGTH))
    if decision.verdict is None:
        return _SKIPPED(task=task)
    seen = mirrored(decision.verdict, swapped=decision.swapped)
    return _JUDGED(verdict=VERDICT_LABELS[seen], task=task)


def revealed_html(revealed: Iterable[RevealedTask]) -> Markup:
    """Show the candidates' names of judged tasks, other raters' verdicts, and whether gold was met."""
    return _REVEALED(items=join(map(_revealed_task, revealed)))


def _revealed_task(task: RevealedTask) -> Markup:
    verdict, reveal = task.decision.verdict, task.reveal
    if verdict is None:
        return EMPTY
    a, b = _NAME(name=reveal.name_a), _NAME(name=reveal.name_b)
    return _REVEALED_TASK(
        outcome=_OUTCOMES[verdict](a=a, b=b),
        gold=_gold(verdict, reveal, a, b),
        others=_others(reveal, a, b),
        prompt=shortened(task.decision.prompt, _PROMPT_LENGTH),
    )


def _gold(verdict: Verdict, reveal: Reveal, a: Markup, b: Markup) -> Markup:
    gold = reveal.gold_verdict
    if gold is None:
        return EMPTY
    if gold is verdict:
        return _GOLD_MET()
    reason = f" {reveal.gold_reason}" if reveal.gold_reason else ""
    return _GOLD_MISSED(outcome=_OUTCOMES[gold](a=a, b=b), reason=reason)


def _others(reveal: Reveal, a: Markup, b: Markup) -> Markup:
    # The rater's own verdict is one of them.
    if len(reveal.judgments) < 2:
        return _FIRST()
    counts = Counter(judgment.verdict for judgment in reveal.judgments)
    names = {Verdict.A: a, Verdict.B: b, Verdict.TIE: "equally good", Verdict.BOTH_BAD: "both bad"}
    verdicts = [join((f"{counts[one]} × ", names[one])) for one in Verdict if counts[one]]
    return _OTHERS(
        count=len(reveal.judgments), verdicts=join(verdicts, ", "), comments=_comments(reveal.judgments)
    )


def _comments(judgments: Sequence[OtherVerdict]) -> Markup:
    comments = [_COMMENT(text=one.comment) for one in judgments if one.comment]
    return _COMMENTS(comments=join(comments[:_COMMENTS_SHOWN], " ")) if comments else EMPTY
