"""Lets an application start the embedded Supabase, or join a running one, and keep it running."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from local_supabase.background import start_thread
from local_supabase.backoff import Backoff
from local_supabase.errors import AlreadyRunningError, StartFailedError
from local_supabase.stack import leases
from local_supabase.stack.datadir import (
    DataDir,
    Phase,
    RunState,
    default_data_dir,
)
from local_supabase.stack.locks import FileLock, held
from local_supabase.stack.privileges import python_environment

_log = logging.getLogger(__name__)

_START_SECONDS = 300.0
_STOP_SECONDS = 40.0
_POLL_SECONDS = 0.05
_WATCH_SECONDS = 1.0
_LONGEST_WATCH_SECONDS = 30.0

Progress = Callable[[str], None]


def _silent(message: str) -> None:
    del message


@dataclass(frozen=True, slots=True)
class StackInfo:
    """The addresses and keys of a running stack. Its `repr` leaves the secret ones out.

    Arguments:
        url: the gateway's base URL.
        anon_key: the public API key.
        service_key: the secret API key that bypasses row-level security.
        database_url: the secret connection URL of `postgres`, the owner of the project's objects.
        mailbox_url: the secret address of the mailbox, for whoever operates the stack.
        data_dir: the data folder.
    """

    url: str
    anon_key: str
    service_key: str = field(repr=False)
    database_url: str = field(repr=False)
    mailbox_url: str = field(repr=False)
    data_dir: Path


@dataclass(frozen=True, slots=True)
class _StackRequest:
    project: Path
    data_dir: DataDir
    port: int | None
    database_port: int | None
    testing: bool = False
    leased: bool = True


class _Membership:
    """This process's use of one stack."""

    def __init__(self, wanted: _StackRequest, lease: FileLock) -> None:
        self.wanted = wanted
        self.lease = lease
        self.ended = threading.Event()


_members: dict[Path, _Membership] = {}
_guard = threading.Lock()


def ensure_running(
    project: Path,
    *,
    data_dir: Path | None = None,
    progress: Progress | None = None,
    port: int | None = None,
    database_port: int | None = None,
) -> StackInfo:
    """Start the stack of a project, or join a running one, and keep it running while this process lives.

    Any thread may call it, any number of times. The stack stops a few seconds after the last process that
    called it has ended in any way.

    Arguments:
        project: the Supabase project, a folder with migrations/ and seed.sql.
        data_dir: the data folder; by default `LOCAL_SUPABASE_DATA_DIR`, else .local_supabase beside the
            project.
        progress: receives short messages for a person who waits.
        port: the gateway's port. None takes the configured port or any free one, 0 any free one.
        database_port: Postgres' port, likewise.

    Raises:
        LocalSupabaseError: the stack cannot be started. The text says why and what to do.
    """
    folder = DataDir(data_dir.resolve() if data_dir else default_data_dir(project))
    return _ensure(_StackRequest(project.resolve(), folder, port, database_port), progress)


def ensure_test_stack(project: Path, data_dir: Path, *, progress: Progress | None = None) -> StackInfo:
    """Start a stack for tests on the ports of its last start, else on free ones, or join it.

    It can go back to its first state (`local_supabase.rewind`). It may lose its data when the machine stops.

    Raises:
        LocalSupabaseError: as `ensure_running`.
    """
    folder = DataDir(data_dir.resolve())
    port = None if folder.ports.exists() else 0
    return _ensure(_StackRequest(project.resolve(), folder, port, port, testing=True), progress)


def _ensure(wanted: _StackRequest, progress: Progress | None) -> StackInfo:
    folder = wanted.data_dir
    with _guard:
        folder.prepare()
        member = _members.get(folder.root)
        if member is None:
            member = _Membership(wanted, leases.take(folder.leases))
            try:
                info = _start_or_join(wanted, progress or _silent)
            except BaseException:
                member.lease.release()
                raise
            _members[folder.root] = member
            start_thread("local-supabase-watch", lambda: _watch(member))
            return info
        return _start_or_join(wanted, progress or _silent)


def start_in_background(
    project: Path,
    data_dir: Path,
    *,
    progress: Progress = _silent,
    port: int | None = None,
    database_port: int | None = None,
    testing: bool = False,
) -> StackInfo:
    """Start a stack that runs until it is stopped, also after this process has ended.

    Arguments:
        project: the Supabase project.
        data_dir: the data folder.
        progress: receives short messages for a person who waits.
        port: the gateway's port, as for `ensure_running`.
        database_port: Postgres' port, likewise.
        testing: whether the stack is for tests, as that of `ensure_test_stack`.

    Raises:
        AlreadyRunningError: a stack runs on the data folder.
        LocalSupabaseError: the stack cannot be started.
    """
    folder = DataDir(data_dir.resolve())
    folder.prepare()
    if folder.is_running():
        raise AlreadyRunningError(f"The stack of {folder.root} is already running.")
    wanted = _StackRequest(project.resolve(), folder, port, database_port, testing, leased=False)
    return _start_or_join(wanted, progress)


def release(data_dir: Path) -> None:
    """Release this process's lease. The stack stops by itself if no other process uses it."""
    with _guard:
        member = _members.pop(data_dir.resolve(), None)
    if member is not None:
        member.ended.set()
        member.lease.release()


