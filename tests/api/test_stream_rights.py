"""Streams of people whose role is lost, or lost and given back."""

from collections.abc import Mapping
from typing import Any

import pytest

from api.stream_rights import rights_specs
from livetables.tables.snapshot import EMPTY
from livetables.tables.spec import AnySpec
from local_supabase.stack.runtime import StackInfo
from realtime_handlers import ALL_SPECS
from realtime_handlers.agents import AGENT_RUNS
from realtime_handlers.messages import TAVERN_MESSAGES
from realtime_handlers.permissions import RIGHTS_TABLES
from tests.api.listening import Mirror, Stream, listening
from tests.api.serving import token_of
from tests.api.test_stream import start_run
from tests.api.test_stream_feed import Api, serving
from tests.support.people import Person, give_role, sign_up
from tests.support.wait import wait_until


@pytest.fixture
def admin(stack: StackInfo) -> Person:
    """Return somebody who is an admin."""
    person = sign_up(stack, "Admin")
    give_role(stack, person.user_id, "admin")
    return person


async def read_until(stream: Stream, mirror: Mirror, *names: str) -> None:
    """Apply all events up to one with one of these names."""
    while True:
        event = await stream.next("change", "resync", "ready")
        mirror.apply(event)
        if event.name in names:
            return


async def polled_again(api: Api) -> None:
    """Wait until a poll that began after this moment has been answered."""
    polls = api.polls
    await wait_until(lambda: api.polls > polls + 1, what="one more poll")


async def test_a_lost_role_takes_its_rows_along(stack: StackInfo, admin: Person, bob: Person) -> None:
    theirs, own = start_run(bob), start_run(admin)
    with serving(stack) as api:
        async with listening(api.url, token_of(admin), "agent_runs", snapshot="true") as stream:
            mirror = Mirror()
            await read_until(stream, mirror, "ready")
            assert {theirs, own} <= mirror.rows("agent_runs").keys()
            give_role(stack, admin.user_id, "member")
            await read_until(stream, mirror, "resync")
            await read_until(stream, mirror, "ready")
            assert mirror.rows("agent_runs").keys() == {own}


async def test_nothing_is_missed_while_a_role_is_away(stack: StackInfo, admin: Person, bob: Person) -> None:
    with serving(stack) as api:
        async with listening(api.url, token_of(admin), "agent_runs") as stream:
            mirror = Mirror()
            await read_until(stream, mirror, "ready")
            give_role(stack, admin.user_id, "member")
            await read_until(stream, mirror, "resync")
            await read_until(stream, mirror, "ready")
            run = start_run(bob)
            # The cursor moves past the run, which the log does not name to a member.
            await polled_again(api)
            give_role(stack, admin.user_id, "admin")
            await read_until(stream, mirror, "resync")
            await read_until(stream, mirror, "ready")
            assert run in mirror.rows("agent_runs")


async def test_a_resumed_stream_knows_that_the_role_changed_meanwhile(
    stack: StackInfo, admin: Person, bob: Person
) -> None:
    theirs = start_run(bob)
    with serving(stack) as api:
        async with listening(api.url, token_of(admin), "agent_runs", snapshot="true") as stream:
            mirror = Mirror()
            await read_until(stream, mirror, "ready")
            assert theirs in mirror.rows("agent_runs")
        give_role(stack, admin.user_id, "member")
        async with listening(api.url, token_of(admin), "agent_runs", last_id=stream.last_id) as again:
            await read_until(again, mirror, "resync")
            await read_until(again, mirror, "ready")
            assert mirror.rows("agent_runs") == {}


async def test_another_name_is_no_other_role(stack: StackInfo, admin: Person, bob: Person) -> None:
    with serving(stack) as api:
        async with listening(api.url, token_of(admin), "agent_runs") as stream:
            await stream.next("ready")
            admin.client.table("users").update({"display_name": "Adam"}).eq("id", admin.user_id).execute()
            await polled_again(api)
            run = start_run(bob)
            event = await stream.next("resync", "change")
            assert (event.name, event.data["key"]) == ("change", {"id": run})


class OnlyRights(Mapping[str, Any]):
    """Public tables of which nothing but those with rights may be asked for."""

    def __getitem__(self, name: str) -> Any:
        assert name in RIGHTS_TABLES
        return EMPTY

    def __iter__(self) -> Any:
        return iter(RIGHTS_TABLES)

    def __len__(self) -> int:
        return len(RIGHTS_TABLES)


@pytest.mark.parametrize("spec", ALL_SPECS, ids=lambda spec: spec.name)
def test_rights_depend_on_no_other_table(spec: AnySpec) -> None:
    functions = [one for one in (spec.visible_to, spec.filters, spec.permission_version) if one]
    assert all(function("me", OnlyRights()) is not None for function in functions)


def test_only_tables_that_depend_on_a_role_make_a_stream_ask_for_it() -> None:
    assert rights_specs([TAVERN_MESSAGES]) == {}
    assert rights_specs([TAVERN_MESSAGES, AGENT_RUNS]).keys() == RIGHTS_TABLES
