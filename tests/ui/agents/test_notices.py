"""Which runs are announced to their person when they end."""

from datetime import timedelta

from db.agents.models import RunStatus
from tests.ui.agents.agent_samples import ANN, BO, run
from tests.ui.samples import NOW
from ui.agents.notices import RunWatch


def test_a_run_is_announced_once_when_it_ends() -> None:
    watch = RunWatch(ANN.id, NOW)
    assert watch.ended([run(minutes=-60)]) == []
    over = run(RunStatus.COMPLETED, minutes=-60)
    assert watch.ended([over]) == [over]  # although it ended, by the agent's clock, before the watch began
    assert watch.ended([over]) == []


def test_a_run_that_was_never_seen_running_counts_by_the_time_of_its_end() -> None:
    watch = RunWatch(ANN.id, NOW)
    old = run(RunStatus.FAILED, minutes=-60)
    short = run(RunStatus.FAILED, minutes=1)
    shorter = run(RunStatus.COMPLETED, minutes=1.5, completed_at=NOW + timedelta(minutes=2))
    assert watch.ended([old, short, shorter]) == [shorter, short]
    assert watch.ended([old, short, shorter]) == []


def test_other_peoples_runs_are_not_announced() -> None:
    assert RunWatch(BO.id, NOW).ended([run(RunStatus.COMPLETED, minutes=1)]) == []
