"""The supervisor process: it owns the data folder, runs Postgres and the gateway, and puts back what dies.

Everything happens on the main thread: the kernel ties the children's lives to the thread that started them.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import psycopg2
from psycopg2 import sql

from local_supabase import extensions, leases, logs, migrate, ports
from local_supabase.alarm import Alarm
from local_supabase.config import load_config
from local_supabase.datadir import DataDir, Phase, Ports, RunState, explain_os_error, with_phase
from local_supabase.errors import AlreadyRunning, LocalSupabaseError, PortBusy
from local_supabase.gateway_process import GatewayProcess
from local_supabase.keys import Keys, Login, load_keys
from local_supabase.locks import FileLock, held
from local_supabase.postgres import Server
from local_supabase.settings import Settings

_LOCK_SECONDS = 2.0
_PORT_ATTEMPTS = 5
_TICK_SECONDS = 0.5
_LINGER = "LOCAL_SUPABASE_LINGER"
_LINGER_SECONDS = 5.0
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
        self._server: Server | None = None
        self._gateway: GatewayProcess | None = None
        self._stopping = False
        self._backoff = _Backoff()

    def start(self) -> RunState:
        """Bring everything up and return the state of the ready stack.

        Raises:
            LocalSupabaseError: what went wrong, for the user to read. Nothing is left running.
        """
        self._acquire()
        try:
            self._bring_up()
        except OSError as error:
            explained = explain_os_error(error, self._data_dir.root)
            self._fail(explained)
            raise explained from error
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
        config = load_config(self._options.project)
        migrate.migrations(self._options.project)
        if config.ignored:
            _log.warning("config.toml: not supported and ignored: %s", ", ".join(config.ignored))
        keys = load_keys(self._data_dir)
        server = self._server = Server(self._data_dir, keys)
        configured = Ports(config.port, config.database_port)
        preferred = self._data_dir.preferred_ports(configured)
        listener = ports.listen_on(self._options.port, preferred.gateway)
        gateway = self._gateway = GatewayProcess(self._data_dir.logs / "gateway.log", listener)
        chosen = Ports(gateway.port, self._start_server(server, preferred.database))
        project = self._options.project.resolve()
        settings = Settings(chosen.gateway, chosen.database, project, self._data_dir, config)
        self._prepare_database(server, settings, keys)
        self._data_dir.remember_ports(chosen, configured)
        self._say("Starting the gateway…")
        gateway.start(settings)
        gateway.wait_ready()
        self._publish(
            replace(
                self._state,
                phase=Phase.READY,
                message="",
                project=str(settings.project),
                url=settings.url,
                anon_key=keys.anon_key,
                service_key=keys.service_key,
                database_url=settings.dsn(keys, Login.POSTGRES),
            )
        )

    def _start_server(self, server: Server, preferred: int) -> int:
        if not self._data_dir.cluster.exists():
            self._say("Creating the database…")
        server.create()
        self._say("Starting the database…")
        explicit = self._options.database_port
        for attempts_left in reversed(range(_PORT_ATTEMPTS)):
            port = ports.free_port(explicit, preferred)
            try:
                server.start(port)
            except PortBusy:
                # Somebody took it between our look and Postgres' own.
                if explicit or not attempts_left:
                    raise
            else:
                break
        return port

    def _prepare_database(self, server: Server, settings: Settings, keys: Keys) -> None:
        with server.session() as connection:
            migrate.bootstrap(connection)
            extensions.name_programs(connection)
            if not _logins_work(server):
                _set_passwords(connection, keys)
        with server.session(Login.POSTGRES) as connection:
            migrate.migrate(connection, settings.project, settings.config, progress=self._say)

    def run(self, alarm: Alarm) -> None:
        """Watch the children until `request_stop`, or until the last lease is gone when leased."""
        last_used, linger = time.monotonic(), _linger()
        while not self._stopping:
            self._tend()
            now = time.monotonic()
            if not self._options.leased or leases.any_alive(self._data_dir.leases):
                last_used = now
            elif now - last_used > linger and self._retire():
                _log.info("the last process that used the stack is gone")
                break
            alarm.wait(_TICK_SECONDS)

    def _tend(self) -> None:
        server, gateway = self._server, self._gateway
        assert server is not None, "started"
        assert gateway is not None, "started"
        if not self._data_dir.lock.exists():
            _log.error("the data folder %s is gone; ending", self._data_dir.root)
            self._stopping = True
            return
        for log in (gateway.log, server.log, self._data_dir.supervisor_log):
            logs.bound(log)
        if server.exit_code() is not None:
            self._revive("Postgres", server.restart)
        elif gateway.has_ended():
            self._revive("the gateway", gateway.restart)

    def _revive(self, what: str, action: Callable[[], None]) -> None:
        if not self._backoff.due():
            return
        _log.warning("%s ended; starting it again", what)
        state = replace(self._state, message="", restarts=self._state.restarts + 1)
        try:
            action()
        except (LocalSupabaseError, OSError) as error:
            _log.exception("%s could not be started again", what)
            state = replace(self._state, message=f"{what} cannot be started: {error}")
        # A full disk may be why: the state is told when it can be.
        with suppress(OSError):
            self._publish(state)

    def _retire(self) -> bool:
        """Decide to stop unless somebody joined meanwhile; joining and retiring exclude each other."""
        with held(self._data_dir.start_lock, within=0) as lock:
            if lock is None or leases.any_alive(self._data_dir.leases):
                return False
            self._data_dir.state.unlink(missing_ok=True)
            return True

    def request_stop(self) -> None:
        """Make `run` return; safe in a signal handler."""
        self._stopping = True

    def stop(self) -> None:
        """Stop everything and free the data folder; does nothing when it was not started."""
        if self._lock is None:
            return
        # Gone, the state tells the applications that this end is meant.
        self._data_dir.state.unlink(missing_ok=True)
        self._take_down()

    def _fail(self, error: BaseException) -> None:
        with suppress(OSError):
            message = str(error) or type(error).__name__
            self._data_dir.write_state(with_phase(self._state, Phase.FAILED, message))
        self._take_down()

    def _take_down(self) -> None:
        if self._gateway is not None:
            self._gateway.close()
        if self._server is not None:
            self._server.stop()
        if self._lock is not None:
            self._lock.release()
        self._gateway = self._server = self._lock = None

    def _say(self, message: str) -> None:
        _log.info(message)
        self._progress(message)
        self._publish(with_phase(self._state, Phase.STARTING, message))

    def _publish(self, state: RunState) -> None:
        self._state = replace(
            state,
            gateway_pid=self._gateway.pid if self._gateway else 0,
            postgres_pid=self._server.pid if self._server else 0,
        )
        self._data_dir.write_state(self._state)


class _Backoff:
    """Spaces out the restarts of a child that keeps dying: at once, after 0.5 s, 1 s, 2 s … up to a limit."""

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


def _linger() -> float:
    """Return for how many seconds a stack outlives its last user."""
    try:
        return float(os.environ.get(_LINGER, _LINGER_SECONDS))
    except ValueError:
        _log.warning("%s is not a number of seconds: %s", _LINGER, os.environ[_LINGER])
        return _LINGER_SECONDS


def _logins_work(server: Server) -> bool:
    try:
        for login in Login:
            server.connect(login).close()
    except psycopg2.OperationalError:
        return False
    return True


def _set_passwords(connection: psycopg2.extensions.connection, keys: Keys) -> None:
    statement = sql.SQL("alter role {} password {}")
    with connection.cursor() as cursor:
        for login, password in keys.passwords.items():
            cursor.execute(statement.format(sql.Identifier(login.value), sql.Literal(password)))


def run_stack(supervisor: Supervisor, on_ready: Callable[[RunState], None] = lambda _: None) -> None:
    """Run a stack from start to stop on the main thread; SIGINT, SIGTERM and SIGHUP end it.

    Raises:
        LocalSupabaseError: it could not be started.
    """
    with Alarm(supervisor.request_stop) as alarm:
        try:
            on_ready(supervisor.start())
            supervisor.run(alarm)
        finally:
            supervisor.stop()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a stack in the background for the processes that hold leases."""
    parser = argparse.ArgumentParser(prog="python -m local_supabase.supervisor")
    parser.add_argument("--project", type=Path, required=True)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--port", type=int)
    parser.add_argument("--db-port", type=int)
    given = parser.parse_args(arguments)
    form = "%(asctime)s %(levelname)s %(name)s %(message)s"
    logging.basicConfig(level=logging.INFO, format=form, stream=sys.stderr)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    options = Options(given.project, DataDir(given.data_dir), given.port, given.db_port, leased=True)
    try:
        run_stack(Supervisor(options))
    except LocalSupabaseError as error:
        _log.error("%s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
