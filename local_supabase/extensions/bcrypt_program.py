"""Hash a password for `crypt()`: password and salt in hex from stdin, the hash to the named file.

Run by Postgres, see extension/pgcrypto--1.3.sql. It hashes; it never runs or opens anything that it reads.
"""

import os
import sys

import bcrypt

# Bcrypt sees no more of a password; pgcrypto cuts it silently and so must we.
_SEEN_BYTES = 72


def main() -> None:
    """Read, hash, write."""
    password, salt = (bytes.fromhex(part) for part in sys.stdin.read().strip("\n").split(" "))
    descriptor = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(bcrypt.hashpw(password[:_SEEN_BYTES], salt[:29]))


if __name__ == "__main__":
    main()
