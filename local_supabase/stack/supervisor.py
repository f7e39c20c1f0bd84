"""The supervisor process: it owns the data folder, and runs and restarts Postgres and the servers.

Everything runs on the main thread, because the kernel ties the life of a child to the thread that started it.
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

from local_supabase.errors import AlreadyRunningError, LocalSupabaseError, PortBusyError
from local_supabase.keys import Keys, Login, load_keys
from local_supabase.settings import Settings
from local_supabase.stack import leases, logs, migrate, ports, probe
from local_supabase.stack.access import restore_access
from local_supabase.stack.alarm import Alarm
from local_supabase.stack.config import load_config
from local_supabase.stack.datadir import (
    DataDir,
    Phase,
    Ports,
    RunState,
    explain_os_error,
    with_phase,
)
from local_supabase.stack.locks import FileLock, held
from local_supabase.stack.part import Part, Restartable
from local_supabase.stack.postgres import Server
from local_supabase.stack.services import Services

_LOCK_SECONDS = 2.0
_PORT_ATTEMPTS = 5
_TICK_SECONDS = 0.5
LINGER_VARIABLE = "LOCAL_SUPABASE_LINGER"
_LINGER_SECONDS = 5.0

_log = logging.getLogger("local_supabase.stack.supervisor")


@dataclass(frozen=True, slots=True)
class Options:
    """The options of a stack.

    Arguments:
        project: the project folder.
        data_dir: the data folder.
        port: the gateway's port. None takes the configured port or any free one, 0 any free one, also for the
            mailbox.
        database_port: Postgres' port, likewise.
        leased: whether the stack ends when no process holds a lease any more.
        testing: whether the stack is for tests (`Settings.testing`).
    """

    project: Path
    data_dir: DataDir
    port: int | None = None
    database_port: int | None = None
    leased: bool = False
    testing: bool = False


class Supervisor:
    """Runs one stack from `start` to `stop`.

    Arguments:
        options: the stack's options.
        progress: receives messages for a person who waits.
    """

    def __init__(self, options: Options, progress: Callable[[str], None] = lambda _: None) -> None:
        self._options = options
        self._data_dir = options.data_dir
        self._progress = progress
        self._state = RunState(
            Phase.STARTING, pid=os.getpid(), started_at=datetime.now(UTC).isoformat(), testing=options.testing
        )
        self._lock: FileLock | None = None
        self._server: Server | None = None
        self._services: Services | None = None
        self._parts: list[Part] = []
        self._stopping = False
        self._last_used = 0.0
        self._last_fault = ""

    def start(self) -> RunState:
        """Start everything and return the state of the ready stack.

        Raises:
            LocalSupabaseError: the stack could not be started. The text says why; nothing is left
                running.
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
            raise AlreadyRunningError(
                f"The stack of {self._data_dir.root} is already running{where}. "
                "See it with: python -m local_supabase status"
            )
        self._lock.write(f"{os.getpid()}\n")

    def _bring_up(self) -> None:
        self._report_progress("Starting…")
        config = load_config(self._options.project)
        migrate.migrations(self._options.project)
        if config.ignored:
            _log.warning("config.toml: not supported and ignored: %s", ", ".join(config.ignored))
        keys = load_keys(self._data_dir)
        server = self._server = Server(self._data_dir, keys, testing=self._options.testing)
        configured = Ports(config.port, config.database_port, config.mailbox_port)
        preferred = self._data_dir.preferred_ports(configured)
        listener = ports.listen_on(self._options.port, preferred.gateway)
        mailbox_listener = ports.listen_on(0 if self._options.port == 0 else None, preferred.mailbox)
        services = self._services = Services(self._data_dir.logs, listener, mailbox_listener)
        database_port = self._start_server(server, preferred.database)
        chosen = Ports(services.port, database_port, services.mailbox_port)
        project = self._options.project.resolve()
        settings = Settings(
            chosen.gateway,
            chosen.database,
            chosen.mailbox,
            project,
            self._data_dir,
            config,
            self._options.testing,
        )
        self._prepare_database(server, settings, keys)
        self._data_dir.remember_ports(chosen, configured)
        self._report_progress("Starting the services…")
        services.start(settings)
        services.wait_ready()
        self._parts = _parts(server, services, database_port)
        self._publish(
            replace(
                self._state,
                phase=Phase.READY,
                message="",
                project=str(settings.project),
                url=settings.url,
                mailbox_url=settings.mailbox_url(keys),
                anon_key=keys.anon_key,
                service_key=keys.service_key,
                database_url=settings.dsn(keys, Login.POSTGRES),
            )
        )

    def _start_server(self, server: Server, preferred: int) -> int:
        if not self._data_dir.cluster.exists():
            self._report_progress("Creating the database…")
        server.create()
        self._report_progress("Starting the database…")
        explicit = self._options.database_port
        for attempts_left in reversed(range(_PORT_ATTEMPTS)):
            port = ports.free_port(explicit, preferred)
            try:
                server.start(port)
            except PortBusyError:
                # Another program took the port after we had found it free.
                if explicit or not attempts_left:
                    raise
            else:
                break
        return port

    def _prepare_database(self, server: Server, settings: Settings, keys: Keys) -> None:
        with server.session() as connection:
            migrate.bootstrap(connection)
            restore_access(connection)
            if not _logins_work(server):
                set_passwords(connection, keys)
        with server.session(Login.POSTGRES) as connection:
            migrate.migrate(connection, settings.project, settings.config, progress=self._report_progress)

    def run(self, alarm: Alarm) -> None:
        """Restart children that end, until `request_stop` or, if leased, until no process holds a lease."""
        self._last_used = time.monotonic()
        while not self._stopping:
            try:
                self._tick()
            except Exception as error:
                # Whatever it was, the stack must not end with it. It may pass, such as a full disk.
                if repr(error) != self._last_fault:
                    _log.exception("a look after the children failed")
                self._last_fault = repr(error)
            if not self._stopping:
                alarm.wait(_TICK_SECONDS)

    def _tick(self) -> None:
        """Look after the children and the leases once."""
        self._check_children()
        now = time.monotonic()
        if not self._options.leased or leases.any_alive(self._data_dir.leases):
            self._last_used = now
        elif now - self._last_used > _linger_seconds() and self._stop_if_unused():
            _log.info("the last process that used the stack is gone")
            self._stopping = True

    def _check_children(self) -> None:
        server, services = self._server, self._services
        assert server is not None, "started"
        assert services is not None, "started"
        if not self._data_dir.lock.exists():
            _log.error("the data folder %s is gone; ending", self._data_dir.root)
            self._stopping = True
            return
        for log in (*(process.log for process in services), server.log, self._data_dir.supervisor_log):
            logs.bound(log)
        for part in self._parts:
            fault = part.fault(time.monotonic())
            if fault:
                self._restart(part, fault)

    def _restart(self, part: Part, fault: str) -> None:
        _log.warning("%s %s; starting it again", part.name, fault)
        state = replace(self._state, message="", restarts=self._state.restarts + 1)
        try:
            part.restart()
        except (LocalSupabaseError, OSError) as error:
            _log.exception("%s could not be started again", part.name)
            state = replace(self._state, message=f"{part.name} cannot be started: {error}")
        # The disk may be full. Then the next restart publishes the state.
        with suppress(OSError):
            self._publish(state)

    def _stop_if_unused(self) -> bool:
        """Return whether to stop. The start lock excludes that a process joins the stack at the same time."""
        with held(self._data_dir.start_lock, within=0) as lock:
            if lock is None or leases.any_alive(self._data_dir.leases):
                return False
            self._data_dir.state.unlink(missing_ok=True)
            return True

    def request_stop(self) -> None:
        """Make `run` return. A signal handler may call it."""
        self._stopping = True

    def stop(self) -> None:
        """Stop everything and release the data folder. It does nothing without a successful `start`."""
        if self._lock is None:
            return
        # A missing state tells the applications that the stack was stopped on purpose.
        self._data_dir.state.unlink(missing_ok=True)
        self._take_down()

    def _fail(self, error: BaseException) -> None:
        with suppress(OSError):
            message = str(error) or type(error).__name__
            self._data_dir.write_state(with_phase(self._state, Phase.FAILED, message))
        self._take_down()

    def _take_down(self) -> None:
        for part in self._parts:
            part.close()
        if self._services is not None:
            self._services.close()
        if self._server is not None:
            self._server.stop()
        if self._lock is not None:
            self._data_dir.remove_socket_folders()
            self._lock.release()
        self._services = self._server = self._lock = None
        self._parts = []

    def _report_progress(self, message: str) -> None:
        _log.info(message)
        self._progress(message)
        self._publish(with_phase(self._state, Phase.STARTING, message))

    def _publish(self, state: RunState) -> None:
        self._state = replace(
            state,
            gateway_pid=self._services.gateway.pid if self._services else 0,
            realtime_pid=self._services.realtime.pid if self._services else 0,
            postgres_pid=self._server.pid if self._server else 0,
        )
        self._data_dir.write_state(self._state)


