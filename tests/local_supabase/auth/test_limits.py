import pytest

from local_supabase.auth import limits
from local_supabase.auth.errors import AuthError
from local_supabase.auth.limits import Bucket, refuse_if_over


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_bucket_allows_its_burst_and_refills_evenly() -> None:
    clock = Clock()
    bucket = Bucket(2, 10.0, clock)
    assert [bucket.take("a") for _ in range(3)] == [True, True, False]
    assert bucket.take("b")
    clock.now = 5.0
    assert [bucket.take("a") for _ in range(2)] == [True, False]


def test_zero_allows_nothing_and_none_everything() -> None:
    assert not Bucket(0, 10.0).take("a")
    unlimited = Bucket(None, 10.0)
    assert all(unlimited.take("a") for _ in range(1000))
    unlimited.give_back("a")


def test_a_use_that_counts_for_nothing_is_given_back() -> None:
    clock = Clock()
    bucket = Bucket(2, 10.0, clock)
    assert all(_take_and_give_back(bucket, "a") for _ in range(10))
    assert not bucket._left
    assert [bucket.take("a") for _ in range(3)] == [True, True, False]


def _take_and_give_back(bucket: Bucket, key: str) -> bool:
    taken = bucket.take(key)
    bucket.give_back(key)
    return taken


def test_too_many_requests_are_refused_as_gotrue_does() -> None:
    bucket = Bucket(1, 60.0)
    refuse_if_over(bucket, "a")
    with pytest.raises(AuthError) as refused:
        refuse_if_over(bucket, "a")
    assert (refused.value.status, refused.value.code) == (429, "over_request_rate_limit")


def test_the_keys_kept_are_bounded_and_a_used_up_one_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "_MAX_KEYS", 1000)
    bucket = Bucket(2, 1e9, Clock())
    assert [bucket.take("victim") for _ in range(3)] == [True, True, False]
    for number in range(10_000):
        bucket.take(str(number))
    assert len(bucket._left) <= 1000
    assert not bucket.take("victim")


def test_a_cleared_bucket_allows_its_burst_again() -> None:
    bucket = Bucket(1, 60.0)
    assert [bucket.take("a"), bucket.take("a")] == [True, False]
    bucket.clear()
    assert bucket.take("a")
