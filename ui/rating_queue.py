"""The queue of a campaign, for managers: every task, its checks, its judgments; priority, withdrawing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final, cast

import pandas as pd
import streamlit as st

from db import rating_campaigns as calls
from db.auth import SignedIn
from db.errors import DatabaseError
from db.models import Record
from db.rating_models import Campaign, RaterProfile
from db.rating_prompts import prompts_of
from db.rating_task_models import (
    AutoCheckStatus,
    Judgment,
    RatingTask,
    TaskContent,
    TaskSecret,
    TaskStatus,
)
from live.fragments import live_fragment
from ui import layout, rating_session, session, writing
from ui.pending import WRITES, Expected, saving_html
from ui.rating_checks import CHECKER
from ui.rating_desk import show_progress
from ui.rating_pair import Pair, pair_html
from ui.rating_sides import SHOWN
from ui.text import as_html, plural, shortened

_OPENED: Final = "rating_opened_task"
_PROMPTS: Final = "rating_prompts"
_MOST: Final = 200
_STATUS: Final[Mapping[TaskStatus, str]] = {
    TaskStatus.PENDING: "Waiting",
    TaskStatus.IN_PROGRESS: "Under way",
    TaskStatus.COMPLETED: "Done",
    TaskStatus.WITHDRAWN: "Withdrawn",
}
_CHECK: Final[Mapping[AutoCheckStatus, str]] = {
    AutoCheckStatus.NONE: "–",
    AutoCheckStatus.PENDING: "…",
    AutoCheckStatus.PASSED: "✓ passed",
    AutoCheckStatus.FAILED: "✗ failed",
    AutoCheckStatus.ERROR: "could not check",
}


def show(campaign: Campaign, me: RaterProfile) -> None:
    """Show the queue, and the task that is chosen in it."""
    del me
    show_progress(campaign.id)
    _table(campaign.id)
    _opened(campaign.id)


def tasks_of(campaign_id: str) -> list[RatingTask]:
    """Return a campaign's tasks as the queue has them: what comes next first, what is over last."""
    over = (TaskStatus.COMPLETED, TaskStatus.WITHDRAWN)
    mine = [task for task in rating_session.tasks().values() if task.campaign_id == campaign_id]
    return sorted(mine, key=lambda task: (task.status in over, -task.priority, task.created_at, task.id))


@live_fragment(tables=("campaigns", "rating_tasks", WRITES), varies_by=("user", "role"), key="rating_queue")
def _table(campaign_id: str) -> None:
    tasks = tasks_of(campaign_id)
    now = datetime.now(UTC)
    if not tasks:
        layout.empty("📥", "The queue is empty", "Add tasks: with the form, or many at once.")
        return
    shown = tasks[:_MOST]
    frame = _frame(shown, _prompts(shown), now, session.pending("rating_tasks"))
    # Else the prompts take all of the room.
    st.dataframe(frame, hide_index=True, column_config={"Prompt": st.column_config.Column(width=300)})
    if len(tasks) > _MOST:
        st.caption(f"And {plural(len(tasks) - _MOST, 'more task')}.")


def _prompts(tasks: Sequence[RatingTask]) -> Mapping[str, str]:
    """Return what the tasks ask for; read once for each of them, as it never changes."""
    known = cast("dict[str, str]", st.session_state.setdefault(_PROMPTS, {}))
    foretold = session.pending("rating_tasks")
    new = [task.id for task in tasks if task.id not in known and task.id not in foretold]
    if new:
        found = writing.fetch(lambda me: prompts_of(me, new))
        if not isinstance(found, DatabaseError):
            known.update({key: shortened(prompt, 120) for key, prompt in found.items()})
    return known


def _name(task_id: str, prompts: Mapping[str, str]) -> str:
    """Name a task by its prompt; the ids of tasks that were made together differ in the end at most."""
    return prompts.get(task_id) or f"Task …{task_id[-8:]}"


def _frame(
    tasks: Sequence[RatingTask], prompts: Mapping[str, str], now: datetime, pending: frozenset[str]
) -> pd.DataFrame:
    def state(task: RatingTask) -> str:
        return _STATUS[task.status_at(now)] + (", saving…" if task.id in pending else "")

    return pd.DataFrame(
        {
            "Prompt": [_name(task.id, prompts) for task in tasks],
            "Type": [task.task_type for task in tasks],
            "State": [state(task) for task in tasks],
            "Judgments": [f"{task.judgments_count} of {task.judgments_wanted}" for task in tasks],
            "With raters": [task.leased(now) for task in tasks],
            "Check": [_CHECK[task.auto_check_status] for task in tasks],
            "Priority": [task.priority for task in tasks],
        }
    )


# ---------------------------------------------------------------- one task


