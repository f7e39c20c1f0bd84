"""When the board offers files."""

from __future__ import annotations

from tests.ui.agents.agent_samples import run
from ui.agents.board import may_pass
from ui.agents.filters import Filters


def test_files_are_offered_only_where_runs_may_be_in_them() -> None:
    runs = [run(agent_name="writer")]
    assert not may_pass(Filters(), [], more=False)
    assert may_pass(Filters(), runs, more=False)
    assert not may_pass(Filters(agent="tester"), runs, more=False)
    assert may_pass(Filters(agent="tester"), runs, more=True)
