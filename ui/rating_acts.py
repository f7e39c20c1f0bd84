"""What the keys of the rating desk do, and what lies on it.

What a key does shows at once, marked until the database has answered, and is taken back with the reason if it
is refused. Which task comes next cannot be foretold: the desk says that it is being fetched. Nothing of this
is seen when the answer is here before anybody notices.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar, cast

import streamlit as st

from db import rating_judgments as calls
from db.auth import SignedIn
from db.errors import DatabaseError
from db.rating_task_models import Claim, Reveal, Verdict
from ui import rating_session, session, writing
from ui.pending import Write
from ui.rating_desk_html import Given, Told, progress_of
from ui.rating_sides import swapped, turned

T = TypeVar("T")

STATE: Final = "rating_desk"
_TOO_SOON: Final = 0.35
"""Seconds after a task came up in which nobody can have read it: a key that was pressed twice."""
_PATIENCE: Final = 0.2
"""Seconds more than usual in which an answer counts as immediate: showing that it is waited for, and then the
next task, takes longer than that."""
_TOLD: Final = 5


@dataclass(frozen=True, slots=True)
class Asked:
    """What the database has been asked for: how the desk was before, and what to make of the answer."""

    write: Write
    words: str
    before: Desk
    answered: Callable[[], None]


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
    left: Claim | None = None
    """The task that `last` is about."""
    told: list[Told] = field(default_factory=list)
    error: str | None = None
    looked_at: object = None
    """The state of the queue in which there was nothing for this rater."""
    asked: Asked | None = None
    """What has no answer yet; keys wait for it."""
    telling: list[tuple[Given, Write]] = field(default_factory=list)
    """The tasks whose candidates have been asked for; nothing waits for these."""

    @property
    def last_is_foretold(self) -> bool:
        """Whether the database has yet to say that `last` is so."""
        return self.asked is not None and self.asked.before.last is not self.last


def desk_of(campaign_id: str) -> Desk:
    """Return the desk of this session for a campaign; another campaign, or another person, clears it."""
    desk, me = _current(), session.my_id()
    if desk is None or (desk.campaign_id, desk.user_id) != (campaign_id, me):
        desk = Desk(campaign_id, me)
        st.session_state[STATE] = desk
    return desk


def _current() -> Desk | None:
    return cast("Desk | None", st.session_state.get(STATE))


# ---------------------------------------------------------------- asking, and taking note of answers


def _act(do: Callable[[Desk], None]) -> None:
    desk = _current()
    if desk is None:
        return
    settle(desk)
    if desk.asked is None:
        desk.error = None
        typed(desk)
        do(desk)


def _ask(
    desk: Desk, before: Desk, words: str, do: Callable[[SignedIn], T], then: Callable[[T], None]
) -> None:
    """Have something done of which the desk shows the result already; refused, the desk is as `before`."""
    write = writing.ask(do, told=False)

    def answered() -> None:
        if write.error is None:
            then(cast("T", write.result))
            return
        _take_back(desk, before, write.error)
        if isinstance(write.error, calls.LeaseLost):
            claim_next(desk)  # with what was written about the task that is lost

    desk.asked = Asked(write, words, before, answered)
    write.wait(_PATIENCE)
    settle(desk)


def settle(desk: Desk) -> None:
    """Take note of what has been answered by now."""
    asked = desk.asked
    if asked is not None and asked.write.done:
        desk.asked = None
        asked.answered()
    for given, write in [one for one in desk.telling if one[1].done]:
        desk.telling.remove((given, write))
        if isinstance(write.result, Reveal):  # what cannot be told now is no reason to stop
            _told(desk, given, write.result)


def _take_back(desk: Desk, before: Desk, error: DatabaseError) -> None:
    desk.error = str(error)
    desk.last, desk.left = before.last, before.left
    desk.ends_at, desk.working = before.ends_at, before.working
    if desk.claim is not before.claim:
        _put_down(desk, before.claim, before.comment)


def _put_down(desk: Desk, claim: Claim | None, comment: str) -> None:
    desk.claim, desk.comment = claim, comment
    desk.round += 1  # the field of the round before may still hold something else


def _begins(desk: Desk, claim: Claim) -> None:
    """Note that the task is leased from now on."""
    now = time.monotonic()
    desk.claim = claim
    desk.shown_at = now
    desk.ends_at = now + max(timedelta(0), claim.lease.expires_at - claim.now).total_seconds()


def comment_key(desk: Desk) -> str:
    """Return the key of the comment's field."""
    return f"rating_comment_{desk.round}"


def typed(desk: Desk) -> None:
    """Take note of what stands in the comment's field."""
    desk.comment = str(st.session_state.get(comment_key(desk), desk.comment))


# ---------------------------------------------------------------- the next task


def start() -> None:
    """Begin to rate."""
    desk = _current()
    if desk is not None:
        desk.working = True  # a task that is still on its way from before is then welcome again
    _act(claim_next)


def go_on() -> None:
    """Take the next task in place of this one."""
    _act(claim_next)


def claim_next(desk: Desk) -> None:
    """Have the next task fetched, if there is one; what went wrong is said at the desk."""
    before, desk.claim = replace(desk), None
    # As it is now: what comes up while the database looks is a reason to look again.
    desk.looked_at = _queue()
    words = "Fetching the next task…"
    _ask(desk, before, words, lambda me: calls.claim(me, desk.campaign_id), lambda one: _taken(desk, one))


def _taken(desk: Desk, claim: Claim | None) -> None:
    if claim is None:
        return
    if not desk.working:
        _give_back(claim)
        return
    _put_down(desk, claim, desk.comment)
    _begins(desk, claim)


