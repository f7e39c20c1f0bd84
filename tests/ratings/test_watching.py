"""Watching values: every change is passed on once, whatever fails in between."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from ratings.watching import Watch
from tests.support.wait import wait_for

NEVER = 3600.0
"""Seconds: only `wake` makes such a watch poll."""


class Source:
    """Values by key that can be changed, and can fail to be read."""

    def __init__(self) -> None:
        self.values = {"a": 1}
        self.broken = False
        self.polls = 0
        self.polled = threading.Semaphore(0)

    def __call__(self) -> dict[str, int]:
        self.polls += 1
        self.polled.release()
        if self.broken:
            raise ConnectionError("away")
        return dict(self.values)


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def news() -> list[int]:
    return []


@pytest.fixture
def watch(source: Source, news: list[int]) -> Iterator[Watch[int]]:
    watch = Watch(source, lambda before, after: before != after, news.append, polling=NEVER)
    yield watch
    watch.close()


def test_new_and_changed_values_are_passed_on_once(
    source: Source, news: list[int], watch: Watch[int]
) -> None:
    source.values |= {"a": 2, "b": 3}
    watch.wake()
    wait_for(lambda: len(news) == 2, what="both values")
    source.values["c"] = 4
    watch.wake()
    wait_for(lambda: len(news) == 3, what="the third value")
    assert news == [2, 3, 4]


def test_values_at_the_start_are_passed_on_if_asked_for(source: Source, news: list[int]) -> None:
    watch = Watch(source, lambda before, _: before is None, news.append, from_the_start=True, polling=0.01)
    wait_for(lambda: news, what="the first value")
    watch.close()
    assert news == [1]


def test_a_failed_poll_loses_nothing(source: Source, news: list[int], watch: Watch[int]) -> None:
    source.broken = True
    source.values["b"] = 2
    watch.wake()
    wait_for(lambda: source.polls == 2, what="a poll that fails")
    source.broken = False
    watch.wake()
    wait_for(lambda: news, what="the value")
    assert news == [2]


def test_an_error_of_the_listener_ends_nothing(source: Source) -> None:
    news: list[int] = []

    def notify(value: int) -> None:
        if value == 2:
            raise ValueError("a bug of the listener")
        news.append(value)

    watch = Watch(source, lambda before, after: before != after, notify, polling=NEVER)
    source.values |= {"b": 2, "c": 3}
    watch.wake()
    wait_for(lambda: news, what="the value after the error")
    watch.close()
    assert news == [3]


def test_a_lost_connection_makes_it_poll_at_once_and_then_often(source: Source) -> None:
    watch = Watch(source, lambda before, after: before != after, lambda _: None, polling=0.01)
    watch.set_live(True)
    watch.set_live(False)
    wait_for(lambda: source.polls > 5, what="several polls")
    watch.close()
    polls = source.polls
    watch.wake()
    assert source.polls == polls


def test_a_value_that_cannot_be_compared_ends_nothing(source: Source) -> None:
    news: list[int] = []

    def is_news(before: int | None, after: int) -> bool:
        if after == 2:
            raise TypeError("a value of another kind")
        return before != after

    watch = Watch(source, is_news, news.append, polling=NEVER)
    source.values |= {"b": 2, "c": 3}
    watch.wake()
    wait_for(lambda: news == [3], what="the value after the fault")
    source.values["c"] = 4
    watch.wake()
    wait_for(lambda: news == [3, 4], what="a later value")
    watch.close()
    assert news == [3, 4]
