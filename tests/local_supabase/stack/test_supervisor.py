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
from typing import cast

import httpx
import psutil
import psycopg2
import pytest
from websockets.sync.client import connect

from local_supabase.stack import alarm, ports
from local_supabase.stack.datadir import DataDir
from local_supabase.stack.supervisor import Options, Supervisor
from tests.local_supabase.launch import Launched, launched, make_project, run, starting
from tests.support.wait import wait_for

NOTES = "create table public.notes (id int primary key);"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_project(tmp_path_factory.mktemp("project"), NOTES)


@pytest.fixture(scope="module")
def stack(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launched]:
    """A stack for tests that leave it healthy."""
    with launched(project, tmp_path_factory.mktemp("stack") / "data") as running:
        yield running


def healthy(stack: Launched) -> bool:
    try:
        return httpx.get(f"{stack.value('SUPABASE_URL')}/health", timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


def gone(*processes: psutil.Process) -> bool:
    """Whether all processes have ended; a zombie has."""
    return not any(map(_is_alive, processes))


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_killed_gateway_is_restarted_on_the_same_port(stack: Launched) -> None:
    gateway = stack.children["gateway"]
    gateway.kill()
    wait_for(lambda: gone(gateway), what="the end of the gateway")
    # The supervisor keeps the port open, so the request waits for the new gateway instead of failing.
    assert httpx.get(f"{stack.value('SUPABASE_URL')}/health", timeout=30).status_code == 200
    wait_for(lambda: stack.pids["gateway"] != gateway.pid, what="the new gateway in the state")


def test_a_killed_postgres_is_restarted_with_every_acknowledged_write(stack: Launched) -> None:
    stack.sql("insert into public.notes values (1)")
    postgres = stack.children["postgres"]
    postgres.kill()
    wait_for(lambda: gone(postgres), what="the end of Postgres")
    wait_for(lambda: stack.pids["postgres"] != postgres.pid, what="the new Postgres in the state")
    wait_for(lambda: healthy(stack), what="a healthy stack")
    assert stack.sql("select id from public.notes") == [(1,)]


def test_the_stack_survives_a_killed_database_session(stack: Launched) -> None:
    postmaster = stack.children["postgres"]
    for backend in postmaster.children():
        # Postgres ends all other sessions when one was killed.
        with suppress(psutil.NoSuchProcess):
            backend.kill()
    wait_for(lambda: healthy(stack), what="a healthy stack")
    assert stack.pids["postgres"] == postmaster.pid


def test_the_children_of_a_killed_supervisor_end_and_the_next_start_works(
    project: Path, tmp_path: Path
) -> None:
    with launched(project, tmp_path / "data") as stack:
        stack.sql("insert into public.notes values (2)")
        url = stack.value("SUPABASE_URL")
        children = [*stack.children.values(), *stack.children["postgres"].children(recursive=True)]
        stack.stop(signal.SIGKILL)
    with launched(project, tmp_path / "data") as again:
        assert again.sql("select id from public.notes") == [(2,)]
        assert again.value("SUPABASE_KEY") == stack.value("SUPABASE_KEY")
        assert again.value("SUPABASE_URL") != url, "the new stack takes any free port"
    wait_for(lambda: gone(*children), what="the end of the children")


def test_a_stale_postmaster_file_does_not_prevent_a_start(project: Path, tmp_path: Path) -> None:
    with launched(project, tmp_path / "data") as stack:
        left = (stack.data_dir.cluster / "postmaster.pid").read_text()
        family = psutil.Process(stack.process.pid).children(recursive=True)
        assert len(family) > 2
        assert stack.stop(signal.SIGINT) == 0
    wait_for(lambda: gone(*family), within=5, what="the end of the whole family")
    # The process id now belongs to another process: this test.
    file = stack.data_dir.cluster / "postmaster.pid"
    file.write_text("\n".join([str(os.getpid()), *left.splitlines()[1:]]))
    with launched(project, tmp_path / "data") as again:
        assert healthy(again)


def test_a_stack_ends_when_its_data_folder_is_deleted(project: Path, tmp_path: Path) -> None:
    with launched(project, tmp_path / "data") as stack:
        family = psutil.Process(stack.process.pid).children(recursive=True)
        shutil.rmtree(stack.data_dir.root, ignore_errors=True)
        wait_for(lambda: stack.process.poll() is not None, what="the end of the supervisor")
    wait_for(lambda: gone(*family), what="the end of the whole family")
    assert stack.process.returncode == 0


def test_an_interrupted_first_start_is_repeated(project: Path, tmp_path: Path) -> None:
    half_made = tmp_path / "data" / "postgres.new" / "PG_VERSION"
    with starting(project, tmp_path / "data") as stack:
        wait_for(half_made.exists, what="the beginning of the database")
        stack.stop(signal.SIGKILL)
    with launched(project, tmp_path / "data") as again:
        assert healthy(again)
        assert not half_made.parent.exists()


def test_a_second_start_names_the_address_of_the_first(stack: Launched) -> None:
    second = run("start", stack.project, stack.data_dir.root)
    assert second.returncode != 0
    assert f"already running at {stack.value('SUPABASE_URL')}" in second.stderr
    assert healthy(stack)


@pytest.mark.parametrize("option", ["--port", "--db-port"])
def test_an_explicit_port_in_use_is_an_error(project: Path, tmp_path: Path, option: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run("start", project, tmp_path / "data", f"{option}={port}")
    assert result.returncode != 0
    assert f"Port {port} cannot be used" in result.stderr


def lasting(stack: Launched) -> list[psutil.Process]:
    """The permanent processes. Postgres' workers may end at any moment."""
    return [psutil.Process(stack.process.pid), *stack.children.values()]


def test_the_stack_listens_on_loopback_only(stack: Launched) -> None:
    listening = {
        connection.laddr.ip
        for process in lasting(stack)
        for connection in process.net_connections()
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}


def test_no_secret_is_in_a_command_line_or_a_log(stack: Launched) -> None:
    secrets = {stack.value("SUPABASE_SERVICE_KEY"), stack.value("DATABASE_URL").split(":")[2].split("@")[0]}
    httpx.get(f"{stack.value('SUPABASE_URL')}/rest/v1/notes?apikey={stack.value('SUPABASE_SERVICE_KEY')}")
    # The gateway writes the line of a request after the response.
    access_log = stack.data_dir.logs / "gateway.log"
    wait_for(lambda: "/rest/v1/notes" in access_log.read_text(errors="replace"), what="the access log's line")
    shown = [" ".join(process.cmdline()) for process in lasting(stack)]
    shown += [log.read_text(errors="replace") for log in stack.data_dir.logs.iterdir()]
    for secret in secrets:
        assert not [text for text in shown if secret in text]


def test_a_missing_project_is_an_error(tmp_path: Path) -> None:
    result = run("start", tmp_path / "nowhere", tmp_path / "data")
    assert result.returncode != 0
    assert f"There is no project folder {tmp_path / 'nowhere'}" in result.stderr


def test_a_database_port_that_is_taken_meanwhile_is_replaced_by_another(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find_port = ports.free_port
    with socket.create_server(("127.0.0.1", 0)) as taken:
        free_ports = iter([taken.getsockname()[1]])
        monkeypatch.setattr(ports, "free_port", lambda *wanted: next(free_ports, None) or find_port(*wanted))
        supervisor = Supervisor(Options(project, DataDir(tmp_path / "data"), port=0, database_port=0))
        try:
            assert str(taken.getsockname()[1]) not in supervisor.start().database_url
        finally:
            supervisor.stop()


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


def test_a_start_on_a_full_disk_says_so(project: Path, tmp_path: Path) -> None:
    with disk_of(20, tmp_path / "small") as small:
        result = run("start", project, small / "data", "--port=0", "--db-port=0")
    assert result.returncode != 0
    assert "no space is left on the disk" in result.stderr


def test_a_disk_that_fills_up_loses_no_acknowledged_write(project: Path, tmp_path: Path) -> None:
    with disk_of(150, tmp_path / "small") as small, launched(project, small / "data") as stack:
        stack.sql("insert into public.notes values (1)")
        ballast = fill(small)
        with suppress(psycopg2.Error):
            stack.sql("insert into public.notes select generate_series(2, 2000000)")
        ballast.unlink()
        wait_for(lambda: healthy(stack), within=60, what="a healthy stack")
        assert stack.sql("select id from public.notes where id = 1") == [(1,)]


def test_no_acknowledged_write_is_lost_when_processes_are_killed(tmp_path: Path) -> None:
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


def test_a_hangup_stops_a_stack_unless_it_runs_under_nohup(project: Path, tmp_path: Path) -> None:
    kept = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        with launched(project, tmp_path / "data") as stack:
            assert stack.stop(signal.SIGHUP) == 0
    finally:
        signal.signal(signal.SIGHUP, kept)
    kept = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with launched(project, tmp_path / "data") as stack:
            stack.process.send_signal(signal.SIGHUP)
            assert healthy(stack)
            assert stack.stop(signal.SIGTERM) == 0
    finally:
        signal.signal(signal.SIGHUP, kept)
    # A data folder of another version of Postgres is left alone.
    (stack.data_dir.cluster / "PG_VERSION").write_text("17\n")
    result = run("start", project, tmp_path / "data")
    assert result.returncode != 0
    assert "made by Postgres 17; this is Postgres 18" in result.stderr


def test_a_fault_while_looking_after_the_children_does_not_end_the_stack(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    supervisor = Supervisor(Options(project, DataDir(tmp_path / "data")))
    looks: list[int] = []

    def fail() -> None:
        looks.append(1)
        if len(looks) == 3:
            supervisor.request_stop()
        raise OSError("Too many open files")

    class Alarm:
        def wait(self, _seconds: float) -> None:
            """Return at once."""

    monkeypatch.setattr(supervisor, "_check_children", fail)
    supervisor.run(cast("alarm.Alarm", Alarm()))
    assert len(looks) == 3
    assert caplog.text.count("a look after the children failed") == 1


@pytest.fixture(scope="module")
def impatient(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launched]:
    """A stack whose processes may be silent for two seconds only."""
    environment = {"LOCAL_SUPABASE_HEALTH_SECONDS": "2"}
    folder = tmp_path_factory.mktemp("impatient")
    with launched(project, folder / "data", environment=environment) as running:
        yield running


@pytest.mark.parametrize("name", ["gateway", "realtime", "postgres"])
def test_a_suspended_process_is_replaced(impatient: Launched, name: str) -> None:
    old = impatient.children[name]
    family = [old, *old.children()]
    for process in family:
        process.suspend()
    wait_for(lambda: impatient.pids[name] != old.pid, what=f"another {name}")
    wait_for(lambda: gone(*family), what="the end of the suspended processes")
    wait_for(lambda: healthy(impatient), what="a healthy stack")
    health = httpx.get(f"{impatient.value('SUPABASE_URL')}/health", timeout=30).json()
    assert set(health["services"].values()) == {"ok"}


def test_a_websocket_survives_the_end_of_the_gateway(impatient: Launched) -> None:
    url = impatient.value("SUPABASE_URL").replace("http", "ws", 1)
    key = impatient.value("SUPABASE_KEY")
    heartbeat = '{"topic":"phoenix","event":"heartbeat","payload":{},"ref":"1"}'
    with connect(f"{url}/realtime/v1/websocket?apikey={key}&vsn=1.0.0") as client:
        gateway = impatient.children["gateway"]
        gateway.kill()
        wait_for(lambda: gone(gateway), what="the end of the gateway")
        client.send(heartbeat)
        assert "phx_reply" in str(client.recv(timeout=30))
    wait_for(lambda: healthy(impatient), what="the next gateway")
