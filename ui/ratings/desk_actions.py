"""What the keys of the rating desk do.

A key's result shows at once, marked until the database has answered; a refusal takes it back and says why.
Only the database knows which task comes next, so the desk says that it is being fetched. An answer within a
moment shows none of this.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, TypeVar, cast

import streamlit as st

from db.auth.accounts import SignedIn
from db.columns import Record
from db.errors import DatabaseError
from db.ratings import judgments
from db.ratings.task_models import Claim, Reveal, Verdict
from ui.base import drafts, session
from ui.ratings import tables
from ui.ratings.desk_html import Decision, progress_of
from ui.ratings.desk_state import DeskState, Request, RevealRequest
from ui.ratings.sides import mirrored, swapped
from ui.writes.submit import applying, submit, submit_row

T = TypeVar("T")

DESK: Final = "rating_desk"
_TOO_SOON: Final = 0.35
"""Seconds after a task appeared in which nobody can have read it: the key was meant for the task before."""
_PATIENCE: Final = 0.2
"""Seconds to wait longer than usual for an answer: showing that it is under way, and then the next task,
takes longer than that."""


@dataclass(frozen=True, slots=True)
class _Next:
    """The answer to a claim that followed a vote or a skip: that claim may fail although the vote counts."""

    found: Claim | DatabaseError | None


class Desk:
    """The rating desk of one session: of one campaign, for one person.

    Only the session's script threads use it, one at a time. Streamlit may end such a thread wherever it
    touches the session state, so every method replaces `state` in one assignment right after it submits.
    """

    def __init__(self, campaign_id: str, user_id: str | None) -> None:
        self.campaign_id: Final = campaign_id
        self.user_id: Final = user_id
        self.state = DeskState()

    # ---------------------------------------------------------------- requests and answers

    def settle(self) -> None:
        """Apply the answers that have arrived."""
        request = self.state.request
        if request is not None and request.write.done:
            self.state = replace(self.state, request=None)
            request.on_answer()
        for each in [one for one in self.state.reveal_requests if one.write.done]:
            remaining = tuple(one for one in self.state.reveal_requests if one is not each)
            state = replace(self.state, reveal_requests=remaining)
            # A refusal needs no message: the rater has not asked for these names.
            found = each.write.result
            self.state = state.with_revealed(each.decision, found) if isinstance(found, Reveal) else state

    def _ready(self) -> DeskState | None:
        """Prepare the desk for a key; return None while the key before it has no answer."""
        self.settle()
        if self.state.request is not None:
            return None
        self.save_comment()
        self.state = replace(self.state, error=None)
        return self.state

    def _submit(
        self, state: DeskState, progress: str, do: Callable[[SignedIn], T], on_success: Callable[[T], None]
    ) -> None:
        """Show `state` at once, and have it written; a refusal brings the present state back."""
        earlier, write = self.state, submit(do, notify=False)

        def on_answer() -> None:
            if write.error is None:
                on_success(cast("T", write.result))
                return
            self.state = self.state.restored(earlier, str(write.error))
            if isinstance(write.error, judgments.LeaseLostError):
                self.claim_next()  # its field keeps what was written about the lost task

        self.state = replace(state, request=Request(write, progress, earlier, on_answer))
        write.wait(_PATIENCE)
        self.settle()

    # ---------------------------------------------------------------- the comment

    def save_comment(self) -> None:
        """Keep what stands in the comment field."""
        comment = self.state.comment
        text = str(st.session_state.get(comment.key, comment.text))
        self.state = replace(self.state, comment=replace(comment, text=text))

    def open_comment(self) -> None:
        """Fill a field that the browser does not show yet, or no longer, with what was written in it."""
        comment = self.state.comment
        if comment.key not in st.session_state:
            self.state = replace(self.state, comment=replace(comment, initial=comment.text))

    # ---------------------------------------------------------------- the next task

    def start(self) -> None:
        """Begin to rate. A task that is still being fetched is welcome again."""
        self.state = replace(self.state, work=replace(self.state.work, rating=True))
        self.next_task()

    def next_task(self) -> None:
        """Take the next task in place of this one."""
        if self._ready() is not None:
            self.claim_next()

    def claim_next(self) -> None:
        """Have the next task fetched, if there is one."""
        work = replace(self.state.work, claim=None)
        # The queue before the database looks: a task that is added meanwhile is a reason to look again.
        state = replace(self.state, work=work, searched_queue=tables.tasks())
        self._submit(state, "Fetching the next task…", self._claim, self._take)

    def look_for_task(self) -> None:
        """Have the next task fetched when the queue has changed since the last time."""
        queue = tables.tasks()
        if self.state.request is not None or self.state.searched_queue is queue:
            return
        self.state = replace(self.state, searched_queue=queue)
        if open_places(self.campaign_id):
            self.claim_next()

    def stop(self) -> None:
        """Clear the desk, and return the task to the queue."""
        state = self.state
        if state.request is not None and state.work.claim is not None:
            return
        self.save_comment()
        claim = self.state.work.claim
        work = replace(self.state.work, rating=False, claim=None)
        self.state = replace(self.state, work=work, error=None)
        if claim is not None:
            _release(claim)

    def _claim(self, me: SignedIn) -> Claim | None:
        return judgments.claim(me, self.campaign_id)

    def _take(self, claim: Claim | None) -> None:
        if claim is None:
            return
        if not self.state.work.rating:
            _release(claim)
            return
        state = self.state
        work, comment = state.work.leased(claim, time.monotonic()), state.comment
        self.state = replace(state, work=work, comment=comment.next_field(comment.text))

    # ---------------------------------------------------------------- judging

    @property
    def unready(self) -> float:
        """For how many seconds more no vote counts, because nobody can have read the task yet."""
        return max(0.0, self.state.work.shown_at + _TOO_SOON - time.monotonic())

    def vote(self, task_id: str, rater_id: str, pressed: Verdict) -> None:
        """Judge the task that was shown, in terms of the sides it was shown on, and take the next."""
        state = self._ready()
        if state is None or state.work.claim is None or state.work.claim.task.id != task_id:
            return
        if self.unready:
            return
        seconds = time.monotonic() - state.work.shown_at
        crossed, comment = swapped(task_id, rater_id), state.comment.text.strip()
        verdict = mirrored(pressed, swapped=crossed)
        decision = Decision(task_id, state.work.claim.content.prompt, verdict, comment, crossed)

        def judge(me: SignedIn) -> Record:
            return judgments.submit(me, task_id, verdict, comment, seconds)

        self._leave(decision, applying("judgments", judge))

    def skip(self, task_id: str, rater_id: str) -> None:
        """Leave the task to others, and take the next."""
        state = self._ready()
        if state is None or state.work.claim is None or state.work.claim.task.id != task_id:
            return
        prompt, crossed = state.work.claim.content.prompt, swapped(task_id, rater_id)
        decision = Decision(task_id, prompt, None, state.comment.text, crossed)
        self._leave(decision, applying("task_leases", lambda me: judgments.skip(me, task_id)))

    def _leave(self, decision: Decision, do: Callable[[SignedIn], object]) -> None:
        """Show a task as decided; write that and fetch the next task in one go."""
        before = self.state.work.last

        def write_and_claim(me: SignedIn) -> _Next:
            do(me)
            try:
                return _Next(self._claim(me))
            except DatabaseError as error:
                return _Next(error)

        def on_success(after: _Next) -> None:
            drafts.forget(drafts.comment(decision.task_id))
            self.state = replace(self.state, comment=self.state.comment.next_field(""))
            if isinstance(after.found, DatabaseError):
                self.state = replace(self.state, error=str(after.found))
            else:
                self._take(after.found)
            self._reveal_earlier(before)

        state = replace(self.state, work=self.state.work.decided(decision), searched_queue=tables.tasks())
        self._submit(state, "Saving, and fetching the next task…", write_and_claim, on_success)

    def undo(self) -> None:
        """Take the last decision back: the task is on the desk again, with its comment."""
        state = self._ready()
        if state is None or state.work.last is None or state.work.last_claim is None:
            return
        decision = state.work.last
        # What is half written about the other task goes behind this comment, so that it is not lost.
        texts = (decision.comment, state.comment.text.strip())
        comment = state.comment.next_field("\n".join(text for text in texts if text))
        if state.work.claim is not None:
            drafts.forget(drafts.comment(state.work.claim.task.id))
        state = replace(state, work=state.work.undone(), comment=comment)
        self._submit(self._full_time(state), "Taking it back…", _resuming(decision), self._resumed)

    def _resumed(self, claim: Claim) -> None:
        self.state = replace(self.state, work=self.state.work.leased(claim, time.monotonic()))

    def more_time(self) -> None:
        """Renew the lease of the task."""
        state = self._ready()
        if state is None or state.work.claim is None:
            return
        task_id = state.work.claim.task.id
        extend = applying("task_leases", lambda me: judgments.extend(me, task_id))
        self._submit(self._full_time(state), "Asking for more time…", extend, lambda _: None)

    def _full_time(self, state: DeskState) -> DeskState:
        campaign = tables.campaigns().get((self.campaign_id,))
        if campaign is None:
            return state
        ends_at = time.monotonic() + campaign.lease_seconds
        return replace(state, work=replace(state.work, lease_ends_at=ends_at))

    # ---------------------------------------------------------------- the candidates' names

    def reveal_last(self) -> None:
        """Show who the candidates of the last task were; the vote is final then."""
        state = self._ready()
        if state is None or state.work.last is None:
            return
        decision = state.work.last

        def on_success(reveal: Reveal) -> None:
            self.state = self.state.with_revealed(decision, reveal)

        state = replace(state, work=replace(state.work, last=None))
        self._submit(state, "Fetching the names…", _revealing(decision), on_success)

    def _reveal_earlier(self, decision: Decision | None) -> None:
        """Have the names fetched of a judged task that another vote has followed."""
        if decision is None or decision.verdict is None:
            return
        request = RevealRequest(decision, submit(_revealing(decision), notify=False))
        self.state = replace(self.state, reveal_requests=(*self.state.reveal_requests, request))
        self.settle()


def desk_of(campaign_id: str) -> Desk:
    """Return the session's desk for a campaign; another campaign, or another person, begins a new one."""
    desk, me = cast("Desk | None", st.session_state.get(DESK)), session.my_id()
    if desk is None or (desk.campaign_id, desk.user_id) != (campaign_id, me):
        desk = st.session_state[DESK] = Desk(campaign_id, me)
    return desk


def open_places(campaign_id: str) -> int:
    """Count the places that somebody could claim now."""
    return progress_of(tables.tasks().values(), campaign_id, datetime.now(UTC)).open_places


def _release(claim: Claim) -> None:
    # Others can have it at once; if this fails, the lease runs out.
    submit_row("task_leases", lambda me: judgments.release(me, claim.task.id), notify=False)


def _resuming(decision: Decision) -> Callable[[SignedIn], Claim]:
    engine = session.engine()

    def resume(me: SignedIn) -> Claim:
        if decision.verdict is None:
            return judgments.resume(me, decision.task_id)
        undone = judgments.undo(me, decision.task_id)
        engine.apply_written("judgments", undone.judgment, me.user_id)
        return undone.claim

    return resume


def _revealing(decision: Decision) -> Callable[[SignedIn], Reveal]:
    return lambda me: judgments.reveal(me, decision.task_id)
