"""The rating desk: what a key does shows at once, and is taken back when it is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import streamlit as st

from db import rating_judgments as calls
from db.auth import SignedIn
from db.errors import Invalid, Unreachable
from db.rating_judgments import LeaseLost, Undone
from db.rating_models import Campaign, CampaignStatus
from db.rating_task_models import (
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
from tests.ui.hanging import ME, Connection, Database
from tests.ui.samples import NOW, snapshot
from ui import rating_acts as acts
from ui import session
from ui.pending import Writes
from ui.rating_acts import Desk
from ui.rating_sides import swapped

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
    """Does the calls of raters: when it is let, and with tasks as long as there are any."""

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
    writes = Writes(connection)
    monkeypatch.setattr(st, "session_state", {"campaigns": snapshot([CAMPAIGN]), "rating_tasks": object()})
    monkeypatch.setattr(session, "signed_in", lambda: ME)
    monkeypatch.setattr(session, "my_id", lambda: ME.user_id)
    monkeypatch.setattr(session, "my_writes", lambda: writes.of(ME.user_id))
    monkeypatch.setattr(session, "engine", lambda: connection)
    monkeypatch.setattr(session, "table", lambda name: st.session_state[name])
    monkeypatch.setattr(acts, "_TOO_SOON", 0.0)
    for name in ("claim", "submit", "skip", "extend", "release", "undo", "resume", "reveal"):
        monkeypatch.setattr(calls, name, getattr(server, name))
    yield server
    server.open.set()


@pytest.fixture
def desk(server: Server) -> Desk:
    """Give a desk with the first task on it."""
    desk = acts.desk_of("c")
    acts.start()
    assert on(desk) == "first"
    server.written.clear()
    return desk


def on(desk: Desk) -> str | None:
    return desk.claim.task.id if desk.claim else None


def said(desk: Desk, comment: str) -> None:
    st.session_state[acts.comment_key(desk)] = comment


def seen(verdict: Verdict, task: str) -> Verdict:
    """Return what is pressed to say this of the candidates."""
    turned = {Verdict.A: Verdict.B, Verdict.B: Verdict.A}
    return turned.get(verdict, verdict) if swapped(task, RATER) else verdict


def vote(task: str, verdict: Verdict = Verdict.A) -> None:
    acts.vote(task, RATER, seen(verdict, task))


def answered(desk: Desk) -> None:
    """Let what is under way be answered, and the desk take note of it as it is woken to do."""

    def settled() -> bool:
        acts.settle(desk)
        return desk.asked is None

    wait_for(settled, what="the answer")


def test_an_answer_that_is_quick_is_there_with_the_press_itself(server: Server, desk: Desk) -> None:
    said(desk, " better ")
    vote("first")
    assert (on(desk), desk.asked, desk.comment) == ("second", None, "")
    assert desk.last is not None
    assert desk.last.verdict is Verdict.A
    assert server.written == ["A first better", "claim"]
    vote("second", Verdict.TIE)
    assert (on(desk), [told.given.task_id for told in desk.told]) == ("third", ["first"])


def test_a_vote_shows_before_it_is_written_and_counts_once(server: Server, desk: Desk) -> None:
    server.open.clear()
    vote("first")
    vote("first")
    acts.skip("first", RATER)
    assert (on(desk), desk.last_is_foretold) == (None, True)
    assert desk.last is not None
    assert (desk.last.task_id, desk.last.verdict) == ("first", Verdict.A)
    server.open.set()
    answered(desk)
    assert (on(desk), desk.last_is_foretold) == ("second", False)
    assert server.written == ["A first", "claim"]


Act = Callable[[], None]


@pytest.mark.parametrize("act", [lambda: vote("first"), lambda: acts.skip("first", RATER)])
def test_what_is_refused_puts_the_task_back_with_its_comment(server: Server, desk: Desk, act: Act) -> None:
    said(desk, "a long thought")
    ends_at = desk.ends_at
    server.open.clear()
    server.errors = [Invalid("This task was withdrawn.")]
    act()
    assert on(desk) is None
    server.open.set()
    answered(desk)
    assert (on(desk), desk.comment, desk.last, desk.ends_at) == ("first", "a long thought", None, ends_at)
    assert desk.error == "This task was withdrawn."
    vote("first")
    assert on(desk) == "second"
    assert not desk.error


def test_a_comment_goes_on_to_the_next_task_where_the_place_was_lost(server: Server, desk: Desk) -> None:
    said(desk, "a long thought")
    server.errors = [LeaseLost()]
    vote("first")
    assert (on(desk), desk.comment, desk.last) == ("second", "a long thought", None)
    assert desk.error == LeaseLost.message


def test_a_vote_is_written_though_no_next_task_can_be_fetched(
    server: Server, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> Any:
        raise Unreachable

    monkeypatch.setattr(calls, "claim", away)
    vote("first")
    assert (on(desk), desk.comment, desk.error) == (None, "", Unreachable.message)
    assert desk.last is not None
    assert server.written == ["A first"]


def test_undo_shows_the_task_at_once_and_is_taken_back_when_it_is_too_late(
    server: Server, desk: Desk
) -> None:
    said(desk, "why")
    vote("first")
    said(desk, "half a thought")
    for error in (Invalid("It is too late to undo this judgment."), None):
        server.open.clear()
        server.errors = [error] if error else []
        acts.undo()
        assert (on(desk), desk.comment) == ("first", "why\nhalf a thought")
        assert desk.asked is not None
        vote("first", Verdict.TIE)
        server.open.set()
        answered(desk)
        if error is not None:
            assert (on(desk), desk.comment, desk.error) == ("second", "half a thought", str(error))
            assert desk.last is not None
    assert (on(desk), desk.last, desk.error) == ("first", None, None)
    vote("first", Verdict.B)
    assert server.written == ["A first why", "claim", "undo first", "B first why\nhalf a thought", "claim"]


def test_a_skipped_task_is_taken_again(server: Server, desk: Desk) -> None:
    acts.skip("first", RATER)
    acts.undo()
    assert on(desk) == "first"
    assert server.written == ["skip first", "claim", "resume first"]


def test_more_time_shows_at_once_and_is_taken_back(server: Server, desk: Desk) -> None:
    ends_at = desk.ends_at
    server.open.clear()
    server.errors = [Invalid("You do not have this task any more.")]
    acts.more_time()
    assert desk.ends_at > ends_at + 200
    said(desk, "typed meanwhile")
    acts.typed(desk)
    server.open.set()
    answered(desk)
    assert (desk.ends_at, desk.comment) == (ends_at, "typed meanwhile")
    assert desk.error == "You do not have this task any more."


def test_a_task_that_is_fetched_after_a_stop_is_given_back(server: Server, desk: Desk) -> None:
    server.open.clear()
    vote("first")
    acts.stop()
    assert not desk.working
    server.open.set()
    answered(desk)
    assert on(desk) is None
    wait_for(lambda: server.written[-1] == "release second", what="the task to be given back")


def test_who_it_was_holds_no_key_up_after_the_next_vote(
    server: Server, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    vote("first")
    stuck = Server()
    stuck.open.clear()
    monkeypatch.setattr(calls, "reveal", stuck.reveal)
    vote("second")
    assert (on(desk), desk.asked, desk.told) == ("third", None, [])
    stuck.open.set()

    def told() -> bool:
        acts.settle(desk)
        return len(desk.told) == 1

    wait_for(told, what="the candidates' names")
    acts.who()
    assert (desk.last, [one.given.task_id for one in desk.told]) == (None, ["second", "first"])


def test_who_it_was_is_offered_again_when_it_cannot_be_told(server: Server, desk: Desk) -> None:
    vote("first")
    server.errors = [Unreachable()]
    acts.who()
    assert desk.last is not None
    assert (desk.told, desk.error) == ([], Unreachable.message)


def test_what_comes_up_while_the_database_looks_is_a_reason_to_look_again(server: Server, desk: Desk) -> None:
    server.tasks.clear()
    server.open.clear()
    vote("first")
    st.session_state["rating_tasks"] = object()  # another state of the queue
    server.open.set()
    answered(desk)
    assert on(desk) is None
    assert desk.looked_at is not st.session_state["rating_tasks"]
