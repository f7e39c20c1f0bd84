"""What child processes start with: a tie to their parent's life, an unprivileged account, an environment.

prctl(2) and capabilities(7) exist only on Linux. Elsewhere the gateway's lifeline pipe and the clean-up
of the next start take their place.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from local_supabase.errors import PostgresError

_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAP_DAC_READ_SEARCH = 2
_CAPABILITY_VERSION_3 = 0x20080522
_CANDIDATES = ("postgres", "nobody")

_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True, slots=True)
class Account:
    """An unprivileged account, which Postgres runs as if the supervisor is root."""

    name: str
    uid: int
    gid: int


def postgres_account() -> Account | None:
    """Return the account to run Postgres as; None is the current one, which suffices unless it is root.

    Raises:
        PostgresError: the current account is root, and there is no unprivileged account.
    """
    if os.geteuid() != 0:
        return None
    for name in _CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(name, entry.pw_uid, entry.pw_gid)
    raise PostgresError(
        "Postgres refuses to run as root, and there is no user 'postgres' or 'nobody' to run it as. "
        "Start as an ordinary user, or create one: useradd --system postgres"
    )


def child_setup(
    account: Account | None, *, death_signal: int, paths: tuple[Path, ...] = ()
) -> Callable[[], None]:
    """Return the function that a child runs between fork and exec.

    The child gets its own process group, so that Ctrl-C reaches only the supervisor, and takes the account.

    Arguments:
        account: the account to change to; None keeps the current one.
        death_signal: the signal that the kernel sends to the child when the thread that started it ends.
        paths: what the child must be able to read. If only root can enter their folders, the child keeps the
            capability to read everything.
    """
    parent = os.getpid()
    keep_reading = account is not None and not all(_reachable(path, account) for path in paths)

    def setup() -> None:
        os.setpgid(0, 0)
        if account is not None:
            _become(account, keep_reading=keep_reading)
        # A change of the user clears this setting, so it comes after it.
        if _libc is not None:
            _libc.prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
            if os.getppid() != parent:
                os.kill(os.getpid(), signal.SIGKILL)

    return setup


def python_environment() -> dict[str, str]:
    """Return the current environment, with this package importable from any working directory."""
    package = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH"))))
    return {**os.environ, "PYTHONPATH": path}


def chown_tree(root: Path, account: Account) -> None:
    """Change the owner of a folder and everything in it to the account."""
    os.chown(root, account.uid, account.gid)
    for folder, folders, files in os.walk(root):
        for name in (*folders, *files):
            os.lchown(os.path.join(folder, name), account.uid, account.gid)


def _become(account: Account, *, keep_reading: bool) -> None:
    if keep_reading and _libc is not None:
        _libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setgid(account.gid)
    os.setuid(account.uid)
    if keep_reading and _libc is not None:
        _keep_capability(_libc)


def _keep_capability(libc: ctypes.CDLL) -> None:
    bit = 1 << _CAP_DAC_READ_SEARCH
    header = struct.pack("Ii", _CAPABILITY_VERSION_3, 0)
    # Two sets of (effective, permitted, inheritable), low and high 32 bits.
    data = struct.pack("6I", bit, bit, bit, 0, 0, 0)
    libc.capset(header, data)
    libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_READ_SEARCH, 0, 0)


def _reachable(path: Path, account: Account) -> bool:
    return all(_may_enter(folder, account) for folder in path.resolve().parents)


def _may_enter(folder: Path, account: Account) -> bool:
    try:
        status = folder.stat()
    except OSError:
        return False
    if status.st_uid == account.uid:
        return bool(status.st_mode & 0o100)
    if status.st_gid == account.gid:
        return bool(status.st_mode & 0o010)
    return bool(status.st_mode & 0o001)