def _parts(server: Server, services: Services, database_port: int) -> list[Part]:
    """Return what the supervisor restarts, in the order in which it looks after them."""
    questions: dict[str, tuple[Restartable, probe.Ask]] = {
        "Postgres": (server, lambda: probe.ask_postgres(database_port)),
        "The gateway": (services.gateway, lambda: probe.ask_gateway(services.port)),
        "Realtime": (services.realtime, lambda: probe.ask_realtime(services.giving)),
    }
    running = (server, *services)
    return [
        Part(name, process, probe.Probe(ask, probe.silent_seconds()))
        for name, (process, ask) in questions.items()
        if process in running
    ]


def _linger_seconds() -> float:
    """Return for how many seconds a leased stack keeps running without a lease."""
    try:
        return float(os.environ.get(LINGER_VARIABLE, _LINGER_SECONDS))
    except ValueError:
        _log.warning("%s is not a number of seconds: %s", LINGER_VARIABLE, os.environ[LINGER_VARIABLE])
        return _LINGER_SECONDS


def _logins_work(server: Server) -> bool:
    try:
        for login in Login:
            server.connect(login).close()
    except psycopg2.OperationalError:
        return False
    return True


def set_passwords(connection: psycopg2.extensions.connection, keys: Keys) -> None:
    """Give the login roles their passwords, over a connection of the superuser."""
    statement = sql.SQL("alter role {} password {}")
    with connection.cursor() as cursor:
        for login, password in keys.passwords.items():
            cursor.execute(statement.format(sql.Identifier(login.value), sql.Literal(password)))


