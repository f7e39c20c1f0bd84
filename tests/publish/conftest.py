"""A person whose agents publish, through a proxy that can fail."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import pytest

from local_supabase.stack.runtime import StackInfo
from tests.livetables.fault_proxy import FaultProxy, fault_proxy
from tests.support.people import Person, sign_up

Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class Bench:
    """A person, and the proxy through which their agents publish. Its methods read past the proxy."""

    person: Person
    proxy: FaultProxy
    key: str

    def token(self) -> str:
        """Return the person's access token."""
        session = self.person.client.auth.get_session()
        assert session is not None
        return session.access_token

    def run(self, run_id: str) -> Row:
        """Return the row of a run."""
        (row,) = self.person.client.table("agent_runs").select("*").eq("id", run_id).execute().data
        return cast("Row", row)

    def events(self, run_id: str, kind: str) -> list[Row]:
        """Return the events of a kind, in order."""
        table = self.person.client.table("agent_run_events").select("*")
        found = table.eq("run_id", run_id).eq("kind", kind).order("at").order("seq").execute().data
        return [cast("Row", row) for row in found]

    def statuses(self, run_id: str) -> list[object]:
        """Return the statuses of a run in order, as the database recorded them."""
        return [event["message"] for event in self.events(run_id, "status")]

    def log(self, run_id: str) -> list[str]:
        """Return the lines of a run's log."""
        return [line for event in self.events(run_id, "log") for line in str(event["message"]).split("\n")]


@pytest.fixture
def bench(stack: StackInfo) -> Iterator[Bench]:
    """Make a new person and a proxy that works until the test breaks it."""
    with fault_proxy(stack.url) as proxy:
        yield Bench(sign_up(stack, "Operator"), proxy, stack.anon_key)
