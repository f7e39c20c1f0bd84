"""The rating desk: a key's result shows at once, and a refusal takes it back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import streamlit as st

from db.auth.accounts import SignedIn
from db.errors import InvalidValueError, UnreachableError
from db.ratings import judgments
from db.ratings.judgments import LeaseLostError, Undone
from db.ratings.models import Campaign, CampaignStatus
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
from tests.support.wait import wait_for
from tests.ui.fakes import ME, Connection, Database
from tests.ui.samples import NOW, snapshot
from ui.base import session
from ui.base.write_queue import WriteQueues
from ui.ratings import desk_actions
from ui.ratings.desk_actions import Desk, desk_of
from ui.ratings.desk_state import DeskState
from ui.ratings.sides import mirrored, swapped

CAMPAIGN = Campaign("c", "t", "C", None, "", (), 1, 600, 60, 0.0, CampaignStatus.ACTIVE, None, 1, NOW, NOW)
RATER = "rhea"


def claim_of(name: str) -> Claim:
    task = RatingTask(
        name, "t", "c", None, "chat", 0, TaskStatus.IN_PROGRESS, 1, 0, (), AutoCheckStatus.PASSED, None, None,
        1, NOW, NOW,
    )  # fmt: skip
    ends = NOW + timedelta(minutes=5)
    lease = TaskLease(name, "t", "c", name, ME.user_id, RATER, LeaseState.ACTIVE, NOW, ends, 1, NOW, NOW)
    return Claim(lease, task, TaskContent(name, f"Which, of {name}?", "a", "b"), NOW)


class Server(Database):
    """Answers raters' calls when the test lets it, with tasks as long as there are any."""

    def __init__(self, *tasks: str) -> None:
        super().__init__()
        self.tasks = list(tasks)
        self.open.set()

    def claim(self, _me: SignedIn, _campaign: str) -> Claim | None:
        self.answer("claim")
        return claim_of(self.tasks.pop(0)) if self.tasks else None

    def submit(
        self, _me: SignedIn, task: str, verdict: Verdict, comment: str, _s: float
    ) -> dict[str, object]:
        self.answer(f"{verdict} {task} {comment}".strip())
        return {"id": task}

    def skip(self, _me: SignedIn, task: str) -> dict[str, object]:
        self.answer(f"skip {task}")
        return {"id": task}

    def extend(self, _me: SignedIn, task: str) -> dict[str, object]:
        self.answer(f"extend {task}")
        return {"id": task}

    def release(self, _me: SignedIn, task: str) -> dict[str, object]:
        self.answer(f"release {task}")
        return {"id": task}

    def undo(self, _me: SignedIn, task: str) -> Undone:
        self.answer(f"undo {task}")
        return Undone({"id": task}, claim_of(task))

    def resume(self, _me: SignedIn, task: str) -> Claim:
        self.answer(f"resume {task}")
        return claim_of(task)

    def reveal(self, _me: SignedIn, task: str) -> Reveal:
        self.answer(f"reveal {task}")
        return Reveal("one", "two", None, None, None, None, ())


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    server, connection = Server("first", "second", "third"), Connection()
    writes = WriteQueues(connection)
    monkeypatch.setattr(st, "session_state", {"campaigns": snapshot([CAMPAIGN]), "rating_tasks": object()})
    monkeypatch.setattr(session, "signed_in", lambda: ME)
    monkeypatch.setattr(session, "my_id", lambda: ME.user_id)
    monkeypatch.setattr(session, "my_write_queue", lambda: writes.of(ME.user_id))
    monkeypatch.setattr(session, "engine", lambda: connection)
    monkeypatch.setattr(session, "table", lambda name: st.session_state[name])
    monkeypatch.setattr(desk_actions, "_TOO_SOON", 0.0)
    for name in ("claim", "submit", "skip", "extend", "release", "undo", "resume", "reveal"):
        monkeypatch.setattr(judgments, name, getattr(server, name))
    yield server
    server.open.set()


