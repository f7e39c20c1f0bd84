"""Faults of background loops: contained, counted, and logged once for each kind."""

import logging

import pytest

from livetables.faults import Faults


def _raise(error: Exception) -> None:
    raise error


def test_a_contained_fault_is_counted_by_its_place() -> None:
    faults = Faults()
    for error in (ValueError("one"), KeyError("two")):
        with faults.contained("sweep"):
            _raise(error)
    with faults.contained("rerun"):
        pass
    assert faults.counts == {"sweep": 2}


def test_each_kind_is_logged_once_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    faults = Faults()
    with caplog.at_level(logging.ERROR):
        for error in (ValueError("one"), ValueError("two"), KeyError("three")):
            with faults.contained("sweep"):
                _raise(error)
    logged = [record for record in caplog.records if record.name == "livetables.faults"]
    assert [record.levelname for record in logged] == ["ERROR", "ERROR"]
    assert all(record.exc_info for record in logged)


def test_what_ends_the_process_is_not_contained() -> None:
    faults = Faults()
    with pytest.raises(KeyboardInterrupt), faults.contained("sweep"):
        raise KeyboardInterrupt
    assert faults.counts == {}
