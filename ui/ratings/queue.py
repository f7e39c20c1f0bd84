"""The queue of a campaign, for managers: all tasks, and one of them with its answers and judgments."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final, cast

import pandas as pd
import streamlit as st

from db.auth.accounts import SignedIn
from db.columns import Record
from db.errors import DatabaseError
from db.ratings import campaigns
from db.ratings.models import Campaign, RaterProfile
from db.ratings.prompts import prompts_of
from db.ratings.task_models import (
    AutoCheckStatus,
    Judgment,
    RatingTask,
    TaskContent,
    TaskSecret,
    TaskStatus,
)
from livetables.fragments import live_fragment
from ui.base import feedback, html, layout, session
from ui.base.feedback import saving_html
from ui.base.kept_reads import kept_reads
from ui.base.text import plural, shortened
from ui.base.write_queue import WRITES, Expected
from ui.ratings import tables
from ui.ratings.auto_check import CHECKER
from ui.ratings.desk import show_progress
from ui.ratings.pair import Pair, pair_html
from ui.ratings.sides import VERDICT_LABELS
from ui.ratings.task_types import words_for
from ui.writes.submit import fetch, submit_row

Details = tuple[TaskContent | None, TaskSecret | None]

_OPENED: Final = "rating_opened_task"
_PROMPTS: Final = "rating_prompts"
_PROMPT_LENGTH: Final = 120
_SHOWN: Final = 200
_PRIORITY_STEP: Final = 10
_HIGHEST_PRIORITY: Final = 1000
_STATUS: Final[Mapping[TaskStatus, str]] = {
    TaskStatus.PENDING: "Waiting",
    TaskStatus.IN_PROGRESS: "In progress",
    TaskStatus.COMPLETED: "Done",
    TaskStatus.WITHDRAWN: "Withdrawn",
}
_CHECK: Final[Mapping[AutoCheckStatus, str]] = {
    AutoCheckStatus.NONE: "–",
    AutoCheckStatus.PENDING: "…",
    AutoCheckStatus.PASSED: "✓ passed",
    AutoCheckStatus.FAILED: "✗ failed",
    AutoCheckStatus.ERROR: "check failed to run",
}
_NAMES: Final = html.Template(
    '<p class="tv-last">A is <b><bdi>{name_a}</bdi></b>, B is <b><bdi>{name_b}</bdi></b>.{gold}'
    " <small>Half of the raters see them swapped.</small></p>"
)


def show(campaign: Campaign, me: RaterProfile) -> None:
    """Show the queue, and the task that is chosen in it."""
    del me
    show_progress(campaign.id)
    _table(campaign.id)
    _opened(campaign.id)


def tasks_of(campaign_id: str) -> list[RatingTask]:
    """Return a campaign's tasks in the order of the queue; finished and withdrawn ones come last."""
    ended = (TaskStatus.COMPLETED, TaskStatus.WITHDRAWN)
    mine = [task for task in tables.tasks().values() if task.campaign_id == campaign_id]
    return sorted(mine, key=lambda task: (task.status in ended, -task.priority, task.created_at, task.id))


# ---------------------------------------------------------------- all tasks


@live_fragment(tables=("campaigns", "rating_tasks", WRITES), varies_by=("user", "role"), key="rating_queue")
def _table(campaign_id: str) -> None:
    tasks = tasks_of(campaign_id)
    if not tasks:
        layout.empty("📥", "The queue is empty", "Add tasks with the form, or many at once.")
        return
    shown = tasks[:_SHOWN]
    frame = _frame(shown, _prompts(shown), datetime.now(UTC), session.pending("rating_tasks"))
    # Without a width, long prompts leave no room for the other columns.
    st.dataframe(frame, hide_index=True, column_config={"Prompt": st.column_config.Column(width=300)})
    if len(tasks) > _SHOWN:
        st.caption(f"And {plural(len(tasks) - _SHOWN, 'more task')}.")


def _prompts(tasks: Sequence[RatingTask]) -> Mapping[str, str]:
    """Return the tasks' prompts. They never change, so each is read once a session."""
    known = cast("dict[str, str]", kept_reads().setdefault(_PROMPTS, {}))
    pending = session.pending("rating_tasks")
    new = [task.id for task in tasks if task.id not in known and task.id not in pending]
    if new:
        found = fetch(lambda me: prompts_of(me, new))
        if not isinstance(found, DatabaseError):
            known.update({key: shortened(prompt, _PROMPT_LENGTH) for key, prompt in found.items()})
    return known


def _name(task_id: str, prompts: Mapping[str, str]) -> str:
    """Name a task by its prompt, else by the end of its id: ids that were made together begin alike."""
    return prompts.get(task_id) or f"Task …{task_id[-8:]}"


def _frame(
    tasks: Sequence[RatingTask], prompts: Mapping[str, str], now: datetime, pending: frozenset[str]
) -> pd.DataFrame:
    def status(task: RatingTask) -> str:
        return _STATUS[task.status_at(now)] + (", saving…" if task.id in pending else "")

    return pd.DataFrame(
        {
            "Prompt": [_name(task.id, prompts) for task in tasks],
            "Type": [words_for(task.task_type) for task in tasks],
            "Status": [status(task) for task in tasks],
            "Judgments": [f"{task.judgments_count} of {task.judgments_wanted}" for task in tasks],
            "With raters": [task.leased(now) for task in tasks],
            "Check": [_CHECK[task.auto_check_status] for task in tasks],
            "Priority": [task.priority for task in tasks],
        }
    )


