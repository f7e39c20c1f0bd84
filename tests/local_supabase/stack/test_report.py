from pathlib import Path

import pytest

from local_supabase.stack.datadir import DataDir, Phase, RunState
from local_supabase.stack.locks import FileLock, held
from local_supabase.stack.report import Health, examine, lines

# Nothing listens on this port.
READY = RunState(Phase.READY, url="http://127.0.0.1:1", anon_key="the-key", restarts=2)


@pytest.fixture
def data_dir(tmp_path: Path) -> DataDir:
    folder = DataDir(tmp_path / "data")
    folder.prepare()
    return folder


def test_without_a_supervisor_the_stack_is_stopped(data_dir: DataDir) -> None:
    data_dir.write_state(READY)
    report = examine(data_dir)
    assert report.health is Health.STOPPED
    assert lines(report) == ["stopped"]


def test_a_failed_start_is_explained(data_dir: DataDir) -> None:
    data_dir.write_state(RunState(Phase.FAILED, message="no space left"))
    assert lines(examine(data_dir)) == ["stopped", "  why: no space left"]


def test_a_supervisor_without_a_state_is_starting(data_dir: DataDir) -> None:
    with held(data_dir.lock, within=0) as lock:
        assert isinstance(lock, FileLock)
        assert examine(data_dir).health is Health.STARTING


def test_a_gateway_that_does_not_answer_makes_the_stack_unhealthy(data_dir: DataDir) -> None:
    data_dir.write_state(READY)
    with held(data_dir.lock, within=0):
        report = examine(data_dir)
    assert (report.health, report.services) == (Health.UNHEALTHY, None)
    text = "\n".join(lines(report))
    assert "SUPABASE_KEY=the-key" in text
    assert "unhealthy for 0 s, 2 restarts of a part" in text
    assert report.as_record()["restarts"] == 2
