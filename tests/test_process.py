"""The services of a process, and how they spare its garbage collector."""

import gc
import weakref
from collections.abc import Iterator

import pytest

import process


@pytest.fixture
def collector() -> Iterator[None]:
    """Leave the collector as it was."""
    thresholds = gc.get_threshold()
    yield
    gc.set_threshold(*thresholds)
    gc.unfreeze()


@pytest.mark.usefixtures("collector")
def test_what_was_loaded_at_the_start_is_out_of_collections() -> None:
    loaded = len(gc.get_objects())
    process._spare_the_collector()
    assert gc.get_freeze_count() > loaded // 2
    assert gc.get_threshold() == process._COLLECTOR_THRESHOLDS


class _Knot:
    """An object that only the collector can free."""

    def __init__(self) -> None:
        self.itself = self


@pytest.mark.usefixtures("collector")
def test_what_is_made_later_is_still_collected() -> None:
    process._spare_the_collector()
    made = weakref.ref(_Knot())
    gc.collect()
    assert made() is None
