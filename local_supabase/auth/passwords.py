"""Passwords: the rules they must keep, and bcrypt off the event loop.

Hashes are those of GoTrue (``$2a$``, cost 10); ``$2b$`` and ``$2y$`` hashes made by other tools, such as
pgcrypto's ``crypt()`` in a seed, are accepted as well.
"""

import asyncio
import os
import secrets
import string
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import bcrypt

from local_supabase.auth.errors import WeakPasswordError, invalid

MAX_BYTES = 72
COST = 10
_BCRYPT_PREFIXES = ("$2a$", "$2b$", "$2x$", "$2y$")


def check_strength(password: str, minimum: int, required: Sequence[str] = ()) -> None:
    """Refuse a password that is too long for bcrypt, too short, or lacks a character of a required set.

    ``required`` holds sets of characters, of each of which one must occur. Lengths are in bytes, as GoTrue's.
    """
    size = len(password.encode())
    if size > MAX_BYTES:
        raise invalid(f"Password cannot be longer than {MAX_BYTES} characters")
    messages: list[str] = []
    reasons: list[str] = []
    if size < minimum:
        reasons.append("length")
        messages.append(f"Password should be at least {minimum} characters.")
    if any(charset and not set(charset) & set(password) for charset in required):
        reasons.append("characters")
        listed = ", ".join(required)
        messages.append(f"Password should contain at least one character of each: {listed}.")
    if reasons:
        raise WeakPasswordError(" ".join(messages), reasons)


def is_bcrypt_hash(value: str) -> bool:
    """Tell whether a value is a whole bcrypt hash of a cost that can be verified in reasonable time."""
    if len(value) != 60 or not value.startswith(_BCRYPT_PREFIXES):
        return False
    cost = value[4:6]
    return cost.isdigit() and 4 <= int(cost) <= 15 and value[6] == "$"


def random_password() -> str:
    """Give a password nobody knows, for accounts made without one."""
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(64))


class PasswordHasher:
    """Hashes and verifies in its own threads, so that no request waits for another one's bcrypt."""

    def __init__(self, threads: int | None = None) -> None:
        self._threads = ThreadPoolExecutor(threads or os.cpu_count() or 1, thread_name_prefix="bcrypt")
        # Verified when there is no account, so that the time taken does not tell who has one.
        self._nobody = bcrypt.hashpw(secrets.token_bytes(16), bcrypt.gensalt(COST, prefix=b"2a")).decode()

    async def hash(self, password: str) -> str:
        """Hash a password of at most 72 bytes."""

        def work() -> str:
            return bcrypt.hashpw(password.encode(), bcrypt.gensalt(COST, prefix=b"2a")).decode()

        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def verify(self, password: str, stored: str | None) -> bool:
        """Tell whether the password belongs to the hash; without a usable hash, False after as long."""
        known = stored if stored and is_bcrypt_hash(stored) else None

        def work() -> bool:
            return bcrypt.checkpw(password.encode()[:MAX_BYTES], (known or self._nobody).encode())

        try:
            matches = await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except ValueError:  # a salt or hash with characters bcrypt does not use
            return False
        return matches and known is not None

    def close(self) -> None:
        """Let the threads end."""
        self._threads.shutdown(wait=False, cancel_futures=True)
