"""Users and buckets on the running stack, over HTTP as any client uses it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import uuid4

import asyncpg
import httpx
import pytest

from local_supabase.stack.runtime import StackInfo

POLICIES = """
create policy "members see what is theirs" on storage.objects for select to authenticated
    using (bucket_id like 'own-%' and owner_id = (select auth.uid()::text));
create policy "members upload into their folder" on storage.objects for insert to authenticated
    with check (bucket_id like 'own-%' and (storage.foldername(name))[1] = (select auth.uid()::text));
create policy "members replace what is theirs" on storage.objects for update to authenticated
    using (bucket_id like 'own-%' and owner_id = (select auth.uid()::text))
    with check (bucket_id like 'own-%' and (storage.foldername(name))[1] = (select auth.uid()::text));
create policy "members delete what is theirs" on storage.objects for delete to authenticated
    using (bucket_id like 'own-%' and owner_id = (select auth.uid()::text));
create policy "members only look" on storage.objects for select to authenticated
    using (bucket_id like 'look-%');
create policy "members see these buckets" on storage.buckets for select to authenticated
    using (id like 'look-%');
create policy "members drop in" on storage.objects for insert to authenticated
    with check (bucket_id like 'drop-%');
"""


@dataclass(frozen=True, slots=True)
class Storage:
    """Storage under one token."""

    http: httpx.AsyncClient
    token: str
    user_id: str = ""

    def headers(self, **more: str) -> dict[str, str]:
        """Return the headers of a request."""
        return ({"Authorization": f"Bearer {self.token}"} if self.token else {}) | more

    async def call(self, method: str, path: str, body: object = None, **headers: str) -> httpx.Response:
        """Send JSON."""
        return await self.http.request(method, path, json=body, headers=self.headers(**headers))

    async def get(self, path: str, **headers: str) -> httpx.Response:
        """Send a GET request."""
        return await self.http.get(path, headers=self.headers(**headers))

    async def upload(
        self, bucket: str, name: str, content: bytes = b"hello", *, method: str = "POST", **headers: str
    ) -> httpx.Response:
        """Upload raw bytes."""
        whole = {"content-type": "text/plain"} | headers
        path = f"/object/{bucket}/{name}"
        return await self.http.request(method, path, content=content, headers=self.headers(**whole))

    async def make_bucket(self, prefix: str = "test", **options: object) -> str:
        """Create a bucket for one test."""
        bucket = f"{prefix}-{uuid4().hex[:8]}"
        answer = await self.call("POST", "/bucket", {"name": bucket, **options})
        assert answer.status_code == 200, answer.text
        return bucket


def refusal(answer: httpx.Response) -> tuple[int, str, str]:
    """Return the HTTP status, the status in the body and the older code of a refusal."""
    body = answer.json()
    return answer.status_code, body["statusCode"], body["error"]


@pytest.fixture
async def http(stack: StackInfo) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=f"{stack.url}/storage/v1", timeout=30) as http:
        yield http


@pytest.fixture
def service(stack: StackInfo, http: httpx.AsyncClient) -> Storage:
    """Return Storage with the service key."""
    return Storage(http, stack.service_key)


@pytest.fixture
def visitor(stack: StackInfo, http: httpx.AsyncClient) -> Storage:
    """Return Storage with the public key."""
    return Storage(http, stack.anon_key)


@pytest.fixture
def stranger(http: httpx.AsyncClient) -> Storage:
    """Return Storage without a key."""
    return Storage(http, "")


async def sign_up(stack: StackInfo, http: httpx.AsyncClient) -> Storage:
    """Return Storage as a new user."""
    body = {"email": f"{uuid4().hex}@people.example", "password": "correct horse"}
    url = f"{stack.url}/auth/v1/signup"
    answer = await http.post(url, json=body, headers={"apikey": stack.anon_key})
    session = answer.json()
    return Storage(http, session["access_token"], session["user"]["id"])


@pytest.fixture
async def member(stack: StackInfo, http: httpx.AsyncClient) -> Storage:
    return await sign_up(stack, http)


@pytest.fixture
async def other(stack: StackInfo, http: httpx.AsyncClient) -> Storage:
    return await sign_up(stack, http)


@pytest.fixture
async def sql(stack: StackInfo) -> "AsyncIterator[asyncpg.Connection[asyncpg.Record]]":
    """Return a connection of the project's owner."""
    connection = await asyncpg.connect(stack.database_url)
    yield connection
    await connection.close()


@pytest.fixture
async def policies(sql: "asyncpg.Connection[asyncpg.Record]") -> AsyncIterator[None]:
    """Add policies for buckets with certain names, beside the project's own."""
    before = await _policies(sql)
    await sql.execute(POLICIES)
    yield
    for table, name in await _policies(sql) - before:
        await sql.execute(f'drop policy "{name}" on storage.{table}')


async def _policies(sql: "asyncpg.Connection[asyncpg.Record]") -> set[tuple[str, str]]:
    found = await sql.fetch("select tablename, policyname from pg_policies where schemaname = 'storage'")
    return {(record["tablename"], record["policyname"]) for record in found}
