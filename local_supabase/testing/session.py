"""The stack of a test session, and the state that each test begins with."""

from __future__ import annotations

from pathlib import Path

import httpx

from local_supabase.testing.stacks import SessionStack, default_cache
from local_supabase.testing.supabase import Supabase

_SECONDS = 30.0


class Session:
    """One stack for the tests of a process.

    Arguments:
        project: the Supabase project.
        keep: whether the stack runs on for an hour after the session, in the state of the last test.
    """

    def __init__(self, project: Path, *, keep: bool = False) -> None:
        self._keep = keep
        self._stack = SessionStack(project, default_cache(), keep=keep)
        self._http = httpx.Client(timeout=_SECONDS, trust_env=False, follow_redirects=True)
        self._is_new = True

    def begin(self, *, renewed: bool = False) -> Supabase:
        """Return the stack in the state after migrations and seed.

        Arguments:
            renewed: whether to make a new copy of everything, also if only rows were changed.
        """
        if not self._is_new and (renewed or not self._stack.rewind()):
            self._stack.renew()
        self._is_new = False
        return Supabase(self._stack.info, self._http)

    def close(self) -> list[str]:
        """Stop the stack, unless it is kept. Return what to tell about it."""
        self._http.close()
        if not self._keep:
            self._stack.close()
            return []
        info = self._stack.info
        return [
            f"The stack runs for an hour: {info.url}",
            f"  DATABASE_URL={info.database_url}",
            f"  MAILBOX_URL={info.mailbox_url}",
            f"  stop it with: python -m local_supabase stop --data-dir {info.data_dir}",
        ]
