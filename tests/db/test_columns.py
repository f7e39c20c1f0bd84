"""Reading columns: what has another shape than the schema gives it is refused."""

import pytest

from db import columns


def test_a_time_has_its_zone_also_in_a_list() -> None:
    ends = ["2026-11-21T09:30:00+00:00", "2026-11-21T10:30:00+01:00"]
    first, second = columns.moments({"leased_until": ends}, "leased_until")
    assert first == second
    for bad in (["2026-11-21T09:30:00"], [None], "2026-11-21T09:30:00+00:00"):
        with pytest.raises(ValueError, match=r"leased_until|Invalid isoformat"):
            columns.moments({"leased_until": bad}, "leased_until")
