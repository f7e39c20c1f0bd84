"""What is on the rating desk, as one frozen value that every key and every answer replaces."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final

from db.ratings.task_models import Claim, Reveal
from ui.base.write_queue import Write
from ui.ratings.desk_html import Decision, RevealedTask

_REVEALED_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Work:
    """The task on the desk and the one before it: what keys change, and a refusal restores as a whole."""

    rating: bool = False
    """Whether the rater wants tasks."""
    claim: Claim | None = None
    lease_ends_at: float = 0.0
    """By this process's monotonic clock, in seconds; so is `shown_at`."""
    shown_at: float = 0.0
    last: Decision | None = None
    last_claim: Claim | None = None
    """The task that `last` decided."""

    def leased(self, claim: Claim, now: float) -> Work:
        """Put a task on the desk whose lease begins now."""
        lease = max(timedelta(0), claim.lease.expires_at - claim.now)
        return replace(self, claim=claim, shown_at=now, lease_ends_at=now + lease.total_seconds())

    def decided(self, decision: Decision) -> Work:
        """Take the task off the desk: it is judged or skipped."""
        return replace(self, claim=None, last=decision, last_claim=self.claim)

    def undone(self) -> Work:
        """Put the last task back on the desk."""
        return replace(self, rating=True, claim=self.last_claim, last=None)


@dataclass(frozen=True, slots=True)
class Comment:
    """The comment field. Each task gets a field of its own, so that it starts with the right text in it."""

    text: str = ""
    """What the rater has written, as far as the browser has sent it."""
    initial: str = ""
    """What the field held when it appeared: Streamlit makes another field of it when that changes."""
    field_number: int = 0

    @property
    def key(self) -> str:
        """The field's key."""
        return f"rating_comment_{self.field_number}"

    def next_field(self, text: str) -> Comment:
        """Return a new field that holds this text."""
        return Comment(text, text, self.field_number + 1)


@dataclass(frozen=True, slots=True)
class Request:
    """What the database has not answered yet; keys wait for it."""

    write: Write
    progress: str
    """A sentence for the rater to read meanwhile."""
    earlier: DeskState
    """The desk before the key, which a refusal brings back."""
    on_answer: Callable[[], None]


@dataclass(frozen=True, slots=True)
class RevealRequest:
    """A judged task whose candidates' names are being fetched; no key waits for it."""

    decision: Decision
    write: Write


@dataclass(frozen=True, slots=True)
class DeskState:
    """Everything on the desk."""

    work: Work = field(default_factory=Work)
    comment: Comment = field(default_factory=Comment)
    request: Request | None = None
    error: str | None = None
    searched_queue: object = None
    """The snapshot of the queue for which the database was last asked for a task."""
    revealed: tuple[RevealedTask, ...] = ()
    """The newest first."""
    reveal_requests: tuple[RevealRequest, ...] = ()

    @property
    def last_is_expected(self) -> bool:
        """Whether the database has yet to confirm `work.last`."""
        return self.request is not None and self.request.earlier.work.last is not self.work.last

    def restored(self, earlier: DeskState, error: str) -> DeskState:
        """Bring the work of an earlier state back, because the database refused what followed.

        What was typed meanwhile about the same task stays, and so do the names revealed meanwhile.
        """
        same_task = self.work.claim is earlier.work.claim
        comment = self.comment if same_task else self.comment.next_field(earlier.comment.text)
        return replace(self, work=earlier.work, comment=comment, error=error)

    def with_revealed(self, decision: Decision, reveal: Reveal) -> DeskState:
        """Add a judged task whose candidates have names now."""
        revealed = (RevealedTask(decision, reveal), *self.revealed)[:_REVEALED_SHOWN]
        return replace(self, revealed=revealed)
