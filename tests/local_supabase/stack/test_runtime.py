import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from local_supabase.errors import StartFailedError
from local_supabase.stack.datadir import DataDir
from local_supabase.stack.runtime import (
    StackInfo,
    ensure_running,
    release,
    stop_stack,
)
from tests.local_supabase.launch import ROOT, launched, make_project, run
from tests.support.wait import wait_for

# Another application on the same folder. It prints the stack's URL and runs until its input ends.
APPLICATION = """
import pathlib, sys
from local_supabase.stack.runtime import ensure_running
info = ensure_running(pathlib.Path(sys.argv[1]), data_dir=pathlib.Path(sys.argv[2]), port=0, database_port=0)
print(info.url, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_project(tmp_path / "project", "create table public.notes (id int);")


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[DataDir]:
    folder = DataDir(tmp_path / "data")
    yield folder
    if folder.root.exists():
        stop_stack(folder.root)


def join(project: Path, data_dir: DataDir) -> StackInfo:
    return ensure_running(project, data_dir=data_dir.root, port=0, database_port=0)


def healthy(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


def supervisor(data_dir: DataDir) -> psutil.Process:
    return psutil.Process(int(data_dir.lock.read_text()))


def start_application(project: Path, data_dir: DataDir) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", APPLICATION, str(project), str(data_dir.root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "LOCAL_SUPABASE_LINGER": "1"},
    )


def test_the_first_call_starts_the_stack_and_reports_progress(project: Path, data_dir: DataDir) -> None:
    messages: list[str] = []
    info = ensure_running(project, data_dir=data_dir.root, progress=messages.append, port=0, database_port=0)
    assert healthy(info.url)
    assert "Creating the database…" in messages
    assert info.data_dir == data_dir.root


def test_calls_from_many_threads_share_one_stack(project: Path, data_dir: DataDir) -> None:
    infos: list[StackInfo] = []
    threads = [threading.Thread(target=lambda: infos.append(join(project, data_dir))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(infos) == 8
    assert len(set(infos)) == 1


def test_processes_share_one_stack_that_ends_after_the_last_of_them(project: Path, data_dir: DataDir) -> None:
    applications = [start_application(project, data_dir) for _ in range(3)]
    try:
        urls = {application.stdout.readline() for application in applications if application.stdout}
        assert len(urls) == 1
        url = urls.pop().strip()
        stack = supervisor(data_dir)
        family = [stack, *stack.children(recursive=True)]
        for application in applications[:2]:
            application.kill()
            application.wait()
        assert healthy(url)
    finally:
        for application in applications:
            application.kill()
            application.wait()
            for pipe in (application.stdin, application.stdout):
                if pipe is not None:
                    pipe.close()
    wait_for(lambda: not data_dir.is_running(), what="the stack to end after its last user was killed")
    wait_for(lambda: not any(process.is_running() for process in family), what="the end of every process")


def test_a_killed_supervisor_is_replaced_at_the_same_address(project: Path, data_dir: DataDir) -> None:
    info = join(project, data_dir)
    supervisor(data_dir).kill()
    wait_for(lambda: data_dir.is_running() and healthy(info.url), within=60, what="a new supervisor")
    assert join(project, data_dir) == info


def test_a_stack_that_was_stopped_stays_stopped_until_the_next_call(project: Path, data_dir: DataDir) -> None:
    join(project, data_dir)
    assert run("stop", project, data_dir.root).returncode == 0
    assert not data_dir.is_running()
    assert healthy(join(project, data_dir).url)


def test_a_stack_in_the_foreground_is_joined_and_not_stopped(project: Path, data_dir: DataDir) -> None:
    with launched(project, data_dir.root) as stack:
        assert join(project, data_dir).url == stack.value("SUPABASE_URL")
        release(data_dir.root)
        assert healthy(stack.value("SUPABASE_URL"))


def test_the_error_says_why_a_start_failed(project: Path, data_dir: DataDir) -> None:
    make_project(project, "select nonsense;")
    with pytest.raises(StartFailedError, match='line 1: column "nonsense" does not exist'):
        join(project, data_dir)
    assert not data_dir.is_running()
