"""Tests against a real Supabase: the pytest plugin, and what its fixture `supabase` offers.

`plugin` holds the hooks and the fixture, `session` what a test begins with, `stacks` the running stack and
the prepared folder that it is copied from. Clients are supabase-py's, so this package needs the extra
`local-supabase[test]`. The stack itself does not import it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from local_supabase.testing.supabase import Supabase
    from local_supabase.testing.users import User

__all__ = ["Supabase", "User"]


def __getattr__(name: str) -> object:
    """Import the clients only when they are used: pytest loads this package in every session."""
    if name not in __all__:
        raise AttributeError(name)
    from local_supabase.testing import supabase, users

    return supabase.Supabase if name == "Supabase" else users.User
