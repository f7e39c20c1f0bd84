"""The pauses between retries."""

from itertools import islice

from publish.backoff import FIRST, LONGEST, Backoff


def test_pauses_double_up_to_the_limit_with_jitter() -> None:
    bounds = [1.0, 2.0, 4.0, 5.0, 5.0]
    for pause, bound in zip(islice(Backoff(1, 5), len(bounds)), bounds, strict=True):
        assert bound / 2 <= pause <= bound


def test_pauses_never_end_and_never_exceed_the_limit() -> None:
    assert max(islice(Backoff(), 1_000)) <= LONGEST


def test_after_a_reset_the_first_pause_comes_again() -> None:
    backoff = Backoff()
    for _ in range(10):
        next(backoff)
    backoff.reset()
    assert next(backoff) <= FIRST
