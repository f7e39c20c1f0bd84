"""Passwords: the rules that they must meet, and bcrypt in threads of its own.

Hashes are made as GoTrue does (``$2a$``, cost 10). Those of other tools (``$2b$``, ``$2y$``), such as
pgcrypto's ``crypt()`` in a seed, are accepted as well.
"""

import asyncio
import os
import secrets
import string
import unicodedata
from collections.abc import Sequence
from functools import cache

import bcrypt

from local_supabase.auth.errors import WeakPasswordError, invalid
from local_supabase.background import thread_pool

MAX_BYTES = 72
COST = 10
_BCRYPT_PREFIXES = ("$2a$", "$2b$", "$2x$", "$2y$")
_SEQUENCES = ("abcdefghijklmnopqrstuvwxyz", "0123456789", "qwertyuiop", "asdfghjkl", "zxcvbnm")
# The password of the demo people, which their seed publishes. It sets their hashes without asking here.
_PUBLISHED = frozenset({"tavern-demo"})


def check_strength(password: str, minimum: int, required: Sequence[str] = ()) -> None:
    """Check a password against the rules.

    Arguments:
        password: the password.
        minimum: its shortest length in bytes, as in GoTrue.
        required: sets of characters; at least one character of each must occur.

    Raises:
        AuthError: it is longer than the 72 bytes that bcrypt reads.
        WeakPasswordError: it is too short, lacks a character of a set, or is easy to guess: one of the most
            common ones, also with digits or punctuation after it, or a plain sequence.
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
    if _is_easy_to_guess(password):
        message = "Password is known to be weak and easy to guess, please choose a different one."
        raise WeakPasswordError(message, ["pwned"])


def _is_easy_to_guess(password: str) -> bool:
    # What guessing programs try as well: other forms and cases of the same letters, spaces around them.
    text = unicodedata.normalize("NFKC", password).strip().casefold()
    if len(set(text)) <= 1 or _is_sequence(text):
        return True
    without_end = text.rstrip(string.digits + string.punctuation + string.whitespace)
    known = _common_passwords()
    return bool(known & {text, text.rstrip(string.punctuation), without_end}) or not _PUBLISHED.isdisjoint(
        {text, without_end}
    )


def _is_sequence(text: str) -> bool:
    return any(text in run * 8 or text[::-1] in run * 8 for run in _SEQUENCES)


@cache
def _common_passwords() -> frozenset[str]:
    """Return the 30,000 most common passwords that leaked, in lower case."""
    # Imported when it is needed, because the lists take 10 MB that only Auth uses.
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    return frozenset(FREQUENCY_LISTS["passwords"])


def is_bcrypt_hash(value: str) -> bool:
    """Return whether a value is a bcrypt hash, of a cost that can be verified in reasonable time."""
    if len(value) != 60 or not value.startswith(_BCRYPT_PREFIXES):
        return False
    cost = value[4:6]
    return cost.isdigit() and 4 <= int(cost) <= 15 and value[6] == "$"


def random_password() -> str:
    """Return a random password, for accounts that are created without one."""
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(64))


class PasswordHasher:
    """Hashes and verifies in threads, so that the event loop stays free.

    Arguments:
        threads: how many; by default as many as there are processors.
    """

    def __init__(self, threads: int | None = None) -> None:
        self._threads = thread_pool("bcrypt", threads or os.cpu_count() or 1)
        # Verified when there is no account, so that the time of the answer does not reveal who has one.
        self._nobody = bcrypt.hashpw(secrets.token_bytes(16), bcrypt.gensalt(COST, prefix=b"2a")).decode()

    async def hash(self, password: str) -> str:
        """Hash a password of at most 72 bytes."""

        def work() -> str:
            return bcrypt.hashpw(password.encode(), bcrypt.gensalt(COST, prefix=b"2a")).decode()

        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def verify(self, password: str, stored: str | None) -> bool:
        """Return whether the password matches the hash; without a usable hash, False after the same time."""
        known = stored if stored and is_bcrypt_hash(stored) else None

        def work() -> bool:
            return bcrypt.checkpw(password.encode()[:MAX_BYTES], (known or self._nobody).encode())

        try:
            matches = await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except ValueError:  # a salt or hash with characters that bcrypt does not use
            return False
        return matches and known is not None

    def close(self) -> None:
        """Stop the threads, without waiting for them."""
        self._threads.shutdown(wait=False, cancel_futures=True)
