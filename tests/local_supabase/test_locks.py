import os
import subprocess
import sys
from pathlib import Path

from local_supabase import leases
from local_supabase.locks import FileLock, held, is_locked
from tests.support.wait import wait_for


def test_a_lock_has_one_holder(tmp_path: Path) -> None:
    first = FileLock.try_acquire(tmp_path / "lock")
    assert first is not None
    assert FileLock.acquire(tmp_path / "lock", within=0.05) is None
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


def test_a_lock_that_was_never_taken_is_free(tmp_path: Path) -> None:
    assert not is_locked(tmp_path / "lock")


def test_a_killed_process_leaves_no_lease(tmp_path: Path) -> None:
    program = "import pathlib, sys; from local_supabase import leases\n"
    program += "leases.take(pathlib.Path(sys.argv[1])); input()"
    holder = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdin=subprocess.PIPE)
    try:
        wait_for(lambda: leases.any_alive(tmp_path), what="the lease")
    finally:
        holder.kill()
        holder.wait()
        assert holder.stdin is not None
        holder.stdin.close()
    assert not leases.any_alive(tmp_path)
    assert os.listdir(tmp_path) == []
