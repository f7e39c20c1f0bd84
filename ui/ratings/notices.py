"""A toast to raters on any page when there are new tasks to rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, cast

import streamlit as st

from db.ratings.models import CampaignStatus, RatingRole
from db.ratings.task_models import RatingTask, TaskStatus
from livetables.fragments import live_fragment
from ui.base import feedback, session
from ui.base.text import plural
from ui.ratings import tables

_SEEN: Final = "rating_tasks_seen"


@dataclass(frozen=True, slots=True)
class _Seen:
    """When the newest task was created that this tab has seen; without tasks, when it looked."""

    user_id: str
    newest: datetime


@live_fragment(tables=("rating_tasks", "rating_roles"), varies_by=("user", "role"), key="rating_notices")
def show() -> None:
    """Announce the tasks that were added since this tab looked first."""
    me = session.my_id()
    if me is None or tables.role() is not RatingRole.RATER or tables.my_profile() is None:
        st.session_state.pop(_SEEN, None)
        return
    tasks = tables.tasks()
    before = cast("_Seen | None", st.session_state.get(_SEEN))
    # Somebody who has just joined has no tasks until the queue is loaded, and its tasks are not new then.
    now = datetime.now(UTC)
    st.session_state[_SEEN] = _Seen(me, max((task.created_at for task in tasks.values()), default=now))
    if before is None or before.user_id != me:
        return
    new = [task for task in tasks.values() if _is_new(task, before.newest)]
    if new:
        feedback.toast(_announcement(new), ":material/balance:")


def _is_new(task: RatingTask, since: datetime) -> bool:
    if task.status is not TaskStatus.PENDING or task.created_at <= since:
        return False
    campaign = tables.campaigns().get((task.campaign_id,))
    return campaign is not None and campaign.status is CampaignStatus.ACTIVE


def _announcement(new: Sequence[RatingTask]) -> str:
    found = (tables.campaigns().get((task.campaign_id,)) for task in new)
    names = {campaign.name for campaign in found if campaign is not None}
    where = f" in {names.pop()}" if len(names) == 1 else ""
    return f"{plural(len(new), 'new task')} to rate{where}."
