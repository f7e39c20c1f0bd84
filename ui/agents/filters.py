"""Which runs the board shows: chosen with widgets, kept in the address."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, cast

import streamlit as st

from db.agents.models import AgentRun, RunStatus
from ui.agents import tables
from ui.agents.run_html import STATUS_LABELS
from ui.base import session
from ui.base.folding import as_option, matches, sort_key
from ui.base.people import by_name, option_of

CHOICE: Final = "agents_filters"
"""The session's `Choice`."""
SHOWN: Final = "agents_shown"
"""How many of the runs that pass the session shows."""
_DEPENDENTS: Final = ("agent_rows", "agents_export")
"""The keys of the fragments that a filter changes."""


class View(StrEnum):
    """What the board shows."""

    ALL = "All runs"
    ACTIVE = "Active"
    SUCCESS = "Success rate"


@dataclass(frozen=True, slots=True)
class Filters:
    """Which runs pass; None and empty text let all pass."""

    active: bool = False
    agent: str | None = None
    status: RunStatus | None = None
    person: str | None = None
    search: str = ""

    def keep(self, runs: Iterable[AgentRun]) -> list[AgentRun]:
        """Return the runs that pass."""
        return [run for run in runs if self.passes(run)]

    def passes(self, run: AgentRun) -> bool:
        """Tell whether a run passes."""
        text = f"{run.agent_name} {run.agent_id} {run.task_id or ''} {run.current_step or ''}"
        return (
            not (self.active and run.status.finished)
            and self.agent in (None, run.agent_name)
            and self.status in (None, run.status)
            and self.person in (None, run.user_id)
            and matches(text, self.search)
        )


@dataclass(frozen=True, slots=True)
class Choice:
    """The view and the filters of a session."""

    view: View = View.ALL
    filters: Filters = Filters()


def current_choice() -> Choice:
    """Return the choice of this session."""
    return cast("Choice", st.session_state.get(CHOICE, Choice()))


@st.fragment(key="agents_choose")
def show_filters() -> None:
    """Show the widgets; a change reruns the fragments that depend on it, and nothing else."""
    agents = {run.agent_name for run in tables.newest_first(tables.agent_runs())}
    st.segmented_control(
        "View", [view.value for view in View], default=View.ALL.value, key="view", bind="query-params",
        on_change=_apply, label_visibility="collapsed", required=True,
    )  # fmt: skip
    with st.container(key="agents_filters"):
        columns = st.columns(4 if session.is_admin() else 3)
    columns[0].text_input(
        "Search", key="q", bind="query-params", placeholder="Agent, task or step", on_change=_apply
    )
    columns[1].selectbox(
        "Agent", sorted(agents, key=sort_key), index=None, key="agent", bind="query-params",
        format_func=as_option, placeholder="Every agent", on_change=_apply,
    )  # fmt: skip
    columns[2].selectbox(
        "Status", [status.value for status in RunStatus], index=None, key="state", bind="query-params",
        format_func=lambda value: STATUS_LABELS[RunStatus(value)], placeholder="Every status",
        on_change=_apply,
    )  # fmt: skip
    if session.is_admin():
        people = {user.id: user for user in by_name(session.users())}
        columns[3].selectbox(
            "Person", list(people), index=None, key="person", bind="query-params",
            format_func=lambda user_id: option_of(people.get(user_id)), placeholder="Everybody",
            on_change=_apply,
        )  # fmt: skip
    _remember()


def _apply() -> None:
    _remember()
    st.session_state.pop(SHOWN, None)
    st.rerun(list(_DEPENDENTS))


def _remember() -> None:
    """Copy the values out of the widgets' state, which Streamlit drops when they are not rendered."""
    state = st.session_state
    view, status = View(state.get("view") or View.ALL), state.get("state")
    state[CHOICE] = Choice(
        view,
        Filters(
            view is View.ACTIVE,
            state.get("agent"),
            RunStatus(status) if status else None,
            state.get("person") if session.is_admin() else None,
            state.get("q") or "",
        ),
    )
