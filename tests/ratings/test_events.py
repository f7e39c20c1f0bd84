"""Events hold ids only."""

from __future__ import annotations

from ratings.events import Event, EventKind


def test_a_payload_has_the_kind_and_the_ids_that_are_set() -> None:
    event = Event(EventKind.JUDGED, "acme", campaign_id="c-1", task_id="t-1", brand_id="amazon")
    assert event.payload() == {"kind": "judged", "campaign_id": "c-1", "task_id": "t-1"}
