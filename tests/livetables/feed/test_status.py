"""The status of several feeds together."""

from datetime import UTC, datetime, timedelta

import pytest

from livetables.feed.status import FeedState, FeedStatus, combined

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_the_worst_state_counts_with_its_own_time() -> None:
    live = FeedStatus(FeedState.LIVE, NOON)
    offline = FeedStatus(FeedState.OFFLINE, NOON + timedelta(minutes=1))
    assert combined([live, offline, live]) == offline


def test_the_longest_lag_and_the_sum_of_repairs_count() -> None:
    one = FeedStatus(FeedState.LIVE, NOON, timedelta(seconds=1), 2)
    other = FeedStatus(FeedState.LIVE, NOON, timedelta(seconds=3), 1)
    silent = FeedStatus(FeedState.LIVE, NOON)
    assert combined([one, other, silent]) == FeedStatus(FeedState.LIVE, NOON, timedelta(seconds=3), 3)


def test_what_several_feeds_lack_is_said_once() -> None:
    one = FeedStatus(FeedState.INCOMPLETE, NOON, missing=("items", "notes"))
    other = FeedStatus(FeedState.INCOMPLETE, NOON, missing=("notes",))
    live = FeedStatus(FeedState.LIVE, NOON)
    assert combined([live, one, other]) == one


def test_without_feeds_there_is_no_status() -> None:
    with pytest.raises(ValueError, match="empty"):
        combined([])
