"""What the keys of the rating desk do, and what lies on it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, cast

import streamlit as st

from db import rating_judgments as calls
from db.errors import DatabaseError
from db.rating_task_models import Claim, Verdict
from ui import rating_session, session, writing
from ui.rating_desk_html import Given, Told, progress_of
from ui.rating_sides import swapped, turned

STATE: Final = "rating_desk"
_TOO_SOON: Final = 0.35
"""Seconds after a task came up in which nobody can have read it: a key that was pressed twice."""
_TOLD: Final = 5


@dataclass(slots=True)
class Desk:
    """What lies on the desk of this session: of one campaign, for one person."""

    campaign_id: str
    user_id: str | None
    working: bool = False
    claim: Claim | None = None
    ends_at: float = 0.0
    """When the lease ends, by this process's monotonic clock."""
    shown_at: float = 0.0
    comment: str = ""
    """What the rater has written, as far as the browser has sent it."""
    draft: str = ""
    """What the comment's field held when it came up."""
    round: int = 0
    """Grows with each task: a field for each, so that what is put into it is in it from the start."""
    last: Given | None = None
    told: list[Told] = field(default_factory=list)
    error: str | None = None
    looked_at: object = None
    """The state of the queue in which there was nothing for this rater."""


def desk_of(campaign_id: str) -> Desk:
    """Return the desk of this session for a campaign; another campaign, or another person, clears it."""
    desk = cast("Desk | None", st.session_state.get(STATE))
    me = session.my_id()
    if desk is None or (desk.campaign_id, desk.user_id) != (campaign_id, me):
        desk = Desk(campaign_id, me)
        st.session_state[STATE] = desk
    return desk


def _current() -> Desk | None:
    return cast("Desk | None", st.session_state.get(STATE))


def _act(do: Callable[[Desk], None]) -> None:
    desk = _current()
    if desk is None:
        return
    desk.error = None
    typed(desk)
    do(desk)


def comment_key(desk: Desk) -> str:
    """Return the key of the comment's field."""
    return f"rating_comment_{desk.round}"


def typed(desk: Desk) -> None:
    """Take note of what stands in the comment's field."""
    desk.comment = str(st.session_state.get(comment_key(desk), desk.comment))


def start() -> None:
    """Begin to rate."""

    def do(desk: Desk) -> None:
        desk.working = True
        claim_next(desk)

    _act(do)


def go_on() -> None:
    """Take the next task in place of this one."""
    _act(claim_next)


def vote(task_id: str, rater_id: str, seen: Verdict) -> None:
    """Judge the task that was shown, in terms of the sides it was shown on, and take the next."""

    def do(desk: Desk) -> None:
        claim = desk.claim
        # A press that was meant for the task before, or nobody's in so short a time.
        if claim is None or claim.task.id != task_id or time.monotonic() - desk.shown_at < _TOO_SOON:
            return
        crossed = swapped(task_id, rater_id)
        verdict = turned(seen, swapped=crossed)
        seconds = time.monotonic() - desk.shown_at
        comment = desk.comment.strip()
        done = writing.write("judgments", lambda me: calls.submit(me, task_id, verdict, comment, seconds))
        if isinstance(done, DatabaseError):
            _refused(desk, done)
            return
        before, desk.last = desk.last, Given(task_id, claim.content.prompt, verdict, comment, crossed)
        _clear_comment(desk)
        claim_next(desk)
        if before is not None:
            _tell(desk, before)

    _act(do)


def _refused(desk: Desk, error: DatabaseError) -> None:
    """Say why, and keep what was written for the next task or the next try."""
    desk.error = str(error)
    if isinstance(error, calls.LeaseLost):
        desk.claim = None
        claim_next(desk)


def skip(task_id: str, rater_id: str) -> None:
    """Leave the task to others, and take the next."""

    def do(desk: Desk) -> None:
        claim = desk.claim
        if claim is None or claim.task.id != task_id:
            return
        done = writing.write("task_leases", lambda me: calls.skip(me, task_id))
        if isinstance(done, DatabaseError):
            desk.error = str(done)
            return
        given = Given(task_id, claim.content.prompt, None, desk.comment, swapped(task_id, rater_id))
        before, desk.last = desk.last, given
        _clear_comment(desk)
        claim_next(desk)
        if before is not None and before.verdict is not None:
            _tell(desk, before)

    _act(do)


