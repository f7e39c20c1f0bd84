"""Which runs a person is told of when they end."""

from datetime import timedelta

from db.agent_models import RunStatus
from tests.ui.samples import NOW
from tests.ui.test_agent_runs import ANN, BO, run
from ui.run_notices import Watch


def test_a_run_is_told_once_when_it_ends() -> None:
    watch = Watch(ANN.id, NOW)
    assert watch.news([run(minutes=-60)]) == []
    over = run(RunStatus.COMPLETED, minutes=-60)
    assert watch.news([over]) == [over]  # although, by the agent's clock, it ended before we came
    assert watch.news([over]) == []


def test_a_run_that_was_never_seen_running_is_told_by_the_time_of_its_end() -> None:
    watch = Watch(ANN.id, NOW)
    old = run(RunStatus.FAILED, minutes=-60)
    short = run(RunStatus.FAILED, minutes=1)
    shorter = run(RunStatus.COMPLETED, minutes=1.5, completed_at=NOW + timedelta(minutes=2))
    assert watch.news([old, short, shorter]) == [shorter, short]
    assert watch.news([old, short, shorter]) == []


def test_other_peoples_runs_are_not_told() -> None:
    assert Watch(BO.id, NOW).news([run(RunStatus.COMPLETED, minutes=1)]) == []