@pytest.fixture
def desk(server: Server) -> Desk:
    """Give a desk with the first task on it."""
    desk = desk_of("c")
    desk.start()
    assert task_on(desk.state) == "first"
    server.written.clear()
    return desk


def task_on(state: DeskState) -> str | None:
    return state.work.claim.task.id if state.work.claim else None


def last_of(state: DeskState) -> tuple[str, Verdict | None] | None:
    last = state.work.last
    return None if last is None else (last.task_id, last.verdict)


def write_comment(desk: Desk, comment: str) -> None:
    st.session_state[desk.state.comment.key] = comment


def vote(desk: Desk, task: str, verdict: Verdict = Verdict.A) -> None:
    """Press the key that says this of the candidates, wherever they stand."""
    desk.vote(task, RATER, mirrored(verdict, swapped=swapped(task, RATER)))


def wait_for_answer(desk: Desk) -> None:
    """Wait for what is under way, and settle the desk as its fragment does when it is woken."""

    def settled() -> bool:
        desk.settle()
        return desk.state.request is None

    wait_for(settled, what="the answer")


def test_a_quick_answer_is_there_when_the_key_returns(server: Server, desk: Desk) -> None:
    write_comment(desk, " better ")
    vote(desk, "first")
    assert (task_on(desk.state), desk.state.request, desk.state.comment.text) == ("second", None, "")
    assert last_of(desk.state) == ("first", Verdict.A)
    assert server.written == ["A first better", "claim"]
    vote(desk, "second", Verdict.TIE)
    assert task_on(desk.state) == "third"
    assert [one.decision.task_id for one in desk.state.revealed] == ["first"]


def test_a_vote_shows_before_it_is_written_and_counts_once(server: Server, desk: Desk) -> None:
    server.open.clear()
    vote(desk, "first")
    vote(desk, "first")
    desk.skip("first", RATER)
    assert (task_on(desk.state), desk.state.last_is_expected) == (None, True)
    assert last_of(desk.state) == ("first", Verdict.A)
    server.open.set()
    wait_for_answer(desk)
    assert (task_on(desk.state), desk.state.last_is_expected) == ("second", False)
    assert server.written == ["A first", "claim"]


Key = Callable[[Desk], None]


def press_a(desk: Desk) -> None:
    vote(desk, "first")


def press_skip(desk: Desk) -> None:
    desk.skip("first", RATER)


@pytest.mark.parametrize("key", [press_a, press_skip])
def test_a_refusal_puts_the_task_back_with_its_comment(server: Server, desk: Desk, key: Key) -> None:
    write_comment(desk, "a long thought")
    work = desk.state.work
    server.open.clear()
    server.errors = [InvalidValueError("This task was withdrawn.")]
    key(desk)
    assert task_on(desk.state) is None
    server.open.set()
    wait_for_answer(desk)
    assert (desk.state.work, desk.state.comment.text) == (work, "a long thought")
    assert desk.state.error == "This task was withdrawn."
    vote(desk, "first")
    assert task_on(desk.state) == "second"
    assert not desk.state.error


def test_the_comment_on_a_lost_task_moves_to_the_next_one(server: Server, desk: Desk) -> None:
    write_comment(desk, "a long thought")
    server.errors = [LeaseLostError()]
    vote(desk, "first")
    assert (task_on(desk.state), desk.state.comment.text) == ("second", "a long thought")
    assert desk.state.work.last is None
    assert desk.state.error == LeaseLostError.message