def undo() -> None:
    """Take back what was done last: the task is on the desk again, with its comment."""

    def do(desk: Desk) -> None:
        given = desk.last
        if given is None:
            return
        if given.verdict is None:
            taken: Claim | DatabaseError = writing.attempt(lambda me: calls.resume(me, given.task_id))
        else:
            undone = writing.attempt(lambda me: calls.undo(me, given.task_id))
            if not isinstance(undone, DatabaseError):
                writing.show_written("judgments", [undone.judgment])
            taken = undone if isinstance(undone, DatabaseError) else undone.claim
        if isinstance(taken, DatabaseError):
            desk.error = str(taken)
            return
        desk.last = None
        desk.working = True
        # What is half written for the other task goes behind it rather than away.
        desk.comment = "\n".join(text for text in (given.comment, desk.comment.strip()) if text)
        _put_down(desk, taken)

    _act(do)


def who() -> None:
    """Tell who the candidates of the last task were; the vote is final then."""

    def do(desk: Desk) -> None:
        if desk.last is not None:
            given, desk.last = desk.last, None
            _tell(desk, given)

    _act(do)


def more_time() -> None:
    """Let the time for the task begin anew."""

    def do(desk: Desk) -> None:
        claim = desk.claim
        if claim is None:
            return
        lease = writing.write("task_leases", lambda me: calls.extend(me, claim.task.id))
        if isinstance(lease, DatabaseError):
            desk.error = str(lease)
            return
        campaign = rating_session.campaigns().get((desk.campaign_id,))
        if campaign is not None:
            desk.ends_at = time.monotonic() + campaign.lease_seconds

    _act(do)


def stop() -> None:
    """Clear the desk, and give the task back."""

    def do(desk: Desk) -> None:
        desk.working = False
        claim, desk.claim = desk.claim, None
        if claim is None:
            return
        # Given back for others at once; if that fails, the lease ends by itself.
        writing.write("task_leases", lambda me: calls.release(me, claim.task.id))

    _act(do)


def _clear_comment(desk: Desk) -> None:
    desk.comment = ""
    desk.round += 1  # the field of the round before may still hold it


def claim_next(desk: Desk) -> None:
    """Put the next task on the desk, if there is one; what went wrong is said there."""
    desk.claim = None
    taken = writing.attempt(lambda me: calls.claim(me, desk.campaign_id))
    if isinstance(taken, DatabaseError):
        desk.error = str(taken)
        desk.looked_at = _queue()
    elif taken is None:
        desk.looked_at = _queue()
    else:
        _put_down(desk, taken)


def _put_down(desk: Desk, claim: Claim) -> None:
    now = time.monotonic()
    desk.claim = claim
    desk.round += 1
    desk.shown_at = now
    desk.ends_at = now + max(timedelta(0), claim.lease.expires_at - claim.now).total_seconds()


def _tell(desk: Desk, given: Given) -> None:
    if given.verdict is None:
        return
    reveal = writing.attempt(lambda me: calls.reveal(me, given.task_id))
    # What cannot be told now is no reason to stop.
    if not isinstance(reveal, DatabaseError):
        desk.told = [Told(given, reveal), *desk.told][:_TOLD]


def look_for_task(desk: Desk) -> None:
    """Claim what has come up since there was nothing; at most once for each state of the queue."""
    queue = _queue()
    if desk.looked_at is queue:
        return
    desk.looked_at = queue
    if open_places(desk.campaign_id):
        claim_next(desk)


def open_places(campaign_id: str) -> int:
    """Count the places that could be claimed now, by somebody."""
    tasks = rating_session.tasks().values()
    return progress_of(tasks, campaign_id, datetime.now(UTC)).open_places


def _queue() -> object:
    return rating_session.tasks()
