import itertools
import os
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import psutil
import psycopg2
import pytest

from local_supabase import logs, ports
from local_supabase.datadir import DataDir
from local_supabase.supervisor import Options, Supervisor
from tests.local_supabase.launch import Launched, launched, make_project, run, starting
from tests.support.wait import wait_for

NOTES = "create table public.notes (id int primary key);"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_project(tmp_path_factory.mktemp("project"), NOTES)


@pytest.fixture
def stack(project: Path, tmp_path: Path) -> Iterator[Launched]:
    with launched(project, tmp_path / "data") as running:
        yield running


def healthy(stack: Launched) -> bool:
    try:
        return httpx.get(f"{stack.value('SUPABASE_URL')}/health", timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


def gone(*processes: psutil.Process) -> bool:
    return not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in processes)


def test_a_killed_gateway_comes_back_on_the_same_port(stack: Launched) -> None:
    gateway = stack.children["gateway"]
    gateway.kill()
    wait_for(lambda: gone(gateway), what="the end of the gateway")
    # The supervisor holds the port: the request waits for the new gateway instead of being refused.
    assert httpx.get(f"{stack.value('SUPABASE_URL')}/health", timeout=30).status_code == 200
    wait_for(lambda: stack.children["gateway"].pid != gateway.pid, what="the new gateway in the state")


def test_a_killed_postgres_comes_back_with_every_acknowledged_write(stack: Launched) -> None:
    stack.sql("insert into public.notes values (1)")
    postgres = stack.children["postgres"]
    postgres.kill()
    wait_for(lambda: gone(postgres), what="the end of Postgres")
    wait_for(lambda: healthy(stack), what="a healthy stack")
    assert stack.sql("select id from public.notes") == [(1,)]


def test_one_killed_database_session_takes_nothing_down(stack: Launched) -> None:
    for backend in stack.children["postgres"].children():
        # Postgres ends all sessions when one was killed.
        with suppress(psutil.NoSuchProcess):
            backend.kill()
    wait_for(lambda: healthy(stack), what="a healthy stack")


def test_a_killed_supervisor_takes_its_children_along_and_the_next_start_works(
    stack: Launched, project: Path, tmp_path: Path
) -> None:
    stack.sql("insert into public.notes values (2)")
    url = stack.value("SUPABASE_URL")
    children = [*stack.children.values(), *stack.children["postgres"].children(recursive=True)]
    stack.stop(signal.SIGKILL)
    with launched(project, tmp_path / "data") as again:
        assert again.sql("select id from public.notes") == [(2,)]
        assert again.value("SUPABASE_KEY") == stack.value("SUPABASE_KEY")
        assert again.value("SUPABASE_URL") != url, "asked for any free port"
    wait_for(lambda: gone(*children), what="the end of the children")


def test_a_stop_leaves_no_process(project: Path, tmp_path: Path) -> None:
    with launched(project, tmp_path / "data") as stack:
        family = psutil.Process(stack.process.pid).children(recursive=True)
        assert len(family) > 2
        assert stack.stop(signal.SIGINT) == 0
    wait_for(lambda: gone(*family), within=5, what="the end of the whole family")


def test_a_postmaster_file_left_by_a_power_failure_does_not_matter(project: Path, tmp_path: Path) -> None:
    with launched(project, tmp_path / "data") as stack:
        left = (stack.data_dir.cluster / "postmaster.pid").read_text()
    # The number belongs to somebody else by now: to this test.
    file = stack.data_dir.cluster / "postmaster.pid"
    file.write_text("\n".join([str(os.getpid()), *left.splitlines()[1:]]))
    with launched(project, tmp_path / "data") as again:
        assert healthy(again)


def test_a_stack_whose_data_folder_is_deleted_ends(stack: Launched) -> None:
    family = psutil.Process(stack.process.pid).children(recursive=True)
    shutil.rmtree(stack.data_dir.root, ignore_errors=True)
    wait_for(lambda: stack.process.poll() is not None, what="the end of the supervisor")
    wait_for(lambda: gone(*family), what="the end of the whole family")


def test_an_interrupted_first_start_is_begun_again(project: Path, tmp_path: Path) -> None:
    half_made = tmp_path / "data" / "postgres.new" / "PG_VERSION"
    with starting(project, tmp_path / "data") as stack:
        wait_for(half_made.exists, what="the beginning of the database")
        stack.stop(signal.SIGKILL)
    with launched(project, tmp_path / "data") as again:
        assert healthy(again)
        assert not half_made.parent.exists()


def test_a_second_start_says_where_the_first_one_is(stack: Launched) -> None:
    second = run("start", stack.project, stack.data_dir.root)
    assert second.returncode != 0
    assert f"already running at {stack.value('SUPABASE_URL')}" in second.stderr
    assert healthy(stack)


