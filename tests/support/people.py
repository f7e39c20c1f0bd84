"""Make accounts for tests, through the real Auth, each with a unique name and email address."""

import uuid
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx
import psycopg2
from supabase import Client, ClientOptions, create_client

from db.hub import pictures
from livetables.auth.cookie import SessionCookie
from livetables.auth.jwt import claims_of
from local_supabase.stack.runtime import StackInfo
from tests.support.pictures import halves, written

_STACKS: dict[str, StackInfo] = {}

PASSWORD = "a-long-test-password"


@dataclass(frozen=True, slots=True)
class Person:
    """An account, and a client that is signed in to it."""

    name: str
    email: str
    password: str
    user_id: str
    client: Client


def unique(name: str) -> str:
    """Return the name with a random suffix, because tests share one database."""
    return f"{name} {uuid.uuid4().hex[:8]}"


def email_of(name: str) -> str:
    """Return an address that contains the name, so that a failure is readable."""
    return f"{name.lower().replace(' ', '.')}@people.example"


def anonymous_client(stack: StackInfo) -> Client:
    """Return a client with only the public key, as a visitor has it."""
    # Without kept connections there is nothing to close at the end of a test.
    connections = httpx.Client(limits=httpx.Limits(max_keepalive_connections=0))
    options = ClientOptions(auto_refresh_token=False, persist_session=False, httpx_client=connections)
    return create_client(stack.url, stack.anon_key, options)


def sign_up(stack: StackInfo, name: str) -> Person:
    """Create an account with this name, made unique, and sign in to it."""
    name = unique(name)
    client = anonymous_client(stack)
    answer = client.auth.sign_up(
        {"email": email_of(name), "password": PASSWORD, "options": {"data": {"display_name": name}}}
    )
    assert answer.user is not None
    assert answer.session is not None, "The stack asks for email confirmation."
    return Person(name, email_of(name), PASSWORD, answer.user.id, client)


def sign_in_elsewhere(stack: StackInfo, email: str, password: str) -> SessionCookie:
    """Begin another session of an account; return the cookie of a browser that has it."""
    answer = anonymous_client(stack).auth.sign_in_with_password({"email": email, "password": password})
    assert answer.session is not None
    session_id = claims_of(answer.session.access_token)["session_id"]
    return SessionCookie(answer.session.refresh_token, str(session_id))


def note_stack(app_url: str, stack: StackInfo) -> None:
    """Note which stack has the accounts of the app at this address."""
    _STACKS[_origin(app_url)] = stack


def stack_of(app_url: str) -> StackInfo:
    """Return the stack of the app of a page, as `note_stack` noted it."""
    return _STACKS[_origin(app_url)]


def _origin(url: str) -> str:
    return urlsplit(url).netloc


def give_role(stack: StackInfo, user_id: str, role: str) -> None:
    """Give an account the role member, organizer or admin by SQL, as the owner of a project does."""
    connection = psycopg2.connect(stack.database_url)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute("update public.users set role = %s where id = %s", (role, user_id))
            assert cursor.rowcount == 1, f"No profile with the id {user_id}."
    finally:
        connection.close()


def show_picture(person: Person) -> str:
    """Store a picture of a person and show it in their profile; return its id."""
    picture = str(uuid.uuid4())
    content = written(halves(64, 64), "WEBP")
    files = person.client.storage.from_(pictures.BUCKET)
    files.upload(pictures.path_of(person.user_id, picture), content, {"content-type": pictures.MIME_TYPE})
    person.client.table("users").update({"picture": picture}).eq("id", person.user_id).execute()
    return picture
