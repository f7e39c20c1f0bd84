"""The phases of a feed: every event in every phase, and what people see."""

import pytest

from livetables.feed.phase import Phase
from livetables.feed.status import FeedState

STREAMING = (Phase.BEHIND, Phase.UNREADABLE, Phase.CURRENT)


@pytest.mark.parametrize(
    ("phase", "opened", "lost", "read", "failed"),
    [
        (Phase.CONNECTING, Phase.BEHIND, Phase.CONNECTING, Phase.POLLING, Phase.OFFLINE),
        (Phase.POLLING, Phase.BEHIND, Phase.POLLING, Phase.POLLING, Phase.OFFLINE),
        (Phase.OFFLINE, Phase.UNREADABLE, Phase.OFFLINE, Phase.POLLING, Phase.OFFLINE),
        (Phase.BEHIND, Phase.BEHIND, Phase.CONNECTING, Phase.CURRENT, Phase.UNREADABLE),
        (Phase.UNREADABLE, Phase.UNREADABLE, Phase.OFFLINE, Phase.CURRENT, Phase.UNREADABLE),
        (Phase.CURRENT, Phase.CURRENT, Phase.CONNECTING, Phase.CURRENT, Phase.UNREADABLE),
    ],
)
def test_each_event_leads_from_each_phase_to_the_next(
    phase: Phase, opened: Phase, lost: Phase, read: Phase, failed: Phase
) -> None:
    assert phase.on_stream_opened() is opened
    assert phase.on_stream_lost() is lost
    assert phase.on_read(gapless=True) is read
    assert phase.on_read_failed() is failed


@pytest.mark.parametrize("phase", Phase)
def test_if_nothing_answers_the_feed_is_offline(phase: Phase) -> None:
    assert phase.on_stream_lost(nothing_answers=True) is Phase.OFFLINE


@pytest.mark.parametrize("phase", STREAMING)
def test_a_read_with_a_gap_leaves_the_feed_behind(phase: Phase) -> None:
    assert phase.on_read(gapless=False) is Phase.BEHIND


@pytest.mark.parametrize("phase", Phase)
def test_a_missed_change_matters_only_to_a_current_feed(phase: Phase) -> None:
    assert phase.on_change_missed() is (Phase.BEHIND if phase is Phase.CURRENT else phase)


@pytest.mark.parametrize(
    ("phase", "loading", "loaded"),
    [
        (Phase.CONNECTING, FeedState.CONNECTING, FeedState.CONNECTING),
        (Phase.POLLING, FeedState.CONNECTING, FeedState.POLLING),
        (Phase.OFFLINE, FeedState.OFFLINE, FeedState.OFFLINE),
        (Phase.BEHIND, FeedState.CONNECTING, FeedState.CATCHING_UP),
        (Phase.UNREADABLE, FeedState.OFFLINE, FeedState.CATCHING_UP),
        (Phase.CURRENT, FeedState.CONNECTING, FeedState.LIVE),
    ],
)
def test_what_people_see_depends_on_whether_the_tables_are_loaded(
    phase: Phase, loading: FeedState, loaded: FeedState
) -> None:
    assert phase.state(loaded=False) is loading
    assert phase.state(loaded=True) is loaded
    assert phase.streaming is (phase in STREAMING)


@pytest.mark.parametrize("phase", Phase)
def test_what_the_database_lacks_counts_more_than_all_but_an_outage(phase: Phase) -> None:
    offline = phase.state(loaded=True) is FeedState.OFFLINE
    assert phase.state(loaded=True, incomplete=True) is (
        FeedState.OFFLINE if offline else FeedState.INCOMPLETE
    )
