"""Who is here: put together from what every process tells, and forgotten when nobody repeats it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live.presence import FADE, LINGER, Heard, Here, Present, Spot, hear, merge, payload_of, read_payload

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)

people = st.sampled_from([None, "ada", "bo", "cy"])
spots = st.builds(
    Spot,
    st.sampled_from(["tavern", "events"]),
    st.sampled_from(["", "e1", "e2"]),
    st.integers(0, 600).map(lambda seconds: NOON + timedelta(seconds=seconds)),
)
heres = st.lists(st.builds(Here, people, spots, st.integers(1, 3)), max_size=8)
tellings = st.dictionaries(st.sampled_from(["p1", "p2", "p3"]), heres, max_size=3)


def told(number: int, here: Sequence[Here]) -> list[dict[str, object]]:
    """What a channel holds of a process."""
    return [payload_of(number, here)]


@given(heres, tellings)
def test_everybody_counts_once_and_every_visitor(own: list[Here], others: dict[str, list[Here]]) -> None:
    heard = hear({}, {process: told(1, here) for process, here in others.items()}, 0.0)
    present = merge(own, heard, 1.0)
    everything = [*own, *(here for each in others.values() for here in each)]
    assert set(present.people) == {here.user_id for here in everything if here.user_id is not None}
    assert present.visitors == sum(here.count for here in everything if here.user_id is None)
    assert present.count == len(present.people) + present.visitors
    for item in ("e1", "e2"):
        there = [here for here in everything if here.spot.item == item]
        assert set(present.viewing(item)) == {here.user_id for here in there if here.user_id}
        assert present.visitors_at.get(item, 0) == sum(here.count for here in there if not here.user_id)


@given(heres, heres, heres)
def test_it_does_not_matter_which_process_serves_whom(
    one: list[Here], two: list[Here], three: list[Here]
) -> None:
    apart = merge(one, hear({}, {"p2": told(1, two), "p3": told(1, three)}, 0.0), 1.0)
    assert apart == merge(three, hear({}, {"p1": told(9, one), "p2": told(9, two)}, 0.0), 1.0)
    assert apart == merge([*three, *two, *one], {}, 1.0)


@given(heres, st.lists(st.floats(0, FADE - 1), min_size=1, max_size=5))
def test_what_is_not_repeated_fades_however_often_it_is_seen(here: list[Here], looks: list[float]) -> None:
    state = {"p1": told(1, here)}
    heard = hear({}, state, 0.0)
    for look in sorted(looks):
        heard = hear(heard, state, look)
        assert merge([], heard, look) == merge(here, {}, look)
    assert merge([], hear(heard, state, FADE), FADE) == Present()


@given(heres)
def test_what_is_repeated_stays(here: list[Here]) -> None:
    heard: dict[str, Heard] = {}
    for number in range(1, 6):
        now = number * (FADE - 1)
        heard = hear(heard, {"p1": told(number, here)}, now)
    assert merge([], heard, now + FADE - 1) == merge(here, {}, 0.0)


def test_a_process_that_left_lingers_for_a_moment_only() -> None:
    heard = hear({}, {"p1": told(1, [Here("ada", Spot("tavern"))])}, 0.0)
    heard = hear(heard, {}, 10.0)
    assert merge([], heard, 10.0 + LINGER - 1).count == 1
    heard = hear(heard, {}, 12.0)  # seeing again that it is gone does not keep it
    assert merge([], heard, 10.0 + LINGER).count == 0


def test_a_process_that_reconnects_is_heard_once() -> None:
    ada = Here("ada", Spot("tavern"))
    both = {"p1": [payload_of(1, []), payload_of(2, [ada]), payload_of(1, [ada, ada])]}
    assert hear({}, both, 0.0)["p1"].number == 2
    assert merge([], hear({}, both, 0.0), 0.0).count == 1


def test_who_came_last_stands_last_and_the_newest_spot_first() -> None:
    early, late = Spot("events", "e1", NOON), Spot("events", "e1", NOON + timedelta(minutes=1))
    elsewhere = Spot("tavern", "", NOON + timedelta(minutes=2))
    present = merge([Here("bo", late), Here("ada", early), Here("ada", elsewhere)], {}, 0.0)
    assert present.viewing("e1") == ("ada", "bo")
    assert present.people["ada"] == (elsewhere, early)


@given(heres)
def test_what_is_told_is_understood(here: list[Here]) -> None:
    read = read_payload(payload_of(7, here))
    assert read is not None
    assert read[0] == 7
    assert merge(read[1], {}, 0.0) == merge(here, {}, 0.0)


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=80),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["number", "here", "else"]), json))
def test_nonsense_from_the_channel_harms_nobody(payload: dict[str, object]) -> None:
    merge([], hear({}, {"p1": [payload]}, 0.0), 0.0)


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
def test_entries_that_make_no_sense_are_left_out(row: list[object]) -> None:
    good = ["bo", "events", "e1", NOON.isoformat(), 1]
    assert read_payload({"number": 1, "here": [row, good]}) == (1, (Here("bo", Spot("events", "e1", NOON)),))
