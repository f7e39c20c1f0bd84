"""A device's times say no more than the renewals of its tokens tell."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from db.auth.devices import Device
from ui.base.region import Region
from ui.people.devices import times_of

NOW = datetime(2026, 12, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("age", "is_this", "said"),
    [
        (timedelta(minutes=50), True, "active now"),
        (timedelta(minutes=50), False, "active in the last hour"),
        (timedelta(hours=5), False, "last active 5 h ago"),
    ],
)
def test_when_a_device_was_used(age: timedelta, is_this: bool, said: str) -> None:
    device = Device("1", datetime(2025, 3, 1, 12, tzinfo=UTC), NOW - age, None, is_this)
    text = times_of(device, NOW, Region.of(ZoneInfo("UTC"), "en-US"))
    assert text.startswith("Since ")
    assert text.endswith(f", {said}")
    assert "2025" in text
