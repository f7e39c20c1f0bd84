"""The kept state of a test stack: rows in the database, files in the folder of Storage."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import asyncpg

from local_supabase.auth.mailbox import Mailbox
from local_supabase.context import Context
from local_supabase.database import Connection
from local_supabase.keys import Login
from local_supabase.storage.files import FileStore

_FUNCTIONS = Path(__file__).with_name("functions.sql")
_KEPT_FILES = "kept"
_LOCK_SECONDS = 2
_IS_KEPT = "select to_regclass('_local_supabase.kept_state')"
# What a test has written and not committed ends with it. One that only reads is in nobody's way.
_END_FORGOTTEN = """
select pg_terminate_backend(pid, 2000) from pg_stat_activity
where datname = current_database() and usename = 'postgres' and state like 'idle in transaction%'
    and backend_xid is not null
"""
_BLOCKERS = """
select format('process %s (%s, %s): %s', pid, usename, coalesce(nullif(application_name, ''), 'no name'),
              left(query, 200))
from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'
    and state <> 'idle' and xact_start is not null
"""


class RewindBlockedError(Exception):
    """A transaction that is still open holds rows that the last test changed. The text names it."""


class Rewind:
    """Keeps the state of a test stack and goes back to it.

    Arguments:
        context: what the services share.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._root = context.settings.data_dir.storage
        self._files = FileStore(self._root)
        self._mailbox = Mailbox(context.settings.data_dir.mailbox)
        self._turn = asyncio.Lock()

    async def keep(self) -> None:
        """Keep the present rows and files as the state to go back to, unless a state is kept already."""
        async with (
            self._context.database.as_admin(Login.SUPABASE_ADMIN) as connection,
            connection.transaction(),
        ):
            await _prepare(connection)
            if await connection.fetchval(_IS_KEPT) is not None:
                # The gateway was started again, or the folder is a copy of one in which the state is kept.
                return
            await connection.execute(_FUNCTIONS.read_text(encoding="utf-8"))
            await connection.execute("select _local_supabase.keep()")
        await asyncio.to_thread(self._keep_files)

    async def go_back(self) -> bool:
        """Go back to the kept state. Return False, with all as it was, if the schema has changed since.

        Tokens of sessions that are gone are refused from now on. What the project's owner has written in a
        transaction that is still open is rolled back, and its connection closed.

        Raises:
            RewindBlockedError: another transaction holds locks on what has to be put back.
        """
        async with self._turn:
            try:
                schema_changed, sessions = await self._put_rows_back()
            except asyncpg.LockNotAvailableError as error:
                raise RewindBlockedError(await self._blockers()) from error
            if schema_changed:
                return False
            self._context.verifier.revoke(sessions)
            self._context.verifier.ahead = 0.0
            for forget in self._context.forgetting:
                forget()
            await self._mailbox.clear()
            await self._put_files_back()
            return True

    async def advance(self, seconds: float) -> None:
        """Let so many seconds pass: all that is stored, and all tokens, become older."""
        async with self._turn:
            async with (
                self._context.database.as_admin(Login.SUPABASE_ADMIN) as connection,
                connection.transaction(),
            ):
                await _prepare(connection)
                await connection.execute("select _local_supabase.grow_older($1)", timedelta(seconds=seconds))
            self._context.verifier.ahead += seconds

    async def _put_rows_back(self) -> tuple[bool, list[str]]:
        async with (
            self._context.database.as_admin(Login.SUPABASE_ADMIN) as connection,
            connection.transaction(),
        ):
            await _prepare(connection)
            await connection.execute(_END_FORGOTTEN)
            row = await connection.fetchrow("select schema_changed, sessions from _local_supabase.go_back()")
            assert row is not None, "the function returns one row"
            return row["schema_changed"], [str(session) for session in row["sessions"]]

    async def _blockers(self) -> str:
        async with self._context.database.as_admin(Login.SUPABASE_ADMIN) as connection:
            found = [row[0] for row in await connection.fetch(_BLOCKERS)]
        return (
            "The state of the last test cannot be put back, because a transaction is still open. Close its "
            f"connection at the end of the test. Open are: {'; '.join(found) or 'none any more'}"
        )

    def _keep_files(self) -> None:
        kept = self._root / _KEPT_FILES
        shutil.rmtree(kept, ignore_errors=True)
        kept.mkdir(mode=0o700)
        for version in self._files.versions(older_than=-1):
            os.link(self._files.path(version), kept / version)

    async def _put_files_back(self) -> None:
        present = await asyncio.to_thread(lambda: list(self._files.versions(older_than=-1)))
        kept = await asyncio.to_thread(lambda: os.listdir(self._root / _KEPT_FILES))
        if set(present) != set(kept):
            await asyncio.to_thread(self._replace, present, kept)

    def _replace(self, present: Iterable[str], kept: Iterable[str]) -> None:
        for version in set(present).difference(kept):
            self._files.delete(version)
        for version in set(kept).difference(present):
            target = self._files.path(version)
            target.parent.mkdir(mode=0o700, exist_ok=True)
            os.link(self._root / _KEPT_FILES / version, target)


async def _prepare(connection: Connection) -> None:
    # Nothing that a project made runs as the superuser.
    await connection.execute(
        f"set local event_triggers = off; set local search_path = pg_catalog; "
        f"set local lock_timeout = '{_LOCK_SECONDS}s'; set local client_min_messages = warning"
    )
