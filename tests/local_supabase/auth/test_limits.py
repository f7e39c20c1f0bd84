import pytest

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


def test_zero_is_no_limit() -> None:
    bucket = Bucket(0, 10.0)
    assert all(bucket.take("a") for _ in range(1000))


def test_what_is_over_is_answered_as_gotrue_does() -> None:
    bucket = Bucket(1, 60.0)
    refuse_if_over(bucket, "a")
    with pytest.raises(AuthError) as refused:
        refuse_if_over(bucket, "a")
    assert (refused.value.status, refused.value.code) == (429, "over_request_rate_limit")


def test_the_keys_kept_are_bounded() -> None:
    clock = Clock()
    bucket = Bucket(1, 1.0, clock)
    for number in range(25_000):
        bucket.take(str(number))
    assert len(bucket._left) <= 10_000
