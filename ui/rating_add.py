"""Adding tasks to a campaign, for managers: one with a form, or many at once from text or a file."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import pandas as pd
import streamlit as st

from db import rating_campaigns as calls
from db.auth import SignedIn
from db.rating_campaigns import TaskDraft
from db.rating_models import Campaign, CampaignStatus, RaterProfile
from db.rating_task_models import AutoCheckStatus, RatingTask, TaskStatus, Verdict
from live.fragments import live_fragment
from ui import rating_import, session, writing
from ui.conflicts import Saving
from ui.pending import WRITES, Expected
from ui.rating_campaigns import TASK_TYPES
from ui.rating_checks import CHECKER
from ui.rating_desk import show_progress
from ui.rating_import import MOST_BYTES, Read, Unreadable
from ui.text import plural

_FORM: Final = "rating_task_form"
_BULK: Final = "rating_bulk"
_ONE: Final = Saving(_FORM)
_SEVERAL: Final = Saving(_BULK)
_SHOWN_PROBLEMS: Final = 20
_EXAMPLE: Final = (
    '{"task_type": "text_to_sql", "prompt": "Count the guests.", "candidate_a": "select count(*)",'
    ' "candidate_b": "select guests", "name_a": "hearth-7b", "name_b": "ember-3b"}'
)


def show(campaign: Campaign, me: RaterProfile) -> None:
    """Show both ways."""
    del me
    show_progress(campaign.id)
    if campaign.status is CampaignStatus.COMPLETED:
        st.info("This campaign is over. Open it again to add tasks.", icon=":material/flag:")
        return
    one, many = st.tabs(["One task", "Many at once"])
    with one:
        _single(campaign)
    with many:
        _many(campaign)


@live_fragment(tables=(WRITES,), varies_by=("user",), key="rating_add_one")
def _single(campaign: Campaign) -> None:
    if _ONE.finished():
        st.session_state[_FORM] = int(st.session_state.get(_FORM, 0)) + 1
    task_types, number = campaign.task_types, int(st.session_state.get(_FORM, 0))
    with st.form(f"{_FORM}_{number}", border=False):
        task_type = st.selectbox("Type", task_types or TASK_TYPES, accept_new_options=not task_types)
        prompt = st.text_area("Prompt", max_chars=50_000, height=80)
        left, right = st.columns(2)
        name_a = left.text_input("Name of the first candidate", max_chars=120, placeholder="hearth-7b")
        text_a = left.text_area("What it answered", key=f"{_FORM}_a_{number}", max_chars=50_000)
        name_b = right.text_input("Name of the second candidate", max_chars=120, placeholder="ember-3b")
        text_b = right.text_area("What it answered", key=f"{_FORM}_b_{number}", max_chars=50_000)
        first, second = st.columns(2)
        priority = first.number_input("Priority", -1000, 1000, 0, help="Greater comes first.")
        gold = second.selectbox(
            "Known answer", [None, *Verdict], format_func=_gold_label,
            help="Makes it a gold task: it checks the raters.",
        )  # fmt: skip
        reason = st.text_input("Why that is the answer", max_chars=5000)
        added = _ONE.submit("Add the task")
    if not added:
        _ONE.show()
        return
    key = str(st.session_state.setdefault(f"{_FORM}_id_{number}", str(uuid.uuid4())))
    draft = TaskDraft(
        key, task_type or "", prompt, text_a, text_b, name_a.strip(), name_b.strip(), priority=int(priority),
        gold_verdict=gold, gold_reason=reason.strip() or None,
    )  # fmt: skip
    problem = _problem(draft)
    if problem:
        _ONE.forget()
        st.error(problem)
        return
    _add(_ONE, campaign, [draft], "The task is in the queue.")


def _gold_label(verdict: Verdict | None) -> str:
    names = {
        Verdict.A: "The first",
        Verdict.B: "The second",
        Verdict.TIE: "A tie",
        Verdict.BOTH_BAD: "Both bad",
    }
    return "None" if verdict is None else names[verdict]


def _problem(draft: TaskDraft) -> str | None:
    if not draft.prompt.strip():
        return "What were the candidates asked? A task has a prompt."
    if not str(draft.candidate_a).strip() or not str(draft.candidate_b).strip():
        return "Both candidates have an answer."
    if not draft.name_a or not draft.name_b:
        return "Both candidates have a name."
    if draft.name_a == draft.name_b:
        return "The two candidates have different names."
    return None


# ---------------------------------------------------------------- many


@live_fragment(tables=(WRITES,), varies_by=("user",), key="rating_add_many")
def _many(campaign: Campaign) -> None:
    if _SEVERAL.finished():
        st.session_state[_BULK] = int(st.session_state.get(_BULK, 0)) + 1
    number = int(st.session_state.get(_BULK, 0))
    st.caption(
        "JSON lines, a JSON list, or CSV with a header. Needed: task_type, prompt, candidate_a, candidate_b, "
        "name_a, name_b. Optional: model_a, model_b, priority, external_id, "
        "gold_verdict (A, B, tie, both_bad), gold_reason."
    )
    file = st.file_uploader(
        "File", type=["jsonl", "json", "csv", "txt"], key=f"{_BULK}_file_{number}",
        max_upload_size=MOST_BYTES // 2**20,
    )  # fmt: skip
    pasted = st.text_area("Or paste it here", key=f"{_BULK}_text_{number}", height=140, placeholder=_EXAMPLE)
    text = pasted
    if file is not None:
        try:
            text = file.getvalue().decode("utf-8-sig")
        except UnicodeDecodeError:
            st.error("This file is not in UTF-8. Save it as UTF-8 and try again.")
            return
    if not text.strip():
        return
    try:
        found = rating_import.read(text, campaign.id, campaign.task_types)
    except Unreadable as error:
        st.error(str(error))
        return
    _problems(found)
    if not found.tasks:
        return
    label = f"Add {plural(len(found.tasks), 'task')}"
    words = f"{plural(len(found.tasks), 'task')} in the queue."
    if st.button(label, type="primary", key=f"{_BULK}_add_{number}", disabled=_SEVERAL.busy):
        _add(_SEVERAL, campaign, found.tasks, words)
    _SEVERAL.mark()
    _SEVERAL.show()


def _problems(found: Read) -> None:
    if not found.problems:
        return
    left_out = plural(len(found.problems), "row is", "rows are")
    st.warning(f"{left_out} not possible as they stand and would be left out.", icon=":material/rule:")
    shown = found.problems[:_SHOWN_PROBLEMS]
    frame = pd.DataFrame({"Row": [one.row for one in shown], "Problem": [one.message for one in shown]})
    st.dataframe(frame, hide_index=True, column_config={"Row": st.column_config.NumberColumn(width="small")})
    if len(found.problems) > len(shown):
        st.caption(f"And {len(found.problems) - len(shown):,} more.")


def _add(saving: Saving, campaign: Campaign, drafts: Sequence[TaskDraft], words: str) -> None:
    """Add tasks, and have them checked; the form stays as it is until they are there."""
    engine = session.engine()

    def add(me: SignedIn) -> None:
        made = calls.add_tasks(me, campaign.id, drafts)
        for record in made:
            engine.apply_written("rating_tasks", record, me.user_id)
        CHECKER.ask(me, [str(record["id"]) for record in made])

    expected = [
        Expected("rating_tasks", (draft.id,), new_task(campaign, draft), new=True) for draft in drafts
    ]
    saving.begin(writing.ask(add, *expected, words=words, told=False))
    st.rerun(scope="fragment")


def new_task(campaign: Campaign, draft: TaskDraft) -> RatingTask:
    """Return the task as the database will make it."""
    now = datetime.now(UTC)
    return RatingTask(
        draft.id, campaign.tenant_id, campaign.id, campaign.brand_id, draft.task_type, draft.priority,
        TaskStatus.PENDING, campaign.judgments_per_task, 0, (), AutoCheckStatus.NONE, None, None, 0, now, now,
    )  # fmt: skip
