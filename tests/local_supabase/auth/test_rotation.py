from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from local_supabase.auth.rotation import PresentedToken, Rotation, decide

NOW = datetime(2026, 1, 1, tzinfo=UTC)
INTERVAL = timedelta(seconds=10)


def _used(seconds_ago: float) -> PresentedToken:
    return PresentedToken("a", revoked=True, updated_at=NOW - timedelta(seconds=seconds_ago))


def test_an_unused_token_is_swapped() -> None:
    fresh = PresentedToken("a", revoked=False, updated_at=NOW - timedelta(days=90))
    assert decide(fresh, None, NOW, INTERVAL) is Rotation.SWAP


def test_the_parent_of_the_active_token_gets_the_active_one_however_late() -> None:
    assert decide(_used(86400), "a", NOW, INTERVAL) is Rotation.RETURN_ACTIVE


def test_an_older_token_is_swapped_within_the_reuse_interval() -> None:
    assert decide(_used(10), "another", NOW, INTERVAL) is Rotation.SWAP


def test_an_older_token_is_refused_after_the_reuse_interval() -> None:
    assert decide(_used(10.001), "another", NOW, INTERVAL) is Rotation.REUSED


def test_a_used_token_of_a_session_without_an_active_one_is_refused() -> None:
    assert decide(_used(11), None, NOW, INTERVAL) is Rotation.REUSED


@given(st.floats(0, 1e6), st.sampled_from([None, "a", "b"]), st.integers(0, 3600))
def test_a_used_token_never_rotates_outside_the_interval(
    age: float, parent: str | None, seconds: int
) -> None:
    verdict = decide(_used(age), parent, NOW, timedelta(seconds=seconds))
    if parent != "a" and age > seconds + 1:
        assert verdict is Rotation.REUSED
