import pytest

from local_supabase.testing.clock import Clock


def test_time_is_told_in_seconds() -> None:
    passed: list[float] = []
    Clock(passed.append).advance(days=1, hours=2, minutes=3, seconds=4)
    assert passed == [93784.0]


@pytest.mark.parametrize("hours", [0, -1])
def test_time_only_goes_forward(hours: float) -> None:
    with pytest.raises(ValueError, match="Time only goes forward"):
        Clock(lambda _: None).advance(hours=hours)