@live_fragment(
    tables=("rating_tasks", "judgments", WRITES), varies_by=("user", "role", _OPENED), key="rating_opened"
)
def _opened(campaign_id: str) -> None:
    tasks = {task.id: task for task in tasks_of(campaign_id)}
    if not tasks:
        return
    prompts = _prompts(list(tasks.values())[:_MOST])
    chosen = st.selectbox(
        "Look at a task", list(tasks), index=None, key=f"{_OPENED}_{campaign_id}", placeholder="Choose one",
        format_func=lambda key: _name(key, prompts),
    )  # fmt: skip
    if chosen not in tasks:
        return
    task = tasks[chosen]
    found = _read(task.id)
    if isinstance(found, DatabaseError):
        writing.complain(found)
        return
    content, secret = found
    if content is None or secret is None:
        layout.empty("🫥", "This task is not there any more", "Choose another one.")
        return
    _actions(task)
    st.html(_who_html(secret))
    pair = Pair(content.prompt, content.candidate_a, content.candidate_b, task.auto_check)
    st.html(pair_html(pair, swapped=False))
    _judgments(task.id)


def _read(task_id: str) -> tuple[TaskContent | None, TaskSecret | None] | DatabaseError:
    # Kept: it never changes, and a fragment that is woken must not read it again.
    key, found = cast(
        "tuple[str, tuple[TaskContent | None, TaskSecret | None] | None]",
        st.session_state.get(_OPENED, ("", None)),
    )
    if key == task_id and found is not None:
        return found
    read = writing.fetch(lambda me: (calls.content_of(me, task_id), calls.secret_of(me, task_id)))
    if not isinstance(read, DatabaseError) and read[0] is not None:
        st.session_state[_OPENED] = (task_id, read)
    return read


def _who_html(secret: TaskSecret) -> str:
    names = (
        f"A is <b><bdi>{as_html(secret.name_a)}</bdi></b>, B is <b><bdi>{as_html(secret.name_b)}</bdi></b>."
    )
    gold = "" if secret.gold_verdict is None else f" Gold: {as_html(SHOWN[secret.gold_verdict].lower())}."
    return f'<p class="tv-last">{names}{gold} <small>Raters see them in one order or the other.</small></p>'


def _actions(task: RatingTask) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if task.status is TaskStatus.WITHDRAWN:
            st.button(
                "Put back", icon=":material/undo:", key="rating_put_back", on_click=_put_back, args=(task,)
            )
        elif task.status is not TaskStatus.COMPLETED:
            st.button(
                "Withdraw", icon=":material/block:", key="rating_withdraw", on_click=_withdraw, args=(task,),
                help="Nobody is given it any more. Its judgments stay, and it can be put back.",
            )  # fmt: skip
            st.button(
                "Sooner", icon=":material/arrow_upward:", key="rating_sooner", on_click=_prefer,
                args=(task, min(1000, task.priority + 10)),
            )  # fmt: skip
            st.button(
                "Later", icon=":material/arrow_downward:", key="rating_later", on_click=_prefer,
                args=(task, max(-1000, task.priority - 10)),
            )  # fmt: skip
        if task.auto_check is None:
            st.button(
                "Check now", icon=":material/rule:", key="rating_check", on_click=_check, args=(task.id,)
            )
        if task.id in session.pending("rating_tasks"):
            st.html(saving_html(True))


def _withdraw(task: RatingTask) -> None:
    _change(replace(task, status=TaskStatus.WITHDRAWN), lambda me: calls.withdraw(me, task.id))


def _put_back(task: RatingTask) -> None:
    # Roughly: the database finds the status, from leases and judgments.
    status = TaskStatus.IN_PROGRESS if task.judgments_count else TaskStatus.PENDING
    _change(replace(task, status=status), lambda me: calls.put_back(me, task.id))


def _prefer(task: RatingTask, priority: int) -> None:
    _change(replace(task, priority=priority), lambda me: calls.set_priority(me, task.id, priority))


def _change(foretold: RatingTask, do: Callable[[SignedIn], Record]) -> None:
    expected = Expected("rating_tasks", (foretold.id,), foretold)
    writing.ask(writing.putting("rating_tasks", do), expected)


def _check(task_id: str) -> None:
    me = session.signed_in()
    if me is not None:
        CHECKER.ask(me, [task_id], again=True)
        writing.say("The check is on its way.", ":material/rule:")


def _judgments(task_id: str) -> None:
    given = [one for one in rating_session.judgments().values() if one.task_id == task_id and one.counts]
    if not given:
        st.caption("Nobody has judged it yet.")
        return
    given.sort(key=lambda one: one.judged_at)
    st.dataframe(_judgments_frame(given), hide_index=True)


def _judgments_frame(given: Sequence[Judgment]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Rater": [one.rater_id for one in given],
            "Verdict": [SHOWN[one.verdict] for one in given],
            "Comment": [one.comment for one in given],
            "Seconds": [round(one.seconds, 1) for one in given],
            "At": [one.judged_at for one in given],
            "Final": [one.sealed_at is not None for one in given],
        }
    )
