"""The fields of the forms for accounts: all problems at once, each at its field."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from ui.base.text import one_line

SHORTEST_PASSWORD: Final = 8
_ADDRESS: Final = re.compile(r"[^@\s]+@[^@\s]+")

Problems = Mapping[str, str]
"""What is wrong, by the name of the field: `name`, `email`, `password`."""


def problems_of_sign_in(email: str, password: str) -> Problems:
    """Return what is missing or wrong for signing in."""
    problems = {}
    if not email.strip():
        problems["email"] = "Please enter your email address."
    elif not _ADDRESS.fullmatch(email.strip()):
        problems["email"] = "Please check the email address: it has one @ and no spaces."
    if not password:
        problems["password"] = "Please enter your password."  # noqa: S105 - a sentence
    return problems


def problems_of_account(name: str, email: str, password: str) -> Problems:
    """Return what is wrong with the fields for a new account, as far as it can be told here."""
    problems = dict(problems_of_sign_in(email, password))
    if not one_line(name):
        problems["name"] = "Please choose the name that others will see."
    if len(password) < SHORTEST_PASSWORD:
        problems["password"] = f"Please choose a password of at least {SHORTEST_PASSWORD} characters."
    return problems
