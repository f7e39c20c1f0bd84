"""People for tests: each signed up through the real Auth, with a name and an e-mail that nobody else has."""

import uuid
from dataclasses import dataclass

import httpx
import psycopg2
from supabase import Client, ClientOptions, create_client

from local_supabase.runtime import StackInfo

PASSWORD = "a-long-test-password"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account, and a client that is signed in as them."""

    name: str
    email: str
    password: str
    user_id: str
    client: Client


def unique(name: str) -> str:
    """Return the name with a suffix that makes it this test's own: tests share one database."""
    return f"{name} {uuid.uuid4().hex[:8]}"


def email_of(name: str) -> str:
    """Return an address that can be told from the name, so that a failure is readable."""
    return f"{name.lower().replace(' ', '.')}@people.example"


def anonymous_client(stack: StackInfo) -> Client:
    """Return a client with the public key only, as a visitor has it."""
    # A connection for each request: nobody has to close the clients of all these people.
    connections = httpx.Client(limits=httpx.Limits(max_keepalive_connections=0))
    options = ClientOptions(auto_refresh_token=False, persist_session=False, httpx_client=connections)
    return create_client(stack.url, stack.anon_key, options)


def sign_up(stack: StackInfo, name: str) -> Person:
    """Create an account for somebody of this name (made unique) and sign them in."""
    name = unique(name)
    client = anonymous_client(stack)
    answer = client.auth.sign_up(
        {"email": email_of(name), "password": PASSWORD, "options": {"data": {"display_name": name}}}
    )
    assert answer.user is not None
    assert answer.session is not None, "The stack asks for e-mail confirmation."
    return Person(name, email_of(name), PASSWORD, answer.user.id, client)


def give_role(stack: StackInfo, user_id: str, role: str) -> None:
    """Make somebody a member, organizer or admin, as the owner of the project does: by SQL."""
    connection = psycopg2.connect(stack.database_url)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute("update public.users set role = %s where id = %s", (role, user_id))
            assert cursor.rowcount == 1, f"No profile with the id {user_id}."
    finally:
        connection.close()
