"""What a session has read from the database itself, kept as long as the person's rights stay the same.

The engine empties its tables when a role is lost. What a page has read and kept has to go too: who is no
longer an admin must not go on seeing a run that they read as one.
"""

from __future__ import annotations

from typing import Final, cast

import streamlit as st

from db.ratings.models import PublicRatingRole
from livetables.tables.snapshot import Snapshot
from ui.base import session

_KEPT: Final = "kept_reads"


def kept_reads() -> dict[str, object]:
    """Return what this session keeps, by the callers' keys; empty after the person's rights have changed."""
    rights = _rights()
    before, kept = cast("tuple[object, dict[str, object]]", st.session_state.get(_KEPT, (None, {})))
    if before != rights:
        kept = {}
        st.session_state[_KEPT] = rights, kept
    return kept


def _rights() -> tuple[object, ...]:
    """Return what decides which rows the person may read."""
    me, profile = session.my_id(), session.my_profile()
    roles: Snapshot[PublicRatingRole] = session.table("rating_roles")
    rating = roles.get((me,)) if me is not None else None
    return me, profile and profile.role, rating and rating.role
