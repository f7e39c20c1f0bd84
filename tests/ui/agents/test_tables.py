"""Events in their order, by run."""

from db.agents.models import EventKind
from tests.ui.agents.agent_samples import event
from tests.ui.samples import snapshot
from ui.agents.tables import events_by_run


def test_events_are_grouped_by_run_oldest_first() -> None:
    late, early = event(EventKind.STEP, "late", after=2), event(EventKind.STEP, "early", after=1)
    other = event(EventKind.STEP, "other", run_id="run-1")
    groups = events_by_run(snapshot([late, other, early]))
    assert groups == {"run-0": [early, late], "run-1": [other]}