@pytest.mark.parametrize("option", ["--port", "--db-port"])
def test_an_explicit_port_that_is_taken_is_an_error(project: Path, tmp_path: Path, option: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        answer = run("start", project, tmp_path / "data", f"{option}={port}")
    assert answer.returncode != 0
    assert f"Port {port} cannot be used" in answer.stderr


def lasting(stack: Launched) -> list[psutil.Process]:
    """The processes that stay; Postgres' workers come and go while one looks at them."""
    return [psutil.Process(stack.process.pid), *stack.children.values()]


def test_the_stack_listens_on_loopback_only(stack: Launched) -> None:
    listening = {
        connection.laddr.ip
        for process in lasting(stack)
        for connection in process.net_connections()
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}


def test_no_secret_shows_in_a_command_line_or_a_log(stack: Launched) -> None:
    secrets = {stack.value("SUPABASE_SERVICE_KEY"), stack.value("DATABASE_URL").split(":")[2].split("@")[0]}
    httpx.get(f"{stack.value('SUPABASE_URL')}/rest/v1/notes?apikey={stack.value('SUPABASE_SERVICE_KEY')}")
    shown = [" ".join(process.cmdline()) for process in lasting(stack)]
    shown += [log.read_text(errors="replace") for log in stack.data_dir.logs.iterdir()]
    assert "/rest/v1/notes" in "\n".join(shown)
    for secret in secrets:
        assert not [text for text in shown if secret in text]


def test_a_data_folder_of_another_postgres_is_refused(project: Path, tmp_path: Path) -> None:
    with launched(project, tmp_path / "data") as stack:
        pass
    (stack.data_dir.cluster / "PG_VERSION").write_text("17\n")
    answer = run("start", project, tmp_path / "data")
    assert answer.returncode != 0
    assert "made by Postgres 17; this is Postgres 18" in answer.stderr


def test_a_missing_project_is_an_error(tmp_path: Path) -> None:
    answer = run("start", tmp_path / "nowhere", tmp_path / "data")
    assert answer.returncode != 0
    assert f"There is no project folder {tmp_path / 'nowhere'}" in answer.stderr


def test_a_database_port_that_is_taken_in_the_last_moment_is_given_up_for_another(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = ports.free_port
    with socket.create_server(("127.0.0.1", 0)) as taken:
        answers = iter([taken.getsockname()[1]])
        monkeypatch.setattr(ports, "free_port", lambda *wanted: next(answers, None) or look(*wanted))
        supervisor = Supervisor(Options(project, DataDir(tmp_path / "data"), port=0, database_port=0))
        try:
            assert str(taken.getsockname()[1]) not in supervisor.start().database_url
        finally:
            supervisor.stop()


def test_logs_do_not_grow_without_end(tmp_path: Path) -> None:
    log = tmp_path / "some.log"
    with log.open("ab") as writer:
        for _ in range(5):
            writer.write(b"x" * 600)
            writer.flush()
            logs.bound(log, limit=1000)
    assert log.stat().st_size + log.with_name("some.log.1").stat().st_size <= 2 * 1600


@contextmanager
def disk_of(megabytes: int, place: Path) -> Iterator[Path]:
    """Mount a disk of this size for the block."""
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "none", str(place)]
    if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("only root can mount a small disk")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


def fill(disk: Path) -> Path:
    """Write a file that leaves no space."""
    ballast = disk / "ballast"
    with suppress(OSError), ballast.open("wb") as file:
        while True:
            file.write(b"\0" * 1_000_000)
    return ballast


def test_a_full_disk_is_named(project: Path, tmp_path: Path) -> None:
    with disk_of(20, tmp_path / "small") as small:
        answer = run("start", project, small / "data", "--port=0", "--db-port=0")
    assert answer.returncode != 0
    assert "no space is left on the disk" in answer.stderr


def test_a_disk_that_fills_up_costs_no_acknowledged_write(project: Path, tmp_path: Path) -> None:
    with disk_of(150, tmp_path / "small") as small, launched(project, small / "data") as stack:
        stack.sql("insert into public.notes values (1)")
        ballast = fill(small)
        with suppress(psycopg2.Error):
            stack.sql("insert into public.notes select generate_series(2, 2000000)")
        ballast.unlink()
        wait_for(lambda: healthy(stack), within=60, what="a healthy stack")
        assert stack.sql("select id from public.notes where id = 1") == [(1,)]


def test_no_acknowledged_write_is_lost_however_often_something_is_killed(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project", NOTES)
    acknowledged: list[int] = []

    def wait_for_more_writes() -> None:
        enough = len(acknowledged) + 20
        wait_for(lambda: len(acknowledged) > enough, within=60, what="some writes")

    with launched(project, tmp_path / "data") as first, writing(first, acknowledged):
        for name in ("postgres", "gateway", "postgres"):
            wait_for_more_writes()
            first.children[name].kill()
        wait_for_more_writes()
        first.stop(signal.SIGKILL)
    with launched(project, tmp_path / "data") as again:
        kept = {row[0] for row in again.sql("select id from public.notes")}
    assert set(acknowledged) <= kept


@contextmanager
def writing(stack: Launched, acknowledged: list[int]) -> Iterator[None]:
    """Write notes over REST from a thread during the block, noting those that were acknowledged."""
    ended = threading.Event()
    headers = {"apikey": stack.value("SUPABASE_SERVICE_KEY")}
    url = f"{stack.value('SUPABASE_URL')}/rest/v1/notes"

    def write() -> None:
        for number in itertools.count():
            if ended.is_set():
                return
            with suppress(httpx.HTTPError):
                if httpx.post(url, headers=headers, json={"id": number}, timeout=5).status_code == 201:
                    acknowledged.append(number)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def test_the_end_of_the_terminal_ends_a_stack_but_not_one_under_nohup(project: Path, tmp_path: Path) -> None:
    with launched(project, tmp_path / "data") as stack:
        assert stack.stop(signal.SIGHUP) == 0
    kept = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with launched(project, tmp_path / "data") as stack:
            stack.process.send_signal(signal.SIGHUP)
            assert healthy(stack)
            assert stack.stop(signal.SIGTERM) == 0
    finally:
        signal.signal(signal.SIGHUP, kept)
