"""A stack for the REST tests, with tables of every kind, and a plain HTTP client for it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg2
import pytest

from local_supabase.stack.runtime import StackInfo
from tests.support.stack import running_stack, superuser_url

PROJECT = Path(__file__).parent / "project"


@dataclass(frozen=True, slots=True)
class Rest:
    """The service as an HTTP client sees it."""

    stack: StackInfo
    http: httpx.Client

    def __call__(
        self,
        method: str,
        path: str,
        *,
        content: bytes | str | None = None,
        json: object = None,
        **headers: str,
    ) -> httpx.Response:
        """Send a request. `_` in the name of a header stands for `-`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if json is not None:
            return self.http.request(method, path, json=json, headers=named)
        return self.http.request(method, path, content=content, headers=named)

    def get(self, path: str, **headers: str) -> httpx.Response:
        """Read."""
        return self("GET", path, **headers)

    def post(self, path: str, json: object, **headers: str) -> httpx.Response:
        """Insert or call."""
        return self("POST", path, json=json, **headers)

    def as_service(self) -> dict[str, str]:
        """Return the headers of the service role."""
        return {"apikey": self.stack.service_key, "Authorization": f"Bearer {self.stack.service_key}"}

    def sql(self, statement: str, *, superuser: bool = False) -> list[tuple[object, ...]]:
        """Run SQL as the owner of the project, over the database URL, or as the superuser."""
        url = self.stack.database_url
        connection = psycopg2.connect(superuser_url(url, self.stack.data_dir) if superuser else url)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(statement)
                return list(cursor.fetchall()) if cursor.description else []
        finally:
            connection.close()


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackInfo]:
    """A stack that runs the project of this folder."""
    with running_stack(tmp_path_factory.mktemp("rest") / "data", PROJECT) as info:
        yield info


@pytest.fixture(scope="session")
def rest(shop: StackInfo) -> Iterator[Rest]:
    """A client with the public key."""
    with httpx.Client(
        base_url=f"{shop.url}/rest/v1", headers={"apikey": shop.anon_key}, timeout=30
    ) as client:
        yield Rest(shop, client)
