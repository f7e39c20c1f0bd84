import os
import pwd
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from local_supabase.stack.privileges import (
    Account,
    child_setup,
    chown_tree,
    postgres_account,
)
from tests.local_supabase.launch import ROOT, command, launched, make_project
from tests.support.wait import wait_for

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can change the account")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may not run Postgres itself")
def test_an_ordinary_user_runs_postgres_with_their_own_account() -> None:
    assert postgres_account() is None


@only_root
def test_root_runs_postgres_with_an_unprivileged_account(tmp_path: Path) -> None:
    account = postgres_account()
    assert account is not None
    with launched(make_project(tmp_path / "project"), tmp_path / "data") as stack:
        assert stack.children["postgres"].uids().real == account.uid
        assert stack.data_dir.cluster.stat().st_uid == account.uid
        assert stack.data_dir.secrets.stat().st_uid == 0


def closed_folder(tmp_path: Path) -> Path:
    """A folder with a program and a file, which like /root only its owner may enter."""
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o700)
    shutil.copy(shutil.which("cat") or "/bin/cat", folder / "cat")
    (folder / "cat").chmod(0o755)
    (folder / "text").write_text("seen")
    return folder


@only_root
def test_an_unprivileged_child_reads_where_only_root_may_enter(tmp_path: Path) -> None:
    folder = closed_folder(tmp_path)
    account = postgres_account()
    program = folder / "cat"
    setup = child_setup(account, death_signal=signal.SIGKILL, paths=(program,))
    result = subprocess.run([program, folder / "text"], preexec_fn=setup, capture_output=True, check=True)
    assert result.stdout == b"seen"
    blind = child_setup(account, death_signal=signal.SIGKILL)
    with pytest.raises(PermissionError):
        subprocess.run([program, folder / "text"], preexec_fn=blind, check=False)


@only_root
def test_the_child_keeps_only_the_capability_to_read(tmp_path: Path) -> None:
    folder = closed_folder(tmp_path)
    setup = child_setup(postgres_account(), death_signal=signal.SIGKILL, paths=(folder / "cat",))
    result = subprocess.run(
        [folder / "cat", "/proc/self/status"], preexec_fn=setup, capture_output=True, check=True, text=True
    )
    held = {
        line.split()[1]
        for line in result.stdout.splitlines()
        if line.startswith(("CapPrm", "CapEff", "CapAmb"))
    }
    assert {int(value, 16) for value in held} == {1 << 2}


@only_root
def test_a_stack_runs_in_a_folder_that_only_root_may_enter(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    with launched(make_project(tmp_path / "project"), tmp_path / "data") as stack:
        assert stack.sql("select 1") == [(1,)]
        postgres = stack.children["postgres"]
        stack.stop(signal.SIGKILL)
        wait_for(
            lambda: not postgres.is_running(), what="the end of Postgres after its supervisor was killed"
        )


@only_root
def test_a_stack_runs_for_an_ordinary_user(tmp_path: Path) -> None:
    somebody = pwd.getpwnam("nobody")
    project = make_project(tmp_path / "project", "create table public.notes (id int);")
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == 0 and folder.name.startswith(("pytest", "popen", tmp_path.name)):
            folder.chmod(0o755)
    account = Account(somebody.pw_name, somebody.pw_uid, somebody.pw_gid)
    chown_tree(tmp_path, account)
    process = subprocess.Popen(
        command("start", project, tmp_path / "data", "--port=0", "--db-port=0"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # Python itself may be in a folder that only root may enter.
        preexec_fn=child_setup(account, death_signal=signal.SIGKILL, paths=(Path(sys.executable).resolve(),)),
        cwd=ROOT,
    )
    try:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line == "ready\n":
                break
        assert lines[-1] == "ready\n", "".join(lines)
        uids = set()
        for child in psutil.Process(process.pid).children(recursive=True):
            # Postgres' workers may end at any moment.
            with suppress(psutil.NoSuchProcess):
                uids.add(child.uids().real)
        assert uids == {somebody.pw_uid}
    finally:
        process.terminate()
        process.wait(30)
        if process.stdout is not None:
            process.stdout.close()


def test_a_child_dies_with_the_process_that_started_it(tmp_path: Path) -> None:
    program = (
        "import signal, subprocess, sys\n"
        "from local_supabase.stack.privileges import child_setup\n"
        "setup = child_setup(None, death_signal=signal.SIGKILL)\n"
        "child = subprocess.Popen(['sleep', '600'], preexec_fn=setup)\n"
        "print(child.pid, flush=True)\n"
        "input()\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert parent.stdout is not None
    assert parent.stdin is not None
    child = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.wait()
    parent.stdin.close()
    parent.stdout.close()
    wait_for(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE, what="the child's end")
