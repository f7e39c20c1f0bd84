"""What the tests tell the script of their tabs."""

from collections.abc import Callable
from typing import Any

from livetables.users import UserSession

url = ""
key = ""
user: UserSession | None = None
filters = ""
act: Callable[[Any], object] = print
