"""People and buckets for the attacks on Storage."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import uuid4

import httpx
import psycopg2
import pytest
from storage3.types import FileOptions

from local_supabase.stack.runtime import StackInfo
from tests.support.people import Person, sign_up


@dataclass(frozen=True, slots=True)
class Rater:
    """A person who manages a tenant, and so may read and write the tenant's files."""

    person: Person
    tenant: str
    stack: StackInfo

    def call(self, method: str, path: str, body: object = None, **headers: str) -> httpx.Response:
        """Call Storage with the person's own token."""
        return call(self.stack, method, path, body, self.token, **headers)

    @property
    def token(self) -> str:
        """The person's access token."""
        session = self.person.client.auth.get_session()
        assert session is not None
        return session.access_token

    def upload(self, bucket: str, name: str, content: bytes, mime_type: str) -> None:
        """Upload a file into the tenant's folder, replacing one of that name."""
        options = FileOptions({"content-type": mime_type, "upsert": "true"})
        self.person.client.storage.from_(bucket).upload(f"{self.tenant}/{name}", content, options)

    def deactivate(self) -> None:
        """Take the person's rights, as a manager of the tenant does."""
        execute(
            self.stack,
            "update public.rater_profiles set active = false where user_id = %s",
            self.person.user_id,
        )


def call(
    stack: StackInfo, method: str, path: str, body: object = None, token: str = "", **headers: str
) -> httpx.Response:
    """Call Storage, with a token or without one."""
    if token:
        headers["Authorization"] = f"Bearer {token}"
    return httpx.request(method, f"{stack.url}/storage/v1{path}", json=body, headers=headers, timeout=30)


def execute(stack: StackInfo, statement: str, *values: object) -> None:
    """Run SQL as the owner of the project."""
    connection = psycopg2.connect(stack.database_url)
    with connection, connection.cursor() as cursor:
        cursor.execute(statement, values)
    connection.close()


@pytest.fixture
def rater(stack: StackInfo) -> Rater:
    """Make a manager of a new tenant."""
    person, tenant = sign_up(stack, "Rater"), f"t{uuid4().hex[:8]}"
    execute(stack, "insert into public.tenants (id, name) values (%s, %s)", tenant, tenant)
    execute(
        stack,
        "insert into public.rater_profiles (user_id, tenant_id, rater_id, name, role)"
        " values (%s, %s, 'r1', 'Rater', 'manager')",
        person.user_id,
        tenant,
    )
    return Rater(person, tenant, stack)


@pytest.fixture
def open_bucket(stack: StackInfo) -> str:
    """Make a public bucket that takes everything."""
    bucket = f"open-{uuid4().hex[:8]}"
    body = {"name": bucket, "public": True}
    assert call(stack, "POST", "/bucket", body, stack.service_key).status_code == 200
    return bucket
