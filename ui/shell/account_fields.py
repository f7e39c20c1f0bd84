"""The fields of the forms for accounts: all problems at once, each at its field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from livetables.auth.fields import problems_of_sign_in
from ui.base.text import one_line

SHORTEST_PASSWORD: Final = 8

Problems = Mapping[str, str]
"""What is wrong, by the name of the field: `name`, `email`, `password`."""


def problems_of_account(name: str, email: str, password: str) -> Problems:
    """Return what is wrong with the fields for a new account, as far as it can be told here."""
    problems = problems_of_sign_in(email, password)
    if not one_line(name):
        problems["name"] = "Please choose the name that others will see."
    if len(password) < SHORTEST_PASSWORD:
        problems["password"] = f"Please choose a password of at least {SHORTEST_PASSWORD} characters."
    return problems
