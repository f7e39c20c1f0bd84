"""The state of the desk: a refusal restores what keys have changed, and loses nothing that was typed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from db.ratings.task_models import (
    AutoCheckStatus,
    Claim,
    LeaseState,
    RatingTask,
    Reveal,
    TaskContent,
    TaskLease,
    TaskStatus,
    Verdict,
)
from ui.ratings.desk_html import Decision
from ui.ratings.desk_state import Comment, DeskState, Work

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TASKS = st.sampled_from(("one", "two", "three"))
TEXTS = st.text(max_size=8)
CLOCKS = st.floats(0, 1e6)


def claim(name: str, seconds: int = 300) -> Claim:
    task = RatingTask(
        name, "t", "c", None, "chat", 0, TaskStatus.IN_PROGRESS, 1, 0, (), AutoCheckStatus.PASSED, None, None,
        1, NOW, NOW,
    )  # fmt: skip
    ends = NOW + timedelta(seconds=seconds)
    lease = TaskLease(name, "t", "c", name, "u", "r", LeaseState.ACTIVE, NOW, ends, 1, NOW, NOW)
    return Claim(lease, task, TaskContent(name, "Which?", "a", "b"), NOW)


CLAIMS = {name: claim(name) for name in ("one", "two", "three")}
"""The same object for the same task, as the desk holds it."""


def decision(name: str) -> Decision:
    return Decision(name, "Which?", Verdict.A, "", swapped=False)


@st.composite
def works(draw: st.DrawFn) -> Work:
    """Return what a few keys have made of an empty desk."""
    work = Work(rating=True)
    for name in draw(st.lists(TASKS, max_size=5)):
        work = work.leased(CLAIMS[name], draw(CLOCKS))
        if draw(st.booleans()):
            work = work.decided(decision(name))
        if draw(st.booleans()):
            work = work.undone()
    return work


@st.composite
def states(draw: st.DrawFn) -> DeskState:
    comment = Comment(draw(TEXTS), draw(TEXTS), draw(st.integers(0, 9)))
    return DeskState(draw(works()), comment, searched_queue=draw(st.none() | st.just("queue")))


@given(states(), works(), TEXTS)
def test_a_refusal_restores_the_work_as_a_whole(earlier: DeskState, work: Work, typed: str) -> None:
    shown = replace(earlier, work=work, comment=earlier.comment.next_field(typed), searched_queue="newer")
    shown = shown.with_revealed(decision("one"), Reveal("a", "b", None, None, None, None, ()))
    restored = shown.restored(earlier, "No.")
    assert restored.work == earlier.work
    assert restored.error == "No."
    assert restored.request is None
    # These do not depend on the refused key.
    assert restored.revealed == shown.revealed
    assert restored.searched_queue == "newer"


@given(states(), works(), TEXTS)
def test_a_refusal_keeps_what_is_typed_about_the_same_task_and_brings_back_the_comment_of_another(
    earlier: DeskState, work: Work, typed: str
) -> None:
    shown = replace(earlier, work=work, comment=replace(earlier.comment, text=typed))
    restored = shown.restored(earlier, "No.")
    if work.claim is earlier.work.claim:
        assert restored.comment == shown.comment
    else:
        assert restored.comment.text == restored.comment.initial == earlier.comment.text
        assert restored.comment.key != shown.comment.key


@given(works())
def test_undo_is_the_inverse_of_a_decision(work: Work) -> None:
    if work.claim is None:
        work = work.leased(CLAIMS["one"], 0.0)
    undone = work.decided(decision("one")).undone()
    assert undone.claim is work.claim
    assert undone.last is None
    assert undone.rating


def test_a_lease_ends_by_the_clock_of_this_process() -> None:
    assert Work().leased(claim("one", 300), 1000.0).lease_ends_at == 1300.0
    assert Work().leased(claim("one", -5), 1000.0).lease_ends_at == 1000.0


def test_only_the_newest_revealed_tasks_stay() -> None:
    state, reveal = DeskState(), Reveal("a", "b", None, None, None, None, ())
    for number in range(8):
        state = state.with_revealed(decision(str(number)), reveal)
    assert [one.decision.task_id for one in state.revealed] == ["7", "6", "5", "4", "3"]
