"""The supervisor process: it owns the data folder, runs Postgres and the gateway, and puts back what dies.

Everything happens on the main thread: the kernel ties the children's lives to the thread that started them.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psycopg2
from psycopg2 import sql

from local_supabase import leases, logs, migrate, ports
from local_supabase.datadir import DataDir, Phase, Ports, RunState, with_phase
from local_supabase.errors import AlreadyRunning, LocalSupabaseError, StartFailed
from local_supabase.keys import Keys, Login, load_keys
from local_supabase.locks import FileLock, held
from local_supabase.postgres import Server
from local_supabase.privileges import child_setup
from local_supabase.settings import Settings

DEFAULT_PORTS = Ports(gateway=54321, database=54322)
_LOCK_SECONDS = 2.0
_TICK_SECONDS = 0.1
_LEASE_GRACE_SECONDS = 5.0
_GATEWAY_SECONDS = 60.0
_STOP_SECONDS = 5.0
_LONGEST_BACKOFF_SECONDS = 10.0

_log = logging.getLogger("local_supabase.supervisor")


@dataclass(frozen=True, slots=True)
class Options:
    """What a stack is started with. A port of None is the default or any free one, 0 any free one."""

    project: Path
    data_dir: DataDir
    port: int | None = None
    database_port: int | None = None
    leased: bool = False


class Supervisor:
    """Runs one stack from `start` to `stop`."""

    def __init__(self, options: Options, progress: Callable[[str], None] = lambda _: None) -> None:
        self._options = options
        self._data_dir = options.data_dir
        self._progress = progress
        self._state = RunState(Phase.STARTING, pid=os.getpid(), started_at=datetime.now(UTC).isoformat())
        self._lock: FileLock | None = None
        self._listener: socket.socket | None = None
        self._gateway: subprocess.Popen[bytes] | None = None
        self._stopping = False
        self._backoff = _Backoff()

    @property
    def state(self) -> RunState:
        """What the stack says about itself."""
        return self._state

    def start(self) -> RunState:
        """Bring everything up and return the state of the ready stack.

        Raises:
            LocalSupabaseError: what went wrong, for the user to read. Nothing is left running.
        """
        self._acquire()
        try:
            self._bring_up()
        except BaseException as error:
            self._fail(error)
            raise
        return self._state

    def _acquire(self) -> None:
        self._data_dir.prepare()
        self._lock = FileLock.acquire(self._data_dir.lock, within=_LOCK_SECONDS)
        if self._lock is None:
            running = self._data_dir.read_state()
            where = f" at {running.url}" if running and running.url else ""
            raise AlreadyRunning(
                f"The stack of {self._data_dir.root} is already running{where}. "
                "See it with: python -m local_supabase status"
            )
        self._lock.write(f"{os.getpid()}\n")

    def _bring_up(self) -> None:
        self._say("Starting…")
        migrate.migrations(self._options.project)
        self._keys = load_keys(self._data_dir)
        self._server = Server(self._data_dir, self._keys)
        remembered = self._data_dir.remembered_ports() or DEFAULT_PORTS
        self._listener = ports.listen_on(self._options.port, remembered.gateway)
        chosen = Ports(
            self._listener.getsockname()[1], ports.free_port(self._options.database_port, remembered.database)
        )
        self._settings = Settings(
            chosen.gateway, chosen.database, self._options.project.resolve(), self._data_dir
        )
        self._start_database()
        self._data_dir.remember_ports(chosen)
        self._start_gateway()
        self._await_gateway()
        self._state = replace(
            self._state,
            phase=Phase.READY,
            message="",
            project=str(self._settings.project),
            url=self._settings.url,
            anon_key=self._keys.anon_key,
            service_key=self._keys.service_key,
            database_url=self._settings.dsn(self._keys, Login.POSTGRES),
        )
        self._publish()

    def _start_database(self) -> None:
        if not self._data_dir.cluster.exists():
            self._say("Creating the database…")
        created = self._server.create()
        self._say("Starting the database…")
        self._server.start(self._settings.database_port)
        connection = self._server.connect(self._settings.database_port)
        try:
            migrate.bootstrap(connection)
            if created or not self._logins_work():
                _set_passwords(connection, self._keys)
        finally:
            connection.close()
        connection = self._server.connect(self._settings.database_port, Login.POSTGRES)
        try:
            migrate.migrate(connection, self._settings.project, progress=self._say)
        finally:
            connection.close()

    def _logins_work(self) -> bool:
        try:
            for login in Login:
                self._server.connect(self._settings.database_port, login).close()
        except psycopg2.OperationalError:
            return False
        return True

    def _start_gateway(self) -> None:
        assert self._listener is not None
        self._say("Starting the gateway…")
        package = Path(__file__).resolve().parents[1]
        path = os.pathsep.join(filter(None, (str(package), os.environ.get("PYTHONPATH"))))
        command = [sys.executable, "-m", "local_supabase.gateway"]
        command += [f"--data-dir={self._data_dir.root}", f"--project={self._settings.project}"]
        command += [f"--listener={self._listener.fileno()}", f"--port={self._settings.port}"]
        command += [f"--db-port={self._settings.database_port}"]
        with self._gateway_log.open("ab") as log:
            self._gateway = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONPATH": path},
                pass_fds=(self._listener.fileno(),),
                preexec_fn=child_setup(None, death_signal=signal.SIGKILL),
            )

    def _await_gateway(self) -> None:
        deadline = time.monotonic() + _GATEWAY_SECONDS
        while time.monotonic() < deadline:
            assert self._gateway is not None
            if self._gateway.poll() is not None:
                break
            if self._gateway_answers():
                return
            time.sleep(0.02)
        raise StartFailed(
            f"The gateway did not start. The end of {self._gateway_log}:\n{_tail(self._gateway_log)}"
        )

    def _gateway_answers(self) -> bool:
        try:
            # The socket listens before the gateway lives, so the connection waits for it.
            return httpx.get(f"{self._settings.url}/health", timeout=1.0, trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False

    def run(self) -> None:
        """Watch the children until `request_stop`, or until the last lease is gone when leased."""
        last_used = time.monotonic()
        while not self._stopping:
            self._tick()
            now = time.monotonic()
            if not self._options.leased or leases.any_alive(self._data_dir.leases):
                last_used = now
            elif now - last_used > _LEASE_GRACE_SECONDS and self._retire():
                _log.info("the last process that used the stack is gone")
                break
            time.sleep(_TICK_SECONDS)

    def _tick(self) -> None:
        for log in (self._gateway_log, self._server.log):
            logs.bound(log)
        if self._server.exit_code() is not None:
            self._revive("Postgres", self._revive_database)
        elif self._gateway is not None and self._gateway.poll() is not None:
            self._revive("the gateway", self._revive_gateway)

    def _revive(self, what: str, action: Callable[[], None]) -> None:
        if not self._backoff.due():
            return
        _log.warning("%s ended; starting it again", what)
        try:
            action()
        except (LocalSupabaseError, psycopg2.Error, OSError) as error:
            _log.exception("%s could not be started again", what)
            self._state = replace(self._state, message=str(error))
            self._publish()

    def _revive_database(self) -> None:
        self._server.start(self._settings.database_port)
        self._state = replace(self._state, message="", postgres_restarts=self._state.postgres_restarts + 1)
        self._publish()

    def _revive_gateway(self) -> None:
        self._start_gateway()
        self._state = replace(self._state, message="", gateway_restarts=self._state.gateway_restarts + 1)
        self._publish()

    def _retire(self) -> bool:
        """Decide to stop unless somebody joined meanwhile; joining and retiring exclude each other."""
        with held(self._data_dir.start_lock, within=0) as lock:
            if lock is None or leases.any_alive(self._data_dir.leases):
                return False
            self._data_dir.state.unlink(missing_ok=True)
            return True

    def request_stop(self, *_: object) -> None:
        """Make `run` return; safe in a signal handler."""
        self._stopping = True

    def stop(self) -> None:
        """Stop everything and free the data folder."""
        if self._lock is None:
            return
        self._data_dir.state.unlink(missing_ok=True)
        self._take_down()
        self._lock.release()
        self._lock = None

    def _take_down(self) -> None:
        if self._gateway is not None:
            self._gateway.terminate()
            try:
                self._gateway.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._gateway.kill()
                self._gateway.wait()
            self._gateway = None
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        if hasattr(self, "_server"):
            self._server.stop()

    def _fail(self, error: BaseException) -> None:
        self._take_down()
        self._data_dir.write_state(with_phase(self._state, Phase.FAILED, str(error) or type(error).__name__))
        assert self._lock is not None
        self._lock.release()
        self._lock = None

    @property
    def _gateway_log(self) -> Path:
        return self._data_dir.logs / "gateway.log"

    def _say(self, message: str) -> None:
        _log.info(message)
        self._progress(message)
        if self._state.phase is Phase.STARTING:
            self._state = with_phase(self._state, Phase.STARTING, message)
            self._publish()

    def _publish(self) -> None:
        self._state = replace(
            self._state,
            gateway_pid=self._gateway.pid if self._gateway else 0,
            postgres_pid=self._server.pid if hasattr(self, "_server") else 0,
        )
        self._data_dir.write_state(self._state)


class _Backoff:
    """Spaces out restarts of a child that keeps dying: at once, then 0.5 s, 1 s, 2 s, … up to a limit."""

    def __init__(self) -> None:
        self._pause = 0.0
        self._next = 0.0

    def due(self) -> bool:
        now = time.monotonic()
        if now < self._next:
            return False
        if now > self._next + 2 * _LONGEST_BACKOFF_SECONDS:
            self._pause = 0.0
        self._pause = min(_LONGEST_BACKOFF_SECONDS, max(0.5, self._pause * 2))
        self._next = now + self._pause
        return True


def _set_passwords(connection: psycopg2.extensions.connection, keys: Keys) -> None:
    with connection.cursor() as cursor:
        for login in Login:
            cursor.execute(
                sql.SQL("alter role {} password {}").format(
                    sql.Identifier(login.value), sql.Literal(keys.passwords[login])
                )
            )


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-3000:] if log.exists() else ""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a stack in the background for the processes that hold leases."""
    parser = argparse.ArgumentParser(prog="python -m local_supabase.supervisor")
    parser.add_argument("--project", type=Path, required=True)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--port", type=int)
    parser.add_argument("--db-port", type=int)
    options = parser.parse_args(arguments)
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr
    )
    logging.getLogger("httpx").setLevel(logging.WARNING)
    supervisor = Supervisor(
        Options(options.project, DataDir(options.data_dir), options.port, options.db_port, leased=True)
    )
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, supervisor.request_stop)
    try:
        supervisor.start()
        supervisor.run()
    except LocalSupabaseError as error:
        _log.error("%s", error)
        return 1
    finally:
        supervisor.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
