"""The time zone of the machine."""

import pytest

from local_supabase.stack.machine import machine_time_zone


@pytest.mark.parametrize(
    ("setting", "zone"),
    [("America/Los_Angeles", "America/Los_Angeles"), (":Asia/Tokyo", "Asia/Tokyo"), ("Mars/Olympus", "UTC")],
)
def test_the_time_zone_is_the_machines(monkeypatch: pytest.MonkeyPatch, setting: str, zone: str) -> None:
    monkeypatch.setenv("TZ", setting)
    assert machine_time_zone() == zone