def run_stack(supervisor: Supervisor, on_ready: Callable[[RunState], None] = lambda _: None) -> None:
    """Run a stack on the main thread until SIGINT, SIGTERM or SIGHUP.

    Arguments:
        supervisor: the supervisor.
        on_ready: called with the state of the ready stack.

    Raises:
        LocalSupabaseError: the stack could not be started.
    """
    with Alarm(supervisor.request_stop) as alarm:
        try:
            on_ready(supervisor.start())
            supervisor.run(alarm)
        finally:
            supervisor.stop()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a stack in the background for the processes that hold leases.

    Arguments:
        arguments: the command line without the program's name; None takes the process's own.
    """
    parser = argparse.ArgumentParser(prog="python -m local_supabase.stack.supervisor")
    parser.add_argument("--project", type=Path, required=True)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--port", type=int)
    parser.add_argument("--db-port", type=int)
    parser.add_argument("--testing", action="store_true")
    parser.add_argument("--unleased", action="store_true", help="run until it is stopped")
    parsed = parser.parse_args(arguments)
    form = "%(asctime)s %(levelname)s %(name)s %(message)s"
    logging.basicConfig(level=logging.INFO, format=form, stream=sys.stderr)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    options = Options(
        parsed.project,
        DataDir(parsed.data_dir),
        parsed.port,
        parsed.db_port,
        not parsed.unleased,
        parsed.testing,
    )
    try:
        run_stack(Supervisor(options))
    except LocalSupabaseError as error:
        _log.error("%s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
