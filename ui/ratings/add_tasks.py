"""Adding tasks to a campaign, for managers: one with a form, or many from text or a file."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

import pandas as pd
import streamlit as st

from db.auth.accounts import SignedIn
from db.ratings import campaigns
from db.ratings.campaigns import TaskDraft
from db.ratings.models import Campaign, CampaignStatus, RaterProfile
from db.ratings.task_models import (
    AutoCheckStatus,
    RatingTask,
    TaskStatus,
    Verdict,
)
from livetables.fragments import live_fragment
from ui.base import drafts, session, text_files, uploads
from ui.base.drafts import Draft
from ui.base.text import as_label, plural, shortened
from ui.base.text_files import CODE_PAGES, NotTextError
from ui.base.write_queue import WRITES, Expected
from ui.ratings import import_tasks
from ui.ratings.auto_check import CHECKER
from ui.ratings.desk import show_progress
from ui.ratings.import_tasks import (
    MOST_BYTES,
    ImportedTasks,
    Rejected,
    UnreadableFileError,
)
from ui.ratings.task_types import TASK_TYPES, choice
from ui.writes.saving import Saving
from ui.writes.submit import submit

_FORM: Final = "rating_task_form"
_BULK: Final = "rating_bulk"
_REFUSED: Final = f"{_BULK}_refused"
_ONE: Final = Saving(_FORM)
_MANY: Final = Saving(_BULK)
_PROBLEMS_SHOWN: Final = 20
_SAMPLE: Final = 80
_LONGEST_ANSWER: Final = 50_000
# The server takes no larger messages from a page: request_guard.py. More text comes as a file.
_LONGEST_PASTE: Final = 1_000_000
_GOLD_LABELS: Final[Mapping[Verdict | None, str]] = {
    None: "None",
    Verdict.A: "The first",
    Verdict.B: "The second",
    Verdict.TIE: "A tie",
    Verdict.BOTH_BAD: "Both bad",
}
_EXAMPLE: Final = (
    '{"task_type": "text_to_sql", "prompt": "Count the guests.", "candidate_a": "select count(*)",'
    ' "candidate_b": "select guests", "name_a": "hearth-7b", "name_b": "ember-3b"}'
)
_FORMAT: Final = (
    "JSON lines, a JSON list, or CSV with a header, also as Excel saves it. "
    "Required: task_type, prompt, candidate_a, candidate_b, name_a, name_b. "
    "Optional: model_a, model_b, priority, external_id, gold_verdict (A, B, tie, both_bad), gold_reason."
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
        _add_one(campaign)
    with many:
        _add_many(campaign)


# ---------------------------------------------------------------- one task


@live_fragment(tables=(WRITES,), varies_by=("user",), key="rating_add_one")
def _add_one(campaign: Campaign) -> None:
    place = drafts.new_task(campaign.id)
    if _ONE.finished():
        st.session_state[_FORM] = int(st.session_state.get(_FORM, 0)) + 1
        drafts.forget(place)
    number = int(st.session_state.get(_FORM, 0))
    kept = drafts.shown(place, f"{_FORM}_{number}")
    drafts.keep(place, kept.key)
    key = str(st.session_state.setdefault(f"{_FORM}_id_{number}", str(uuid.uuid4())))
    with st.form(f"{_FORM}_{number}", border=False):
        draft = _draft(campaign, kept, key)
        submitted = _ONE.submit("Add the task")
    if not submitted:
        _ONE.show()
        return
    problem = _problem(draft)
    if problem:
        _ONE.forget()
        st.error(problem)
        return
    _add(_ONE, campaign, [draft], "The task is in the queue.")


def _draft(campaign: Campaign, kept: Draft, key: str) -> TaskDraft:
    """Show the fields of the form, and return what is in them."""
    fields = kept.key
    task_type = _task_type(campaign.task_types, kept)
    prompt = st.text_area("Prompt", max_chars=_LONGEST_ANSWER, height=80, key=f"{fields}_prompt")
    left, right = st.columns(2)
    name_a = left.text_input(
        "Name of the first candidate", max_chars=120, placeholder="hearth-7b", key=f"{fields}_name_a"
    )
    text_a = left.text_area("What it answered", key=f"{fields}_a", max_chars=_LONGEST_ANSWER)
    name_b = right.text_input(
        "Name of the second candidate", max_chars=120, placeholder="ember-3b", key=f"{fields}_name_b"
    )
    text_b = right.text_area("What it answered", key=f"{fields}_b", max_chars=_LONGEST_ANSWER)
    first, second = st.columns(2)
    priority = first.number_input(
        "Priority", -1000, 1000, 0, key=f"{fields}_priority", help="Tasks of a higher priority come first."
    )
    gold = second.selectbox(
        "Known answer", list(_GOLD_LABELS), kept.index("_gold", list(_GOLD_LABELS.values())),
        format_func=_GOLD_LABELS.__getitem__, key=f"{fields}_gold",
        help="Makes it a gold task, which measures how often raters are right.",
    )  # fmt: skip
    reason = st.text_input("Why that is the answer", max_chars=5000, key=f"{fields}_reason")
    return TaskDraft(
        key, task_type or "", prompt, text_a, text_b, name_a.strip(), name_b.strip(), priority=int(priority),
        gold_verdict=gold, gold_reason=reason.strip() or None,
    )  # fmt: skip


def _task_type(types: Sequence[str], kept: Draft) -> str | None:
    known = list(types or TASK_TYPES)
    labels = [choice(one) for one in known]
    typed = kept.options.get("_type")
    if typed and typed not in labels and not types:
        known, labels = [*known, typed], [*labels, typed]
    return st.selectbox(
        "Type", known, kept.index("_type", labels), accept_new_options=not types, format_func=choice,
        key=f"{kept.key}_type",
    )  # fmt: skip


def _problem(draft: TaskDraft) -> str | None:
    if not draft.prompt.strip():
        return "Enter the prompt that the candidates were given."
    if not str(draft.candidate_a).strip() or not str(draft.candidate_b).strip():
        return "Enter what each candidate answered."
    if not draft.name_a or not draft.name_b:
        return "Enter a name for each candidate."
    if draft.name_a == draft.name_b:
        return "Enter two different names: a candidate cannot be compared with itself."
    return None


# ---------------------------------------------------------------- many


@live_fragment(tables=(WRITES,), varies_by=("user",), key="rating_add_many")
def _add_many(campaign: Campaign) -> None:
    refused = _MANY.result
    if _MANY.finished():
        st.session_state[f"{_REFUSED}_{campaign.id}"] = refused
        st.session_state[_BULK] = int(st.session_state.get(_BULK, 0)) + 1
        drafts.forget(drafts.pasted_tasks(campaign.id))
    number = int(st.session_state.get(_BULK, 0))
    st.caption(_FORMAT)
    found = _read(campaign, number)
    if found is None:
        last: Rejected | None = st.session_state.get(f"{_REFUSED}_{campaign.id}")
        if last is not None:
            _show_problems(last)
        return
    rejected = Rejected(found.file, found.problems)
    _show_problems(rejected)
    if not found.tasks:
        return
    count = plural(len(found.tasks), "task")
    if st.button(f"Add {count}", type="primary", key=f"{_BULK}_add_{number}", disabled=_MANY.busy):
        _add_good(campaign, found)
    _MANY.mark()
    _MANY.show()


def _read(campaign: Campaign, number: int) -> ImportedTasks | None:
    """Ask for a file or text, and parse it; None when there is nothing to add, or it cannot be read."""
    uploads.permit()
    file = st.file_uploader(
        "File", type=["jsonl", "json", "csv", "tsv", "txt"], key=f"{_BULK}_file_{number}",
        max_upload_size=MOST_BYTES // 2**20,
    )  # fmt: skip
    place = drafts.pasted_tasks(campaign.id)
    key = drafts.shown(place, f"{_BULK}_text_{number}").key
    drafts.keep(place, key)
    text = st.text_area(
        "Or paste it here", key=key, height=140, max_chars=_LONGEST_PASTE, placeholder=_EXAMPLE
    )
    try:
        if file is not None:
            text = _text_of(file.getvalue(), f"{_BULK}_encoding_{file.file_id}")
        return import_tasks.parse(text, campaign.id, campaign.task_types) if text.strip() else None
    except (NotTextError, UnreadableFileError) as error:
        st.error(as_label(str(error)))
    return None


def _text_of(data: bytes, key: str) -> str:
    """Return the text of a file. If it does not tell its encoding, show the one taken, and let it be changed.

    Raises:
        NotTextError: It is no text.
    """
    territory = session.region().territory
    read = text_files.read(data, territory)
    if not read.choices:
        return read.text
    chosen = st.selectbox("Encoding", read.choices, format_func=CODE_PAGES.__getitem__, key=key)
    text = text_files.read(data, territory, chosen).text
    sample = next((line for line in text.splitlines() if not line.isascii()), "")
    st.caption(
        as_label(
            "This file does not say in which encoding it is. Choose another one if this is not readable: "
            + shortened(sample, _SAMPLE)
        )
    )
    return text


def _show_problems(rejected: Rejected) -> None:
    problems = rejected.problems
    if not problems:
        return
    rows = plural(len(problems), "row has a problem and is", "rows have a problem and are")
    st.warning(f"{rows} left out.", icon=":material/rule:")
    shown = problems[:_PROBLEMS_SHOWN]
    frame = pd.DataFrame({"Line": [one.line for one in shown], "Problem": [one.message for one in shown]})
    st.dataframe(frame, hide_index=True, column_config={"Line": st.column_config.NumberColumn(width="small")})
    if len(problems) > len(shown):
        st.caption(f"And {len(problems) - len(shown):,} more.")
    ending, content = import_tasks.as_file(rejected)
    st.download_button(
        "Download these rows", content, f"rows-with-problems.{ending}", icon=":material/download:",
        on_click="ignore",
    )  # fmt: skip
    st.caption("Correct them in that file and add it here. Its notes on lines and problems are passed over.")


# ---------------------------------------------------------------- adding


def _add(saving: Saving, campaign: Campaign, drafts: Sequence[TaskDraft], success_message: str) -> None:
    """Add tasks, and request their checks; the form stays as it is until the database has taken them."""
    engine = session.engine()

    def add(me: SignedIn) -> None:
        records = campaigns.add_tasks(me, campaign.id, drafts)
        for record in records:
            engine.apply_written("rating_tasks", record, me.user_id)
        CHECKER.request(me, [str(record["id"]) for record in records])

    saving.begin(submit(add, *_expected(campaign, drafts), success_message=success_message, notify=False))
    st.rerun(scope="fragment")


def _add_good(campaign: Campaign, found: ImportedTasks) -> None:
    """Add the tasks of a file; those that the database refuses are shown as the file's other problems are."""
    engine, drafts = session.engine(), found.tasks
    known: dict[str, str] | None = None

    def add(me: SignedIn) -> Rejected:
        nonlocal known
        # Asked once: after a lost answer the campaign has the tasks of this import as well.
        if known is None:
            known = campaigns.known_tasks(me, campaign.id, drafts)
        added = campaigns.add_good_tasks(me, campaign.id, [one for one in drafts if one.id not in known])
        for record in added.records:
            engine.apply_written("rating_tasks", record, me.user_id)
        CHECKER.request(me, [str(record["id"]) for record in added.records])
        reasons = {**known, **{draft.id: str(error) for draft, error in added.refused}}
        refused = [import_tasks.problem_of(found.rows[each], reason) for each, reason in reasons.items()]
        return Rejected(found.file, sorted((*found.problems, *refused), key=lambda one: one.line))

    expected = _expected(campaign, drafts)
    message = "The import is finished."
    _MANY.begin(submit(add, *expected, success_message=message, notify=False))
    st.rerun(scope="fragment")


def _expected(campaign: Campaign, drafts: Sequence[TaskDraft]) -> list[Expected]:
    return [Expected("rating_tasks", (draft.id,), new_task(campaign, draft), new=True) for draft in drafts]


def new_task(campaign: Campaign, draft: TaskDraft) -> RatingTask:
    """Return a task as the database will create it."""
    now = datetime.now(UTC)
    return RatingTask(
        draft.id, campaign.tenant_id, campaign.id, campaign.brand_id, draft.task_type, draft.priority,
        TaskStatus.PENDING, campaign.judgments_per_task, 0, (), AutoCheckStatus.NONE, None, None, 0, now, now,
    )  # fmt: skip
