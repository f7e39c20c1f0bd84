"""Who is here: merged from the reports of all processes, which expire when they are not repeated."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livetables.presence.model import (
    EXPIRY,
    LEAVE_GRACE,
    Present,
    Report,
    Spot,
    Tabs,
    merge,
    payload_of,
    read_payload,
    updated,
)

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""The machine may be busy with other work."""

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)

users = st.sampled_from([None, "ada", "bo", "cy"])
spots = st.builds(
    Spot,
    st.sampled_from(["tavern", "events"]),
    st.sampled_from(["", "e1", "e2"]),
    st.integers(0, 600).map(lambda seconds: NOON + timedelta(seconds=seconds)),
)
tabs_of_a_process = st.lists(st.builds(Tabs, users, spots, st.integers(1, 3)), max_size=8)
tabs_by_process = st.dictionaries(st.sampled_from(["p1", "p2", "p3"]), tabs_of_a_process, max_size=3)


def payloads(number: int, tabs: Sequence[Tabs]) -> list[dict[str, object]]:
    """Return what a channel holds of a process."""
    return [payload_of(number, tabs)]


@UNHURRIED
@given(tabs_of_a_process, tabs_by_process)
def test_a_user_counts_once_and_visitors_by_tab(own: list[Tabs], others: dict[str, list[Tabs]]) -> None:
    reports = updated({}, {process: payloads(1, tabs) for process, tabs in others.items()}, 0.0)
    present = merge(own, reports, 1.0)
    everything = [*own, *(tabs for each in others.values() for tabs in each)]
    assert set(present.people) == {tabs.user_id for tabs in everything if tabs.user_id is not None}
    assert present.visitors == sum(tabs.count for tabs in everything if tabs.user_id is None)
    assert present.count == len(present.people) + present.visitors
    for item in ("e1", "e2"):
        viewing = [tabs for tabs in everything if tabs.spot.item == item]
        assert set(present.viewing(item)) == {tabs.user_id for tabs in viewing if tabs.user_id}
        assert present.visitors_at.get(item, 0) == sum(tabs.count for tabs in viewing if not tabs.user_id)


@UNHURRIED
@given(tabs_of_a_process, tabs_of_a_process, tabs_of_a_process)
def test_it_does_not_matter_which_process_serves_whom(
    one: list[Tabs], two: list[Tabs], three: list[Tabs]
) -> None:
    present = merge(one, updated({}, {"p2": payloads(1, two), "p3": payloads(1, three)}, 0.0), 1.0)
    assert present == merge(three, updated({}, {"p1": payloads(9, one), "p2": payloads(9, two)}, 0.0), 1.0)
    assert present == merge([*three, *two, *one], {}, 1.0)


@UNHURRIED
@given(tabs_of_a_process, st.lists(st.floats(0, EXPIRY - 1), min_size=1, max_size=5))
def test_a_report_that_is_not_repeated_expires_however_often_it_is_seen(
    tabs: list[Tabs], times: list[float]
) -> None:
    state = {"p1": payloads(1, tabs)}
    reports = updated({}, state, 0.0)
    for time in sorted(times):
        reports = updated(reports, state, time)
        assert merge([], reports, time) == merge(tabs, {}, time)
    assert merge([], updated(reports, state, EXPIRY), EXPIRY) == Present()


@UNHURRIED
@given(tabs_of_a_process)
def test_a_report_that_is_repeated_stays(tabs: list[Tabs]) -> None:
    reports: dict[str, Report] = {}
    for number in range(1, 6):
        now = number * (EXPIRY - 1)
        reports = updated(reports, {"p1": payloads(number, tabs)}, now)
    assert merge([], reports, now + EXPIRY - 1) == merge(tabs, {}, 0.0)


def test_a_process_that_left_counts_for_a_moment_only() -> None:
    reports = updated({}, {"p1": payloads(1, [Tabs("ada", Spot("tavern"))])}, 0.0)
    reports = updated(reports, {}, 10.0)
    assert merge([], reports, 10.0 + LEAVE_GRACE - 1).count == 1
    reports = updated(reports, {}, 12.0)  # another state without it does not prolong that
    assert merge([], reports, 10.0 + LEAVE_GRACE).count == 0


def test_a_process_that_reconnects_counts_once() -> None:
    ada = Tabs("ada", Spot("tavern"))
    state = {"p1": [payload_of(1, []), payload_of(2, [ada]), payload_of(1, [ada, ada])]}
    assert updated({}, state, 0.0)["p1"].number == 2
    assert merge([], updated({}, state, 0.0), 0.0).count == 1


def test_viewers_are_sorted_by_arrival_and_spots_newest_first() -> None:
    early, late = Spot("events", "e1", NOON), Spot("events", "e1", NOON + timedelta(minutes=1))
    elsewhere = Spot("tavern", "", NOON + timedelta(minutes=2))
    present = merge([Tabs("bo", late), Tabs("ada", early), Tabs("ada", elsewhere)], {}, 0.0)
    assert present.viewing("e1") == ("ada", "bo")
    assert present.people["ada"] == (elsewhere, early)


@UNHURRIED
@given(tabs_of_a_process)
def test_a_payload_can_be_parsed_again(tabs: list[Tabs]) -> None:
    parsed = read_payload(payload_of(7, tabs))
    assert parsed is not None
    assert parsed[0] == 7
    assert merge(parsed[1], {}, 0.0) == merge(tabs, {}, 0.0)


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=80),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)


@UNHURRIED
@given(st.dictionaries(st.sampled_from(["number", "here", "else"]), json))
def test_an_invalid_payload_harms_nobody_else(payload: dict[str, object]) -> None:
    state = {"p1": [payload], "p2": payloads(1, [Tabs("ada", Spot("tavern"))])}
    assert "ada" in merge([], updated({}, state, 0.0), 0.0).people


@pytest.mark.parametrize(
    "row",
    [
        ["ada", "tavern", "", "yesterday", 1],
        ["ada", "tavern", "", "2026-11-20T12:00:00", 1],
        ["ada", "tavern", "", NOON.isoformat(), 0],
        [None, "tavern", "", NOON.isoformat(), 10**9],
        ["a" * 1000, "tavern", "", NOON.isoformat(), 1],
        [None, 1, "", NOON.isoformat(), 1],
        ["too", "short"],
    ],
)
def test_invalid_entries_are_left_out(row: list[object]) -> None:
    valid = ["bo", "events", "e1", NOON.isoformat(), 1]
    assert read_payload({"number": 1, "here": [row, valid]}) == (1, (Tabs("bo", Spot("events", "e1", NOON)),))
