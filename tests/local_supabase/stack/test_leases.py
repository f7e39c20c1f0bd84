import os
import subprocess
import sys
from pathlib import Path

from local_supabase.stack import leases
from tests.support.wait import wait_for


def test_a_lease_is_held_until_its_release(tmp_path: Path) -> None:
    assert not leases.any_alive(tmp_path)
    lease = leases.take(tmp_path)
    assert leases.any_alive(tmp_path)
    lease.release()
    assert not leases.any_alive(tmp_path)
    assert os.listdir(tmp_path) == []


def test_an_unfinished_lease_is_ignored(tmp_path: Path) -> None:
    (tmp_path / "1-abc.new").touch()
    assert not leases.any_alive(tmp_path)
    assert os.listdir(tmp_path) == ["1-abc.new"]


def test_a_killed_process_leaves_no_lease(tmp_path: Path) -> None:
    program = "import pathlib, sys; from local_supabase.stack import leases\n"
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
