"""A word in passing to raters when there is something new to rate, on whatever page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, cast

import streamlit as st

from db.rating_models import CampaignStatus, RatingRole
from db.rating_task_models import RatingTask, TaskStatus
from live.fragments import live_fragment
from ui import rating_session, session, writing
from ui.text import plural

_SEEN: Final = "rating_tasks_seen"


@dataclass(frozen=True, slots=True)
class _Seen:
    """The newest task that this person's tab has seen, or since when it has seen none."""

    user_id: str
    newest: datetime


@live_fragment(tables=("rating_tasks", "rating_roles"), varies_by=("user", "role"), key="rating_notices")
def show() -> None:
    """Watch the queue; what was there when the person came is old news."""
    me = session.my_id()
    if me is None or rating_session.role() is not RatingRole.RATER or rating_session.my_profile() is None:
        st.session_state.pop(_SEEN, None)
        return
    tasks = rating_session.tasks()
    before = cast("_Seen | None", st.session_state.get(_SEEN))
    # Who has just joined sees none until the queue is loaded: what is in it then is no news either.
    now = datetime.now(UTC)
    st.session_state[_SEEN] = _Seen(me, max((task.created_at for task in tasks.values()), default=now))
    if before is None or before.user_id != me:
        return
    new = [task for task in tasks.values() if _is_news(task, before.newest)]
    if new:
        writing.say(_words(new), ":material/balance:")


def _is_news(task: RatingTask, since: datetime) -> bool:
    if task.status is not TaskStatus.PENDING or task.created_at <= since:
        return False
    campaign = rating_session.campaigns().get((task.campaign_id,))
    return campaign is not None and campaign.status is CampaignStatus.ACTIVE


def _words(new: list[RatingTask]) -> str:
    names = {
        campaign.name
        for task in new
        if (campaign := rating_session.campaigns().get((task.campaign_id,))) is not None
    }
    where = f" in {names.pop()}" if len(names) == 1 else ""
    return f"{plural(len(new), 'new task')} to rate{where}."
