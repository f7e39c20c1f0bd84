import itertools
import os
import stat
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ParamSpec, TypeVar

import pytest

from local_supabase.errors import DataFolderError
from local_supabase.stack.datadir import (
    DataDir,
    Phase,
    Ports,
    RunState,
    default_data_dir,
    write_private,
)
from local_supabase.stack.locks import FileLock

P = ParamSpec("P")
R = TypeVar("R")


@pytest.fixture
def data_dir(tmp_path: Path) -> DataDir:
    folder = DataDir(tmp_path / "some" / "data")
    folder.prepare()
    return folder


def test_the_folder_is_private_and_ignored_by_git(data_dir: DataDir) -> None:
    assert stat.S_IMODE(data_dir.root.stat().st_mode) == 0o700
    assert (data_dir.root / ".gitignore").read_text() == "*\n"


def test_preparing_twice_changes_nothing(data_dir: DataDir) -> None:
    before = sorted(path.name for path in data_dir.root.iterdir())
    data_dir.prepare()
    assert sorted(path.name for path in data_dir.root.iterdir()) == before


@pytest.mark.parametrize("step", range(12))
def test_two_processes_may_prepare_a_new_folder_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    folder = DataDir(tmp_path / "data")
    calls = itertools.count()

    def interrupted(change: Callable[P, R]) -> Callable[P, R]:
        """Let the other process prepare the folder after this one has made its change number `step`."""

        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            result = change(*args, **kwargs)
            if next(calls) == step:
                folder.prepare()
            return result

        return call

    monkeypatch.setattr(Path, "mkdir", interrupted(Path.mkdir))
    monkeypatch.setattr(Path, "write_text", interrupted(Path.write_text))
    monkeypatch.setattr(tempfile, "mkstemp", interrupted(tempfile.mkstemp))
    monkeypatch.setattr(os, "replace", interrupted(os.replace))
    folder.prepare()
    assert (folder.root / "format").read_text() == "1\n"


def test_processes_that_start_together_prepare_one_folder(tmp_path: Path) -> None:
    for number in range(20):
        folder = DataDir(tmp_path / str(number))
        together = threading.Barrier(4)

        def prepare(folder: DataDir = folder, together: threading.Barrier = together) -> None:
            together.wait()
            folder.prepare()

        with ThreadPoolExecutor(4) as pool:
            for prepared in [pool.submit(prepare) for _ in range(4)]:
                prepared.result()
        assert (folder.root / "format").read_text() == "1\n"


def test_a_folder_with_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(DataFolderError, match="not from the embedded Supabase"):
        DataDir(tmp_path).prepare()


def test_a_file_instead_of_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(DataFolderError, match="is a file"):
        DataDir(tmp_path / "data").prepare()


def test_a_folder_of_another_format_is_refused(data_dir: DataDir) -> None:
    (data_dir.root / "format").write_text("99\n")
    with pytest.raises(DataFolderError, match=r"another version .* \(format 99, this one uses 1\)"):
        data_dir.prepare()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_an_unwritable_folder_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(DataFolderError, match="cannot be written"):
        DataDir(tmp_path / "data").prepare()


def test_a_path_where_no_folder_can_be_created_is_refused() -> None:
    with pytest.raises(DataFolderError, match="cannot be written"):
        DataDir(Path("/proc/nothing/data")).prepare()


def test_only_a_running_supervisor_has_a_state(data_dir: DataDir) -> None:
    data_dir.write_state(RunState(Phase.READY, url="http://127.0.0.1:1"))
    assert data_dir.running_state() is None
    lock = FileLock.try_acquire(data_dir.lock)
    assert lock is not None
    running = data_dir.running_state()
    assert running is not None
    assert (running.phase, running.url) == (Phase.READY, "http://127.0.0.1:1")
    lock.release()
    assert data_dir.running_state() is None


def test_a_damaged_state_is_ignored(data_dir: DataDir) -> None:
    data_dir.state.write_text("{")
    assert data_dir.read_state() is None
    data_dir.state.write_text('{"phase": "dancing"}')
    assert data_dir.read_state() is None


def test_ports_are_remembered_until_others_are_configured(data_dir: DataDir) -> None:
    configured = Ports(54321, 54322, 54324)
    assert data_dir.preferred_ports(configured) == configured
    data_dir.remember_ports(Ports(1234, 5678, 9012), configured)
    assert data_dir.preferred_ports(configured) == Ports(1234, 5678, 9012)
    assert data_dir.preferred_ports(Ports(8000, 8001, 8002)) == Ports(8000, 8001, 8002)


def test_ports_of_a_version_without_a_mailbox_port_are_kept(data_dir: DataDir) -> None:
    old = '{"chosen": {"gateway": 1, "database": 2}, "configured": {"gateway": 3, "database": 4}}'
    data_dir.ports.write_text(old)
    assert data_dir.preferred_ports(Ports(3, 4, 5)) == Ports(1, 2, 5)


def test_a_private_file_is_replaced_atomically_and_stays_private(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    write_private(path, "first")
    write_private(path, "second")
    assert path.read_text() == "second"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_the_default_folder_is_beside_the_project(tmp_path: Path) -> None:
    assert default_data_dir(tmp_path / "supabase", {}) == tmp_path / ".local_supabase"
    elsewhere = {"LOCAL_SUPABASE_DATA_DIR": str(tmp_path / "elsewhere")}
    assert default_data_dir(tmp_path / "supabase", elsewhere) == tmp_path / "elsewhere"


def test_only_the_socket_folders_of_this_stack_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    one, other = DataDir(tmp_path / "one"), DataDir(tmp_path / "other")
    mine, theirs = (tmp_path / f"{each.socket_folder_prefix}x" for each in (one, other))
    for folder in (mine, theirs):
        folder.mkdir()
        (folder / "http.sock").touch()
    one.remove_socket_folders()
    assert not mine.exists()
    assert theirs.exists()
