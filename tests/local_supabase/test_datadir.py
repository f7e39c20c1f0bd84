import os
import stat
from pathlib import Path

import pytest

from local_supabase.datadir import DataDir, Phase, Ports, RunState, default_data_dir, write_private
from local_supabase.errors import DataFolderError
from local_supabase.locks import FileLock


@pytest.fixture
def data_dir(tmp_path: Path) -> DataDir:
    folder = DataDir(tmp_path / "some" / "data")
    folder.prepare()
    return folder


def test_the_folder_is_for_its_owner_only_and_kept_out_of_repositories(data_dir: DataDir) -> None:
    assert stat.S_IMODE(data_dir.root.stat().st_mode) == 0o700
    assert (data_dir.root / ".gitignore").read_text() == "*\n"


def test_preparing_twice_is_harmless(data_dir: DataDir) -> None:
    data_dir.prepare()


def test_a_folder_with_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(DataFolderError, match="not from the embedded Supabase"):
        DataDir(tmp_path).prepare()


def test_a_file_in_its_place_is_refused(tmp_path: Path) -> None:
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


def test_a_place_where_no_folder_can_be_is_refused() -> None:
    with pytest.raises(DataFolderError, match="cannot be written"):
        DataDir(Path("/proc/nothing/data")).prepare()


def test_the_state_is_that_of_a_living_supervisor_only(data_dir: DataDir) -> None:
    data_dir.write_state(RunState(Phase.READY, url="http://127.0.0.1:1"))
    assert data_dir.running_state() is None
    lock = FileLock.try_acquire(data_dir.lock)
    assert lock is not None
    running = data_dir.running_state()
    assert running is not None
    assert (running.phase, running.url) == (Phase.READY, "http://127.0.0.1:1")
    lock.release()
    assert data_dir.running_state() is None


def test_a_damaged_state_is_no_state(data_dir: DataDir) -> None:
    data_dir.state.write_text("{")
    assert data_dir.read_state() is None
    data_dir.state.write_text('{"phase": "dancing"}')
    assert data_dir.read_state() is None


def test_ports_are_remembered_until_others_are_configured(data_dir: DataDir) -> None:
    configured = Ports(54321, 54322)
    assert data_dir.preferred_ports(configured) == configured
    data_dir.remember_ports(Ports(1234, 5678), configured)
    assert data_dir.preferred_ports(configured) == Ports(1234, 5678)
    assert data_dir.preferred_ports(Ports(8000, 8001)) == Ports(8000, 8001)


def test_a_private_file_is_replaced_in_one_step_and_stays_private(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    write_private(path, "first")
    write_private(path, "second")
    assert path.read_text() == "second"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_the_default_folder_lies_beside_the_project(tmp_path: Path) -> None:
    assert default_data_dir(tmp_path / "supabase", {}) == tmp_path / ".local_supabase"
    elsewhere = {"LOCAL_SUPABASE_DATA_DIR": str(tmp_path / "elsewhere")}
    assert default_data_dir(tmp_path / "supabase", elsewhere) == tmp_path / "elsewhere"
