"""Which decisions the page shows."""

from tests.ui.routing.routing_samples import metric
from tests.ui.samples import snapshot
from ui.routing.newest import NEWEST, newest_first


def test_the_newest_hundred_newest_first() -> None:
    rows = snapshot(metric(number) for number in range(130))
    newest = newest_first(rows)
    assert len(newest) == NEWEST == 100
    assert newest[0].request_id == "r129"
    assert newest[-1].request_id == "r30"
