"""The routing board as HTML: names stay text everywhere."""

from typing import Any

from db.routing.models import Period, RoutingMetric
from tests.ui.routing.routing_samples import ME, TODAY, budget, day, metric, price
from tests.ui.samples import BERLIN, HOSTILE, user
from ui.routing.alerts import budget_statuses
from ui.routing.board_html import (
    Viewer,
    budget_html,
    decisions_html,
    figures_html,
    prices_html,
    sums_html,
    what_if_html,
)
from ui.routing.sums import Sums, alternatives, outlook


def list_html(*metrics: RoutingMetric, admin: bool = False) -> str:
    find = (lambda _: user("Ada")) if admin else None
    return decisions_html(metrics, Viewer(BERLIN, TODAY, find))


def test_a_row_has_everything_about_a_decision() -> None:
    html = list_html(metric(latency_ms=None, fallback=True, fallback_from="large", dropped=1234))
    for text in (
        "20 Nov, 19:30:00",
        "acme",
        "small",
        "auto",
        "1,200 → 30",
        "$0.0021",
        "–",
        "instead of large",
    ):
        assert text in html
    assert "1,234 before it not recorded" in html
    assert "Ada" not in html
    assert "Ada" in list_html(metric(), admin=True)
    assert "timeout" in list_html(metric(success=False, error_kind="timeout"))


def test_simulated_decisions_are_marked() -> None:
    assert ">simulated</bdi>" in list_html(metric(metadata={"simulated": True}))
    assert "simulated" not in list_html(metric(), metric(metadata={"simulated": "yes"}))


def test_names_are_text_in_every_block() -> None:
    names: dict[str, Any] = {"provider": HOSTILE, "model": HOSTILE, "route": HOSTILE}
    blocks = [
        list_html(metric(**names, error_kind=HOSTILE, success=False, fallback=True, fallback_from=HOSTILE,
                         request_id=HOSTILE)),
        sums_html("Model", [(HOSTILE, Sums(requests=1))]),
        what_if_html(alternatives(Sums(), [price(HOSTILE, "1", "2", HOSTILE)])),
        prices_html([price(HOSTILE, "1", "2", HOSTILE)]),
        budget_html(budget_statuses([budget(Period.DAY, "1", "2", HOSTILE)], [], ME, TODAY)[0]),
        figures_html(outlook([day(**names)], TODAY)),
    ]  # fmt: skip
    for block in blocks:
        assert "<img" not in block
        assert "'&" not in block


def test_unconfirmed_budgets_and_prices_are_marked() -> None:
    (status,) = budget_statuses([budget(Period.DAY, "1", "2")], [], ME, TODAY)
    dear = price("large", "3", "15")
    assert "Saving" in budget_html(status, pending=True)
    assert "Saving" not in budget_html(status)
    assert "Saving" in prices_html([dear], frozenset({dear.id}))
    assert "Saving" not in prices_html([dear])
