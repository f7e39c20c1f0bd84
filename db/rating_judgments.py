"""Rating: taking a task, judging it, taking a judgment back; and reading all judgments, as managers do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from postgrest import SyncRequestBuilder, SyncSelectRequestBuilder

from db import rows
from db.columns import Record
from db.errors import Invalid, Unreachable
from db.rating_task_models import Claim, Judgment, LeaseState, Reveal, TaskSecret, Verdict
from db.rows import Caller

JUDGMENTS = "judgments"
LEASES = "task_leases"
SECRETS = "rating_task_secrets"

_PAGE = 500
_IDS = 100  # they go into an address, which may not become too long


class LeaseLost(Invalid):
    """The time for a task was over and its place is taken; what was written is still on the page."""

    message = (
        "Your time for this task was over, and somebody else has it now. "
        "What you wrote is kept: go on with the next task."
    )


@dataclass(frozen=True, slots=True)
class Undone:
    """A judgment that was taken back, and its task, which is the rater's again."""

    judgment: Record
    claim: Claim


@dataclass(frozen=True, slots=True)
class ExportedJudgment:
    """A judgment with what it is about. `winner` is a candidate's name, None for tie and both_bad."""

    judgment: Judgment
    secret: TaskSecret

    @property
    def winner(self) -> str | None:
        """The name of the candidate that was preferred."""
        names = {Verdict.A: self.secret.name_a, Verdict.B: self.secret.name_b}
        return names.get(self.judgment.verdict)


def claim(me: Caller, campaign_id: str) -> Claim | None:
    """Take the next task of a campaign, or go on with the one that one has; None when there is none now."""
    answer = rows.again(lambda: rows.call(me, "claim_task", {"p_campaign": campaign_id}))
    return Claim.from_record(cast("Record", answer)) if answer else None


def extend(me: Caller, task_id: str) -> Record:
    """Say that one is still at it: the lease begins anew. Raises `Invalid` when the place was taken."""
    return cast("Record", rows.again(lambda: rows.call(me, "extend_lease", {"p_task": task_id})))


def submit(
    me: Caller, task_id: str, verdict: Verdict, comment: str = "", seconds: float | None = None
) -> Record:
    """Judge a task one has; return the row of `judgments`. The same again returns the same.

    Raises `LeaseLost` when the time was over and somebody else took the place.
    """
    params = {"p_task": task_id, "p_verdict": verdict.value, "p_comment": comment, "p_seconds": seconds}
    try:
        return cast("Record", rows.again(lambda: rows.call(me, "submit_judgment", params)))
    except Invalid as error:
        if str(error) == LeaseLost.message:
            raise LeaseLost from error
        raise


def undo(me: Caller, task_id: str) -> Undone:
    """Take one's newest judgment back, within the campaign's `undo_seconds`; the task is one's own again."""
    try:
        answer = cast("Record", rows.call(me, "undo_judgment", {"p_task": task_id}))
    except Unreachable as error:
        judgment = _look(me, JUDGMENTS, task_id, error)
        if judgment["undone_at"] is None:
            raise
        return Undone(judgment, resume(me, task_id))
    return Undone(cast("Record", answer["judgment"]), Claim.from_record(answer))


def skip(me: Caller, task_id: str) -> Record:
    """Leave a task to others; return the lease, which has ended. It does not come again by itself."""
    return _end_lease(me, "skip_task", task_id, LeaseState.SKIPPED)


def release(me: Caller, task_id: str) -> Record:
    """Give a task back, as one does who leaves; return the lease. It may come again."""
    return _end_lease(me, "release_task", task_id, LeaseState.RELEASED)


def _end_lease(me: Caller, function: str, task_id: str, state: LeaseState) -> Record:
    try:
        return cast("Record", rows.call(me, function, {"p_task": task_id}))
    except Unreachable as error:
        lease = _look(me, LEASES, task_id, error)
        if lease["state"] != state.value:
            raise
        return lease


def _look(me: Caller, table: str, task_id: str, lost: Unreachable) -> Record:
    """Read one's own row of a task, to see what became of the call whose answer got lost; else raise that."""
    found = rows.find(me, table, {"task_id": task_id, "user_id": me.user_id}) if lost.worth_looking else None
    if found is None:
        raise lost
    return found


def resume(me: Caller, task_id: str) -> Claim:
    """Take a task again that one skipped, gave back or let expire; raises `Invalid` when it is taken."""
    return Claim.from_record(
        cast("Record", rows.again(lambda: rows.call(me, "resume_task", {"p_task": task_id})))
    )


def reveal(me: Caller, task_id: str) -> Reveal:
    """After the vote: who the candidates are, the gold answer, what others said. The vote is then final."""
    return Reveal.from_record(
        cast("Record", rows.again(lambda: rows.call(me, "reveal_task", {"p_task": task_id})))
    )


def settle(me: Caller, campaign_id: str) -> None:
    """Count what nobody can undo any more in agreement and ranking: before looking at either."""
    rows.call(me, "settle_judgments", {"p_campaign": campaign_id})


def exported(me: Caller, campaign_id: str) -> Iterator[ExportedJudgment]:
    """Read every judgment of a campaign that counts, oldest first, as a manager; some hundred a request."""
    seen: tuple[str, str] | None = None
    while page := _page(me, campaign_id, seen):
        judgments = [Judgment.from_record(record) for record in page]
        secrets = _secrets(me, sorted({judgment.task_id for judgment in judgments}))
        yield from (ExportedJudgment(judgment, secrets[judgment.task_id]) for judgment in judgments)
        seen = (str(page[-1]["judged_at"]), str(page[-1]["id"]))


def _page(me: Caller, campaign_id: str, after: tuple[str, str] | None) -> list[Record]:
    def build(table: SyncRequestBuilder) -> SyncSelectRequestBuilder:
        wanted = rows.narrowed(table.select("*"), {"campaign_id": campaign_id}).is_("undone_at", None)
        if after is not None:
            at, key = after
            wanted = wanted.or_(f'judged_at.gt."{at}",and(judged_at.eq."{at}",id.gt.{key})')
        return wanted.order("judged_at").order("id").limit(_PAGE)

    return rows.run(me, JUDGMENTS, build)


def _secrets(me: Caller, tasks: list[str]) -> dict[str, TaskSecret]:
    found: dict[str, TaskSecret] = {}
    for start in range(0, len(tasks), _IDS):
        for record in _secrets_of(me, tasks[start : start + _IDS]):
            secret = TaskSecret.from_record(record)
            found[secret.task_id] = secret
    return found


def _secrets_of(me: Caller, tasks: list[str]) -> list[Record]:
    return rows.run(me, SECRETS, lambda table: table.select("*").in_("task_id", tasks))
