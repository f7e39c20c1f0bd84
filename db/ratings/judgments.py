"""Rating tasks: claim, judge, undo; and reading the judgments of a campaign, which managers do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from postgrest import SyncRequestBuilder, SyncSelectRequestBuilder

from db import rows
from db.caller import Caller
from db.columns import Record
from db.errors import InvalidValueError, UnreachableError
from db.ratings.task_models import Claim, Judgment, LeaseState, Reveal, TaskSecret, Verdict

JUDGMENTS = "judgments"
LEASES = "task_leases"
SECRETS = "rating_task_secrets"

_PAGE = 500


class LeaseLostError(InvalidValueError):
    """The lease of a task has expired, and another rater has taken its place."""

    message = (
        "Your time for this task was over, and somebody else has it now. "
        "What you wrote is kept: go on with the next task."
    )


@dataclass(frozen=True, slots=True)
class Undone:
    """An undone judgment, and the new claim of its task."""

    judgment: Record
    claim: Claim


@dataclass(frozen=True, slots=True)
class ExportedJudgment:
    """A judgment with the names of its candidates."""

    judgment: Judgment
    secret: TaskSecret

    @property
    def winner(self) -> str | None:
        """The name of the preferred candidate; None for `tie` and `both_bad`."""
        names = {Verdict.A: self.secret.name_a, Verdict.B: self.secret.name_b}
        return names.get(self.judgment.verdict)


def claim(me: Caller, campaign_id: str) -> Claim | None:
    """Claim the next task of a campaign, or the one this person already holds; None when there is none."""
    answer = rows.repeat_if_lost(lambda: rows.call(me, "claim_task", {"p_campaign": campaign_id}))
    return Claim.from_record(cast("Record", answer)) if answer else None


def extend(me: Caller, task_id: str) -> Record:
    """Start the lease of a task anew; return it.

    Raises `InvalidValueError` when another rater has taken its place.
    """
    return cast("Record", rows.repeat_if_lost(lambda: rows.call(me, "extend_lease", {"p_task": task_id})))


def submit(
    me: Caller, task_id: str, verdict: Verdict, comment: str = "", seconds: float | None = None
) -> Record:
    """Judge a task that this person holds; return the row of `judgments`. Calling it again changes nothing.

    `seconds` is how long judging took. Raises `LeaseLostError` when the lease has expired and another rater
    has taken its place.
    """
    params = {"p_task": task_id, "p_verdict": verdict.value, "p_comment": comment, "p_seconds": seconds}
    try:
        return cast("Record", rows.repeat_if_lost(lambda: rows.call(me, "submit_judgment", params)))
    except InvalidValueError as error:
        if str(error) == LeaseLostError.message:
            raise LeaseLostError from error
        raise


def undo(me: Caller, task_id: str) -> Undone:
    """Undo this person's newest judgment, within the campaign's `undo_seconds`; they hold the task again."""
    try:
        answer = cast("Record", rows.call(me, "undo_judgment", {"p_task": task_id}))
    except UnreachableError as error:
        judgment = _own_row(me, JUDGMENTS, task_id, error)
        if judgment["undone_at"] is None:
            raise
        return Undone(judgment, resume(me, task_id))
    return Undone(cast("Record", answer["judgment"]), Claim.from_record(answer))


def skip(me: Caller, task_id: str) -> Record:
    """Skip a task; return its ended lease. The task is not offered to this person again."""
    return _end_lease(me, "skip_task", task_id, LeaseState.SKIPPED)


def release(me: Caller, task_id: str) -> Record:
    """Give a task back, such as when leaving; return its ended lease. It may be offered again."""
    return _end_lease(me, "release_task", task_id, LeaseState.RELEASED)


def _end_lease(me: Caller, function: str, task_id: str, state: LeaseState) -> Record:
    try:
        return cast("Record", rows.call(me, function, {"p_task": task_id}))
    except UnreachableError as error:
        lease = _own_row(me, LEASES, task_id, error)
        if lease["state"] != state.value:
            raise
        return lease


def _own_row(me: Caller, table: str, task_id: str, lost: UnreachableError) -> Record:
    """Read this person's row of a task, to see what a call did whose answer was lost; else raise `lost`."""
    found = rows.find(me, table, {"task_id": task_id, "user_id": me.user_id}) if lost.answer_lost else None
    if found is None:
        raise lost
    return found


def resume(me: Caller, task_id: str) -> Claim:
    """Claim a task again that this person skipped, gave back or let expire.

    Raises `InvalidValueError` when no place is free.
    """
    return Claim.from_record(
        cast("Record", rows.repeat_if_lost(lambda: rows.call(me, "resume_task", {"p_task": task_id})))
    )


def reveal(me: Caller, task_id: str) -> Reveal:
    """Read what a rater may see after their vote, which is final from then on."""
    return Reveal.from_record(
        cast("Record", rows.repeat_if_lost(lambda: rows.call(me, "reveal_task", {"p_task": task_id})))
    )


def settle(me: Caller, campaign_id: str) -> None:
    """Make judgments final that cannot be undone any more, so that agreement and ranking count them."""
    rows.call(me, "settle_judgments", {"p_campaign": campaign_id})


def exported(me: Caller, campaign_id: str) -> Iterator[ExportedJudgment]:
    """Read all judgments of a campaign that count, oldest first, 500 a request; only managers may."""
    seen: tuple[str, str] | None = None
    while page := _page(me, campaign_id, seen):
        judgments = [Judgment.from_record(record) for record in page]
        secrets = _secrets(me, sorted({judgment.task_id for judgment in judgments}))
        yield from (ExportedJudgment(judgment, secrets[judgment.task_id]) for judgment in judgments)
        seen = (str(page[-1]["judged_at"]), str(page[-1]["id"]))


def _page(me: Caller, campaign_id: str, after: tuple[str, str] | None) -> list[Record]:
    def build(table: SyncRequestBuilder) -> SyncSelectRequestBuilder:
        wanted = rows.where(table.select("*"), {"campaign_id": campaign_id}).is_("undone_at", None)
        if after is not None:
            at, key = after
            wanted = wanted.or_(f'judged_at.gt."{at}",and(judged_at.eq."{at}",id.gt.{key})')
        return wanted.order("judged_at").order("id").limit(_PAGE)

    return rows.run(me, JUDGMENTS, build)


def _secrets(me: Caller, task_ids: Sequence[str]) -> dict[str, TaskSecret]:
    records = rows.find_all(me, SECRETS, "task_id", task_ids)
    return {secret.task_id: secret for secret in map(TaskSecret.from_record, records)}
