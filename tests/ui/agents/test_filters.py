"""Which runs pass the filters."""

from db.agents.models import RunStatus
from tests.ui.agents.agent_samples import BO, run
from tests.ui.samples import snapshot
from ui.agents.filters import Filters
from ui.agents.tables import newest_first


def test_filters_keep_matching_runs_in_their_order() -> None:
    runs = [run(minutes=1), run(RunStatus.COMPLETED, minutes=2, agent_name="writer"), run(minutes=3)]
    ordered = newest_first(snapshot(runs))
    assert [one.id for one in ordered] == ["run-3", "run-2", "run-1"]

    def kept(filters: Filters) -> list[str]:
        return [one.id for one in filters.keep(ordered)]

    assert kept(Filters()) == ["run-3", "run-2", "run-1"]
    assert kept(Filters(active=True)) == ["run-3", "run-1"]
    assert kept(Filters(agent="writer")) == ["run-2"]
    assert kept(Filters(status=RunStatus.COMPLETED)) == ["run-2"]
    assert kept(Filters(person=BO.id)) == []
    assert kept(Filters(search="WRI t-1")) == ["run-2"]
    jose = run(agent_name="José’s agent")
    assert Filters(search="jose's").keep([jose]) == [jose]
