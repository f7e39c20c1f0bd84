"""The fields of a form for signing in: all problems at once, each by its field."""

from __future__ import annotations

import re
from typing import Final

_ADDRESS: Final = re.compile(r"[^@\s]+@[^@\s]+")


def problems_of_sign_in(email: str, password: str) -> dict[str, str]:
    """Return what is missing or wrong for signing in, by the name of the field: `email`, `password`."""
    problems = {}
    if not email.strip():
        problems["email"] = "Please enter your email address."
    elif not _ADDRESS.fullmatch(email.strip()):
        problems["email"] = "Please check the email address: it has one @ and no spaces."
    if not password:
        problems["password"] = "Please enter your password."  # noqa: S105 - a sentence
    return problems