def look_for_task(desk: Desk) -> None:
    """Have what has come up since there was nothing fetched; at most once for each state of the queue."""
    queue = _queue()
    if desk.asked is not None or desk.looked_at is queue:
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


def stop() -> None:
    """Clear the desk, and give the task back."""
    desk = _current()
    if desk is None or (desk.asked is not None and desk.claim is not None):
        return
    typed(desk)
    desk.working, desk.error = False, None
    claim, desk.claim = desk.claim, None
    if claim is not None:
        _give_back(claim)


def _give_back(claim: Claim) -> None:
    # For others at once; if that fails, the lease ends by itself.
    release = writing.putting("task_leases", lambda me: calls.release(me, claim.task.id))
    writing.ask(release, told=False)


# ---------------------------------------------------------------- judging, and what may follow


def vote(task_id: str, rater_id: str, seen: Verdict) -> None:
    """Judge the task that was shown, in terms of the sides it was shown on, and take the next."""

    def do(desk: Desk) -> None:
        claim, seconds = desk.claim, time.monotonic() - desk.shown_at
        # A press that was meant for the task before, or nobody's in so short a time.
        if claim is None or claim.task.id != task_id or seconds < _TOO_SOON:
            return
        crossed, comment = swapped(task_id, rater_id), desk.comment.strip()
        verdict = turned(seen, swapped=crossed)
        given = Given(task_id, claim.content.prompt, verdict, comment, crossed)
        submit = writing.putting("judgments", lambda me: calls.submit(me, task_id, verdict, comment, seconds))
        _leave(desk, claim, given, submit)

    _act(do)


def skip(task_id: str, rater_id: str) -> None:
    """Leave the task to others, and take the next."""

    def do(desk: Desk) -> None:
        claim = desk.claim
        if claim is None or claim.task.id != task_id:
            return
        given = Given(task_id, claim.content.prompt, None, desk.comment, swapped(task_id, rater_id))
        leave = writing.putting("task_leases", lambda me: calls.skip(me, task_id))
        _leave(desk, claim, given, leave)

    _act(do)


@dataclass(frozen=True, slots=True)
class _Next:
    """What came of looking for the next task, once the one before is done with."""

    found: Claim | DatabaseError | None


def _leave(desk: Desk, claim: Claim, given: Given, do: Callable[[SignedIn], object]) -> None:
    """Show a task as done with; have that written, and the next one fetched in the same go."""
    before = replace(desk)
    desk.last, desk.left, desk.claim = given, claim, None
    desk.looked_at = _queue()

    def write(me: SignedIn) -> _Next:
        do(me)
        try:
            return _Next(calls.claim(me, desk.campaign_id))
        except DatabaseError as error:
            return _Next(error)

    def written(after: _Next) -> None:
        _put_down(desk, None, "")
        if isinstance(after.found, DatabaseError):
            desk.error = str(after.found)
        else:
            _taken(desk, after.found)
        _tell_of(desk, before.last)

    _ask(desk, before, "Saving, and fetching the next task…", write, written)


def undo() -> None:
    """Take back what was done last: the task is on the desk again, with its comment."""

    def do(desk: Desk) -> None:
        given, claim = desk.last, desk.left
        if given is None or claim is None:
            return
        before = replace(desk)
        desk.last, desk.working = None, True
        # What is half written for the other task goes behind it rather than away.
        comments = (given.comment, desk.comment.strip())
        _put_down(desk, claim, "\n".join(text for text in comments if text))
        _full_time(desk)
        _ask(desk, before, "Taking it back…", _resume(given), lambda claim: _begins(desk, claim))

    _act(do)


def _resume(given: Given) -> Callable[[SignedIn], Claim]:
    engine = session.engine()

    def do(me: SignedIn) -> Claim:
        if given.verdict is None:
            return calls.resume(me, given.task_id)
        undone = calls.undo(me, given.task_id)
        engine.apply_written("judgments", undone.judgment, me.user_id)
        return undone.claim

    return do


def who() -> None:
    """Tell who the candidates of the last task were; the vote is final then."""

    def do(desk: Desk) -> None:
        given = desk.last
        if given is None:
            return
        before, desk.last = replace(desk), None
        _ask(desk, before, "Asking who it was…", _reveal(given), lambda reveal: _told(desk, given, reveal))

    _act(do)


def _reveal(given: Given) -> Callable[[SignedIn], Reveal]:
    return lambda me: calls.reveal(me, given.task_id)


def _tell_of(desk: Desk, given: Given | None) -> None:
    """Tell who the candidates were of a task that another vote has followed."""
    if given is not None and given.verdict is not None:
        desk.telling.append((given, writing.ask(_reveal(given), told=False)))
        settle(desk)


def _told(desk: Desk, given: Given, reveal: Reveal) -> None:
    desk.told = [Told(given, reveal), *desk.told][:_TOLD]


def more_time() -> None:
    """Let the time for the task begin anew."""

    def do(desk: Desk) -> None:
        claim = desk.claim
        if claim is None:
            return
        before = replace(desk)
        _full_time(desk)
        extend = writing.putting("task_leases", lambda me: calls.extend(me, claim.task.id))
        _ask(desk, before, "Asking for more time…", extend, lambda _: None)

    _act(do)


def _full_time(desk: Desk) -> None:
    campaign = rating_session.campaigns().get((desk.campaign_id,))
    if campaign is not None:
        desk.ends_at = time.monotonic() + campaign.lease_seconds
