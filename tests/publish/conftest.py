"""Somebody whose agents publish, and a passage to the database that can be cut."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import pytest

from local_supabase.runtime import StackInfo
from tests.live.fault_proxy import FaultProxy, fault_proxy
from tests.support.people import Person, sign_up

Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class Bench:
    """A person, and where their agents publish: through the proxy."""

    person: Person
    proxy: FaultProxy
    key: str

    def token(self) -> str:
        """Give the person's token."""
        session = self.person.client.auth.get_session()
        assert session is not None
        return session.access_token

    def run(self, run_id: str) -> Row:
        """Read a run past the proxy."""
        (row,) = self.person.client.table("agent_runs").select("*").eq("id", run_id).execute().data
        return cast("Row", row)

    def events(self, run_id: str, kind: str) -> list[Row]:
        """Read the events of a kind past the proxy, in order."""
        table = self.person.client.table("agent_run_events").select("*")
        found = table.eq("run_id", run_id).eq("kind", kind).order("at").order("seq").execute().data
        return [cast("Row", row) for row in found]

    def statuses(self, run_id: str) -> list[object]:
        """Return the trail of statuses, as the database noted it."""
        return [event["message"] for event in self.events(run_id, "status")]

    def log(self, run_id: str) -> list[str]:
        """Return the lines of the log."""
        return [line for event in self.events(run_id, "log") for line in str(event["message"]).split("\n")]


@pytest.fixture
def bench(stack: StackInfo) -> Iterator[Bench]:
    """Give somebody new and a passage that works until it is told otherwise."""
    with fault_proxy(stack.url) as proxy:
        yield Bench(sign_up(stack, "Operator"), proxy, stack.anon_key)
