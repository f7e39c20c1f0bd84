"""What the fixture `supabase` is: one running stack, in the state after migrations and seed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import httpx
import psycopg2
import psycopg2.extras
from supabase import AsyncClient, Client

from local_supabase.auth.mailbox import Mail
from local_supabase.errors import LocalSupabaseError
from local_supabase.rewind.people import PEOPLE_PATH
from local_supabase.rewind.routes import CLOCK_PATH
from local_supabase.stack.datadir import DataDir
from local_supabase.stack.runtime import StackInfo
from local_supabase.storage.files import FileStore
from local_supabase.testing.clock import Clock
from local_supabase.testing.users import User, async_client, sync_client

_DOMAIN = "example.com"


class Supabase:
    """A Supabase for one test.

    Arguments:
        stack: addresses and keys of the stack.
        http: the connections that its clients share.
    """

    def __init__(self, stack: StackInfo, http: httpx.Client) -> None:
        self.stack = stack
        self._http = http
        self._connection: psycopg2.extensions.connection | None = None

    @cached_property
    def anon(self) -> Client:
        """A client that is not signed in."""
        return sync_client(self.stack, self.stack.anon_key, self._http)

    @cached_property
    def service(self) -> Client:
        """A client that passes over row security."""
        return sync_client(self.stack, self.stack.service_key, self._http)

    @cached_property
    def clock(self) -> Clock:
        """Lets time pass, for sessions and codes that expire, and for the project's own rows."""
        return Clock(self._advance)

    def _advance(self, seconds: float) -> None:
        answer = self._http.post(f"{self.stack.mailbox_url}{CLOCK_PATH}", json={"seconds": seconds})
        answer.raise_for_status()

    async def async_anon(self) -> AsyncClient:
        """Return an asynchronous client that is not signed in."""
        return await async_client(self.stack, self.stack.anon_key)

    async def async_service(self) -> AsyncClient:
        """Return an asynchronous client that passes over row security."""
        return await async_client(self.stack, self.stack.service_key)

    def user(
        self,
        name: str,
        *,
        email: str = "",
        password: str = "",
        role: str = "",
        app_metadata: Mapping[str, object] = {},
        user_metadata: Mapping[str, object] = {},
    ) -> User:
        """Make an account whose address is confirmed, and sign it in.

        Arguments:
            name: its name; its address is `<name>@example.com` unless `email` says another.
            email: its address.
            password: with a password, it can sign in again. Hashing it takes a twentieth of a second.
            role: its `role` in `app_metadata`, which policies read from `auth.jwt()`.
            app_metadata: what else it cannot change itself.
            user_metadata: what it can, such as a display name.

        Raises:
            LocalSupabaseError: the address is taken, or a trigger of the project refused the account.
        """
        address = email or f"{name}@{_DOMAIN}"
        body = {
            "email": address,
            "password": password,
            "app_metadata": {**({"role": role} if role else {}), **app_metadata},
            "user_metadata": dict(user_metadata),
        }
        answer = self._http.post(f"{self.stack.mailbox_url}{PEOPLE_PATH}", json=body)
        record = answer.json()
        if answer.is_error:
            raise LocalSupabaseError(f"The account {address} was refused: {record.get('msg', record)}")
        client = sync_client(self.stack, self.stack.anon_key, self._http, record)
        person = record["user"]
        return User(name, person["id"], person["email"], password, record, client, self.stack)

    def sql(
        self, statement: str, values: tuple[object, ...] | Mapping[str, object] = ()
    ) -> list[dict[str, Any]]:
        """Run a statement as the owner of the project, and commit it. Return its rows.

        Arguments:
            statement: the statement, with psycopg's placeholders (`%s`, `%(name)s`) if there are values.
            values: the values.

        Raises:
            psycopg2.Error: the database refused it.
        """
        if self._connection is None:
            self._connection = psycopg2.connect(self.stack.database_url, application_name="supabase.sql")
            self._connection.autocommit = True
        with self._connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
            cursor.execute(statement, values or None)
            return [dict(row) for row in cursor.fetchall()] if cursor.description else []

    def mail(self, to: str | None = None) -> list[Mail]:
        """Return the mails that Auth has sent, the newest first; with `to`, those to one address."""
        address = f"{self.stack.mailbox_url}/messages"
        answer = self._http.get(address, params={"to": to} if to else None)
        return [Mail(**mail) for mail in answer.raise_for_status().json()["messages"]]

    def files(self, bucket: str) -> dict[str, bytes]:
        """Return the files of a bucket by their names, whoever may read them."""
        store = FileStore(DataDir(self.stack.data_dir).storage)
        rows = self.sql(
            "select name, version from storage.objects where bucket_id = %s and version is not null",
            (bucket,),
        )
        return {row["name"]: store.path(row["version"]).read_bytes() for row in rows}

    def close(self) -> None:
        """Close the connection of `sql`."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
