"""The people of these tests, signed in as in the app."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg2

from db.auth.accounts import Accounts, SignedIn
from db.clients import Clients
from db.settings import Settings
from local_supabase.stack.runtime import StackInfo
from tests.verify.oracle import Oracle

PASSWORD = "a-long-test-password"


@dataclass(frozen=True, slots=True)
class Cast:
    """Ada is an admin, bo and cy write, dee only reads. Visitors have no account."""

    stack: StackInfo
    accounts: Accounts
    oracle: Oracle
    ada: SignedIn
    bo: SignedIn
    cy: SignedIn
    dee: SignedIn

    @property
    def readers(self) -> Mapping[str, SignedIn | None]:
        """The people whose tables are compared; None is a visitor."""
        return {"a visitor": None, "ada": self.ada, "bo": self.bo, "cy": self.cy, "dee": self.dee}

    def sign_up(self, name: str) -> SignedIn:
        """Create an account."""
        return new_account(self.accounts, name)

    def by_sql(self, sql: str, *values: object) -> None:
        """Change rows with SQL, as the owner of the project."""
        with owner(self.stack) as cursor:
            cursor.execute(sql, values or None)

    def rows_by_sql(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        """Read rows with SQL, as the owner of the project."""
        with owner(self.stack) as cursor:
            cursor.execute(sql, values or None)
            return list(cursor.fetchall())


@contextmanager
def owner(stack: StackInfo) -> Iterator[psycopg2.extensions.cursor]:
    """Give a cursor of the database's owner; commit after the block."""
    connection = psycopg2.connect(stack.database_url)
    try:
        with connection, connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


def new_account(accounts: Accounts, name: str) -> SignedIn:
    """Create an account and sign in."""
    me = accounts.sign_up(f"{name}-{uuid.uuid4().hex[:8]}@verify.example", PASSWORD, name)
    assert isinstance(me, SignedIn)
    return me


@contextmanager
def new_cast(stack: StackInfo) -> Iterator[Cast]:
    """Create the people for the block."""
    clients = Clients(Settings(stack.url, stack.anon_key))
    accounts = Accounts(clients)
    oracle = Oracle(stack)
    try:
        ada, bo, cy, dee = (new_account(accounts, name) for name in ("Ada", "Bo", "Cy", "Dee"))
        cast = Cast(stack, accounts, oracle, ada, bo, cy, dee)
        cast.by_sql("update public.users set role = 'admin' where id = %s", ada.user_id)
        yield cast
    finally:
        oracle.close()
        accounts.close()
        clients.close()
