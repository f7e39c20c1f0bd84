"""Using the embedded Supabase from inside an application: start it or join it, and keep it alive."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from local_supabase import leases
from local_supabase.datadir import DataDir, Phase, RunState, default_data_dir
from local_supabase.errors import StartFailed
from local_supabase.gateway_process import python_environment
from local_supabase.locks import FileLock, held

_START_SECONDS = 300.0
_STOP_SECONDS = 40.0
_POLL_SECONDS = 0.05
_WATCH_SECONDS = 1.0
_LONGEST_WATCH_SECONDS = 30.0

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class StackInfo:
    """Where the stack is. `service_key` and `database_url` pass over row security: guard them."""

    url: str
    anon_key: str
    service_key: str
    database_url: str
    data_dir: Path


@dataclass(frozen=True, slots=True)
class _Wanted:
    project: Path
    data_dir: DataDir
    port: int | None
    database_port: int | None


class _Membership:
    """This process' use of one stack."""

    def __init__(self, wanted: _Wanted, lease: FileLock) -> None:
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
    """Start the stack of a project, or join it when it runs, and keep it for as long as this process lives.

    Safe to call from any thread and as often as wanted. The stack stops a few seconds after the last process
    that called this has ended, however it ended. `progress` gets short messages for a person who waits.

    Raises:
        LocalSupabaseError: the stack cannot be started; the text says why and what to do.
    """
    folder = DataDir(data_dir.resolve() if data_dir else default_data_dir(project))
    wanted = _Wanted(project.resolve(), folder, port, database_port)
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
            threading.Thread(target=_watch, args=(member,), name="local-supabase-watch", daemon=True).start()
            return info
        return _start_or_join(wanted, progress or _silent)


def release(data_dir: Path) -> None:
    """Give this process' lease back; the stack ends by itself when nobody else uses it."""
    with _guard:
        member = _members.pop(data_dir.resolve(), None)
    if member is not None:
        member.ended.set()
        member.lease.release()


def stop_stack(data_dir: Path) -> bool:
    """Stop the stack of a data folder and wait until it has ended; False when none was running."""
    release(data_dir)
    folder = DataDir(data_dir.resolve())
    deadline = time.monotonic() + _STOP_SECONDS
    if not folder.is_running():
        return False
    _signal_supervisor(folder)
    while folder.is_running():
        if time.monotonic() > deadline:
            raise StartFailed(f"The stack of {folder.root} did not stop in {_STOP_SECONDS:.0f} s.")
        time.sleep(_POLL_SECONDS)
    return True


def _signal_supervisor(folder: DataDir) -> None:
    # The lock is held, so the process id in its file is that of its holder, not of a stranger.
    try:
        os.kill(int(folder.lock.read_text()), signal.SIGTERM)
    except (ValueError, ProcessLookupError):
        return


def _start_or_join(wanted: _Wanted, progress: Progress) -> StackInfo:
    folder = wanted.data_dir
    deadline = time.monotonic() + _START_SECONDS
    with held(folder.start_lock, within=_START_SECONDS) as lock:
        if lock is None:
            raise StartFailed(f"Another process has been starting the stack of {folder.root} for too long.")
        state = folder.running_state()
        if state is not None and state.phase is Phase.READY:
            return _info(state, folder)
        # One that ends or has no state is waited for; one that starts is joined.
        while folder.is_running() and (state is None or state.phase is not Phase.STARTING):
            _check(deadline, folder)
            time.sleep(_POLL_SECONDS)
            state = folder.running_state()
        process = None if folder.is_running() else _spawn(wanted)
        return _await_ready(folder, process, deadline, progress)


def _spawn(wanted: _Wanted) -> subprocess.Popen[bytes]:
    folder = wanted.data_dir
    folder.state.unlink(missing_ok=True)
    command = [sys.executable, "-m", "local_supabase.supervisor"]
    command += [f"--project={wanted.project}", f"--data-dir={folder.root}"]
    if wanted.port is not None:
        command.append(f"--port={wanted.port}")
    if wanted.database_port is not None:
        command.append(f"--db-port={wanted.database_port}")
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
    said = ""
    while True:
        state = folder.read_state()
        if state is not None and state.phase is Phase.READY and folder.is_running():
            _reap_later(process)
            return _info(state, folder)
        if state is not None and state.message != said and state.phase is Phase.STARTING:
            said = state.message
            progress(said)
        if _has_ended(process, folder):
            raise StartFailed(_reason(folder))
        _check(deadline, folder)
        time.sleep(_POLL_SECONDS)


def _has_ended(process: subprocess.Popen[bytes] | None, folder: DataDir) -> bool:
    return process.poll() is not None if process is not None else not folder.is_running()


def _reason(folder: DataDir) -> str:
    state = folder.read_state()
    if state is not None and state.phase is Phase.FAILED:
        return state.message
    log = folder.supervisor_log
    end = log.read_text(errors="replace")[-1500:] if log.exists() else ""
    return f"The stack ended before it was ready. The end of {log}:\n{end}"


def _check(deadline: float, folder: DataDir) -> None:
    if time.monotonic() > deadline:
        raise StartFailed(f"The stack was not ready in {_START_SECONDS:.0f} s; see {folder.logs}.")


def _reap_later(process: subprocess.Popen[bytes] | None) -> None:
    # It outlives this call; the thread keeps it from staying a zombie of this process after it ends.
    if process is not None:
        threading.Thread(target=process.wait, name="local-supabase-reap", daemon=True).start()


def _watch(member: _Membership) -> None:
    """Start the stack again when it was killed; one that was stopped on purpose stays stopped."""
    folder = member.wanted.data_dir
    # At the address that clients already have, which is the remembered one, even if it was asked to be any.
    again = replace(member.wanted, port=None, database_port=None)
    pause = _WATCH_SECONDS
    while not member.ended.wait(pause):
        # Who stops a stack takes its state away; who is killed leaves it, and so does a start that failed.
        if folder.is_running() or not folder.state.exists():
            continue
        try:
            _start_or_join(again, _silent)
            pause = _WATCH_SECONDS
        except (StartFailed, OSError):
            # Why is in the supervisor's log. It may pass, as a full disk does.
            pause = min(pause * 2, _LONGEST_WATCH_SECONDS)


def _silent(message: str) -> None:
    del message


def _info(state: RunState, folder: DataDir) -> StackInfo:
    return StackInfo(state.url, state.anon_key, state.service_key, state.database_url, folder.root)
