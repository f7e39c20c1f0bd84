"""Hashes passwords for `crypt()` in the database, because Postgres has no bcrypt without pgcrypto's library.

Both sides meet in a folder of the cluster. `crypt()` writes a line into a named pipe. The supervisor hashes
and writes the hash into a file that `crypt()` waits for. So Postgres runs no program: it may run as another
user, who cannot execute this Python.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import threading
from functools import partial
from pathlib import Path

import bcrypt

from local_supabase.background import start_thread

FOLDER = "password_hashing"
"""The folder inside the cluster. extension/pgcrypto--1.3--1.4.sql names it too."""

# Bcrypt uses only the first 72 bytes. pgcrypto cuts longer passwords silently, so this does it too.
_PASSWORD_BYTES = 72
_SALT_BYTES = 29
# An identifier, then the password and the salt in hex; or an identifier alone when its answer was read.
# Shorter than PIPE_BUF, so that lines of several sessions never mix.
_REQUEST = re.compile(
    rb"(?P<id>[0-9a-f-]{36}) (?P<password>(?:[0-9a-f]{2}){0,72}) (?P<salt>(?:[0-9a-f]{2}){29})"
)
_READ = re.compile(rb"(?P<id>[0-9a-f-]{36})")
_STOP = b"stop"

_log = logging.getLogger("local_supabase.extensions.password_hashing")


class PasswordHashing:
    """Answers the requests of one cluster from `start` to `stop`.

    Arguments:
        cluster: Postgres' data directory.
    """

    def __init__(self, cluster: Path) -> None:
        self._folder = cluster / FOLDER
        self._pipe = -1
        self._thread: threading.Thread | None = None

    def start(self, owner: tuple[int, int] | None) -> None:
        """Create the pipe anew and answer what is written into it, on a thread of its own.

        Arguments:
            owner: the user and the group that Postgres runs as; None if that is the current user.

        Raises:
            OSError: the folder cannot be written.
        """
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(mode=0o700)
        requests = self._folder / "requests"
        os.mkfifo(requests, 0o600)
        if owner is not None:
            for path in (self._folder, requests):
                os.chown(path, *owner)
        # Open for writing as well, so that Postgres never waits for a reader and the pipe never ends.
        self._pipe = os.open(requests, os.O_RDWR)
        self._thread = start_thread("password-hashing", self._run)

    def stop(self) -> None:
        """Stop answering and remove the pipe. It does nothing without a `start`."""
        if self._thread is None:
            return
        os.write(self._pipe, _STOP + b"\n")
        self._thread.join()
        os.close(self._pipe)
        self._thread = None
        # Whoever copies the data folder of a stopped stack would wait for a pipe for ever.
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self) -> None:
        with os.fdopen(os.dup(self._pipe), "rb") as lines:
            for line in lines:
                if line.rstrip(b"\n") == _STOP:
                    return
                self._take(line.rstrip(b"\n"))

    def _take(self, line: bytes) -> None:
        if read := _READ.fullmatch(line):
            self._answer_to(read).unlink(missing_ok=True)
        elif request := _REQUEST.fullmatch(line):
            try:
                # A hash with a high cost takes long, and cannot be stopped.
                start_thread("password-hash", partial(self._hash, request))
            except RuntimeError:  # no thread can be started: the others wait
                self._hash(request)

    def _hash(self, request: re.Match[bytes]) -> None:
        answer = self._answer_to(request)
        password, salt = (bytes.fromhex(request[part].decode()) for part in ("password", "salt"))
        unfinished = answer.with_suffix(".new")
        try:
            hashed = bcrypt.hashpw(password[:_PASSWORD_BYTES], salt[:_SALT_BYTES])
            unfinished.write_bytes(hashed)
            # Nobody but Postgres' account and this one can enter the folder.
            unfinished.chmod(0o644)
            unfinished.rename(answer)
        except (OSError, ValueError) as error:
            _log.warning("a password could not be hashed: %s", error)

    def _answer_to(self, line: re.Match[bytes]) -> Path:
        return self._folder / line["id"].decode()