def test_a_vote_is_written_although_no_next_task_can_be_fetched(
    server: Server, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(*_: object) -> Any:
        raise UnreachableError

    monkeypatch.setattr(judgments, "claim", unreachable)
    vote(desk, "first")
    assert (task_on(desk.state), desk.state.comment.text) == (None, "")
    assert desk.state.error == UnreachableError.message
    assert last_of(desk.state) == ("first", Verdict.A)
    assert server.written == ["A first"]


def test_undo_shows_the_task_at_once_and_a_refusal_takes_it_back(server: Server, desk: Desk) -> None:
    write_comment(desk, "why")
    vote(desk, "first")
    write_comment(desk, "half a thought")
    for error in (InvalidValueError("It is too late to undo this judgment."), None):
        server.open.clear()
        server.errors = [error] if error else []
        desk.undo()
        assert (task_on(desk.state), desk.state.comment.text) == ("first", "why\nhalf a thought")
        assert desk.state.request is not None
        vote(desk, "first", Verdict.TIE)
        server.open.set()
        wait_for_answer(desk)
        if error is not None:
            assert (task_on(desk.state), desk.state.comment.text) == ("second", "half a thought")
            assert desk.state.error == str(error)
            assert desk.state.work.last is not None
    assert (task_on(desk.state), desk.state.work.last, desk.state.error) == ("first", None, None)
    vote(desk, "first", Verdict.B)
    assert server.written == ["A first why", "claim", "undo first", "B first why\nhalf a thought", "claim"]


def test_undo_takes_a_skipped_task_again(server: Server, desk: Desk) -> None:
    desk.skip("first", RATER)
    desk.undo()
    assert task_on(desk.state) == "first"
    assert server.written == ["skip first", "claim", "resume first"]


def test_more_time_shows_at_once_and_a_refusal_takes_it_back(server: Server, desk: Desk) -> None:
    work = desk.state.work
    server.open.clear()
    server.errors = [InvalidValueError("You do not have this task any more.")]
    desk.more_time()
    assert desk.state.work.lease_ends_at > work.lease_ends_at + 200
    write_comment(desk, "typed meanwhile")
    desk.save_comment()
    server.open.set()
    wait_for_answer(desk)
    assert (desk.state.work, desk.state.comment.text) == (work, "typed meanwhile")
    assert desk.state.error == "You do not have this task any more."


def test_a_task_that_is_fetched_after_a_stop_is_released(server: Server, desk: Desk) -> None:
    server.open.clear()
    vote(desk, "first")
    desk.stop()
    assert not desk.state.work.rating
    server.open.set()
    wait_for_answer(desk)
    assert task_on(desk.state) is None
    wait_for(lambda: server.written[-1] == "release second", what="the task to be released")
    assert "A first" in server.written


def test_fetching_names_after_the_next_vote_holds_no_key_up(
    server: Server, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    vote(desk, "first")
    stuck = Server()
    stuck.open.clear()
    monkeypatch.setattr(judgments, "reveal", stuck.reveal)
    vote(desk, "second")
    assert (task_on(desk.state), desk.state.request, desk.state.revealed) == ("third", None, ())
    stuck.open.set()

    def is_revealed() -> bool:
        desk.settle()
        return len(desk.state.revealed) == 1

    wait_for(is_revealed, what="the candidates' names")
    desk.reveal_last()
    assert desk.state.work.last is None
    assert [one.decision.task_id for one in desk.state.revealed] == ["second", "first"]


def test_the_last_task_can_be_revealed_again_after_a_refusal(server: Server, desk: Desk) -> None:
    vote(desk, "first")
    server.errors = [UnreachableError()]
    desk.reveal_last()
    assert desk.state.work.last is not None
    assert (desk.state.revealed, desk.state.error) == ((), UnreachableError.message)


def test_a_task_added_while_the_database_searches_is_a_reason_to_search_again(
    server: Server, desk: Desk
) -> None:
    server.tasks.clear()
    server.open.clear()
    vote(desk, "first")
    st.session_state["rating_tasks"] = object()  # another state of the queue
    server.open.set()
    wait_for_answer(desk)
    assert task_on(desk.state) is None
    assert desk.state.searched_queue is not st.session_state["rating_tasks"]


def test_another_person_or_campaign_gets_a_desk_of_their_own(desk: Desk) -> None:
    assert desk_of("c") is desk
    assert desk_of("other") is not desk