def stop_stack(data_dir: Path) -> bool:
    """Stop the stack of a data folder and wait until it has ended. Return whether one was running.

    Raises:
        StartFailedError: it did not stop within 40 seconds.
    """
    release(data_dir)
    folder = DataDir(data_dir.resolve())
    deadline = time.monotonic() + _STOP_SECONDS
    if not folder.is_running():
        return False
    _signal_supervisor(folder)
    while folder.is_running():
        if time.monotonic() > deadline:
            raise StartFailedError(f"The stack of {folder.root} did not stop in {_STOP_SECONDS:.0f} s.")
        time.sleep(_POLL_SECONDS)
    return True


def _signal_supervisor(folder: DataDir) -> None:
    # The lock is held, so the process id in its file is its holder's and not another program's.
    try:
        os.kill(int(folder.lock.read_text()), signal.SIGTERM)
    except (ValueError, ProcessLookupError):
        return


def _start_or_join(wanted: _StackRequest, progress: Progress) -> StackInfo:
    folder = wanted.data_dir
    deadline = time.monotonic() + _START_SECONDS
    with held(folder.start_lock, within=_START_SECONDS) as lock:
        if lock is None:
            raise StartFailedError(
                f"Another process has been starting the stack of {folder.root} for too long."
            )
        state = folder.running_state()
        if state is not None and state.phase is Phase.READY:
            return _info(state, folder)
        # Wait for a stack that is stopping or has no state yet; join one that is starting.
        while folder.is_running() and (state is None or state.phase is not Phase.STARTING):
            _check_deadline(deadline, folder)
            time.sleep(_POLL_SECONDS)
            state = folder.running_state()
        process = None if folder.is_running() else _spawn(wanted)
        return _await_ready(folder, process, deadline, progress)


def _spawn(wanted: _StackRequest) -> subprocess.Popen[bytes]:
    folder = wanted.data_dir
    folder.state.unlink(missing_ok=True)
    command = [sys.executable, "-m", "local_supabase.stack.supervisor"]
    command += [f"--project={wanted.project}", f"--data-dir={folder.root}"]
    if wanted.port is not None:
        command.append(f"--port={wanted.port}")
    if wanted.database_port is not None:
        command.append(f"--db-port={wanted.database_port}")
    if not wanted.leased:
        command.append("--unleased")
    if wanted.testing:
        command.append("--testing")
    with folder.supervisor_log.open("ab") as log:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=python_environment(),
            start_new_session=True,
        )


def _await_ready(
    folder: DataDir, process: subprocess.Popen[bytes] | None, deadline: float, progress: Progress
) -> StackInfo:
    last_message = ""
    while True:
        state = folder.read_state()
        if state is not None and state.phase is Phase.READY and folder.is_running():
            _reap_in_background(process)
            return _info(state, folder)
        if state is not None and state.message != last_message and state.phase is Phase.STARTING:
            last_message = state.message
            progress(last_message)
        if _has_ended(process, folder):
            raise StartFailedError(_failure_reason(folder))
        _check_deadline(deadline, folder)
        time.sleep(_POLL_SECONDS)


def _has_ended(process: subprocess.Popen[bytes] | None, folder: DataDir) -> bool:
    return process.poll() is not None if process is not None else not folder.is_running()


def _failure_reason(folder: DataDir) -> str:
    state = folder.read_state()
    if state is not None and state.phase is Phase.FAILED:
        return state.message
    log = folder.supervisor_log
    end = log.read_text(errors="replace")[-1500:] if log.exists() else ""
    return f"The stack ended before it was ready. The end of {log}:\n{end}"


def _check_deadline(deadline: float, folder: DataDir) -> None:
    if time.monotonic() > deadline:
        raise StartFailedError(f"The stack was not ready in {_START_SECONDS:.0f} s; see {folder.logs}.")


def _reap_in_background(process: subprocess.Popen[bytes] | None) -> None:
    # The supervisor outlives this call. The thread waits for its end, so that it does not become a zombie.
    if process is not None:
        start_thread("local-supabase-reap", process.wait)


def _watch(member: _Membership) -> None:
    """Start the stack again if it was killed, but not if it was stopped on purpose."""
    folder = member.wanted.data_dir
    # Clients keep their address. Without explicit ports, the stack takes those of its last start.
    restart_request = replace(member.wanted, port=None, database_port=None)
    backoff = Backoff(2 * _WATCH_SECONDS, _LONGEST_WATCH_SECONDS)
    pause = _WATCH_SECONDS
    while not member.ended.wait(pause):
        # A supervisor that stops removes its state. One that is killed, or fails to start, leaves it.
        if folder.is_running() or not folder.state.exists():
            continue
        try:
            _start_or_join(restart_request, _silent)
            pause = _WATCH_SECONDS
            backoff.reset()
        except (StartFailedError, OSError):
            # The supervisor has logged the reason. It may pass, for example a full disk.
            pause = backoff.next_delay()
        except Exception:
            # Whatever it was, nobody else would start the stack again.
            _log.exception("The stack could not be started again")
            pause = backoff.next_delay()


def _info(state: RunState, folder: DataDir) -> StackInfo:
    return StackInfo(
        url=state.url,
        anon_key=state.anon_key,
        service_key=state.service_key,
        database_url=state.database_url,
        mailbox_url=state.mailbox_url,
        data_dir=folder.root,
    )
