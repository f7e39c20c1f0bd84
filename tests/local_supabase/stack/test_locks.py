from pathlib import Path

from local_supabase.stack.locks import FileLock, held, is_locked


def test_a_lock_has_one_holder(tmp_path: Path) -> None:
    first = FileLock.try_acquire(tmp_path / "lock")
    assert first is not None
    assert FileLock.acquire(tmp_path / "lock", within=0) is None
    assert is_locked(tmp_path / "lock")
    first.release()
    first.release()
    assert not is_locked(tmp_path / "lock")


def test_a_lock_is_free_after_the_block(tmp_path: Path) -> None:
    with held(tmp_path / "lock", within=0) as lock:
        assert lock is not None
        with held(tmp_path / "lock", within=0) as second:
            assert second is None
    assert not is_locked(tmp_path / "lock")


def test_a_lock_without_a_file_is_free(tmp_path: Path) -> None:
    assert not is_locked(tmp_path / "lock")