# ---------------------------------------------------------------- one task


@live_fragment(tables=("rating_tasks", "judgments", WRITES), varies_by=("user", "role"), key="rating_opened")
def _opened(campaign_id: str) -> None:
    tasks = {task.id: task for task in tasks_of(campaign_id)}
    if not tasks:
        return
    prompts = _prompts(list(tasks.values())[:_SHOWN])
    chosen = st.selectbox(
        "Look at a task", list(tasks), index=None, key=f"{_OPENED}_{campaign_id}", placeholder="Choose one",
        format_func=lambda key: _name(key, prompts),
    )  # fmt: skip
    if chosen in tasks:
        _one(tasks[chosen])


def _one(task: RatingTask) -> None:
    found = _details(task.id)
    if isinstance(found, DatabaseError):
        feedback.show_error(found)
        return
    content, secret = found
    if content is None or secret is None:
        layout.empty("🫥", "This task is gone", "Choose another one.")
        return
    _buttons(task)
    html.show(_names_html(secret))
    pair = Pair(content.prompt, content.candidate_a, content.candidate_b, task.auto_check)
    html.show(pair_html(pair, swapped=False))
    _judgments(task.id)


def _details(task_id: str) -> Details | DatabaseError:
    """Read what never changes of a task, once, however often the fragment is woken."""
    key, known = cast("tuple[str, Details | None]", kept_reads().get(_OPENED, ("", None)))
    if key == task_id and known is not None:
        return known
    found = fetch(lambda me: (campaigns.content_of(me, task_id), campaigns.secret_of(me, task_id)))
    if not isinstance(found, DatabaseError) and found[0] is not None:
        kept_reads()[_OPENED] = (task_id, found)
    return found


def _names_html(secret: TaskSecret) -> html.Markup:
    gold = "" if secret.gold_verdict is None else f" Gold: {VERDICT_LABELS[secret.gold_verdict].lower()}."
    return _NAMES(name_a=secret.name_a, name_b=secret.name_b, gold=gold)


def _judgments(task_id: str) -> None:
    given = [one for one in tables.judgments().values() if one.task_id == task_id and one.counts]
    if not given:
        st.caption("Nobody has judged it yet.")
        return
    given.sort(key=lambda one: one.judged_at)
    st.dataframe(_judgments_frame(given), hide_index=True)


def _judgments_frame(given: Sequence[Judgment]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Rater": [one.rater_id for one in given],
            "Verdict": [VERDICT_LABELS[one.verdict] for one in given],
            "Comment": [one.comment for one in given],
            "Seconds": [round(one.seconds, 1) for one in given],
            "At": [one.judged_at for one in given],
            "Final": [one.sealed_at is not None for one in given],
        }
    )


# ---------------------------------------------------------------- its buttons


def _buttons(task: RatingTask) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if task.status is TaskStatus.WITHDRAWN:
            st.button(
                "Put back", icon=":material/undo:", key="rating_put_back", on_click=_put_back, args=(task,)
            )
        elif task.status is not TaskStatus.COMPLETED:
            _open_task_buttons(task)
        if task.auto_check is None:
            st.button(
                "Check now", icon=":material/rule:", key="rating_check", on_click=_check, args=(task.id,)
            )
        if task.id in session.pending("rating_tasks"):
            html.show(saving_html(True))


def _open_task_buttons(task: RatingTask) -> None:
    st.button(
        "Withdraw", icon=":material/block:", key="rating_withdraw", on_click=_withdraw, args=(task,),
        help="No rater gets it any more. Its judgments stay, and you can put it back.",
    )  # fmt: skip
    st.button(
        "Sooner", icon=":material/arrow_upward:", key="rating_sooner", on_click=_set_priority,
        args=(task, min(_HIGHEST_PRIORITY, task.priority + _PRIORITY_STEP)),
    )  # fmt: skip
    st.button(
        "Later", icon=":material/arrow_downward:", key="rating_later", on_click=_set_priority,
        args=(task, max(-_HIGHEST_PRIORITY, task.priority - _PRIORITY_STEP)),
    )  # fmt: skip


def _withdraw(task: RatingTask) -> None:
    _change(replace(task, status=TaskStatus.WITHDRAWN), lambda me: campaigns.withdraw(me, task.id))


def _put_back(task: RatingTask) -> None:
    # An estimate: the database computes the status from leases and judgments.
    status = TaskStatus.IN_PROGRESS if task.judgments_count else TaskStatus.PENDING
    _change(replace(task, status=status), lambda me: campaigns.put_back(me, task.id))


def _set_priority(task: RatingTask, priority: int) -> None:
    _change(replace(task, priority=priority), lambda me: campaigns.set_priority(me, task.id, priority))


def _change(expected: RatingTask, do: Callable[[SignedIn], Record]) -> None:
    submit_row("rating_tasks", do, Expected("rating_tasks", (expected.id,), expected))


def _check(task_id: str) -> None:
    me = session.signed_in()
    if me is not None:
        CHECKER.request(me, [task_id], force=True)
        feedback.toast("The check is requested.", ":material/rule:")
