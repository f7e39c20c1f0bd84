"""For every write path: the snapshot with the changes applied is what a fresh load gives, table by table."""

import asyncio
import inspect
from functools import partial

import httpx
import pytest

from db import events, private_messages, rsvps, tavern_messages, users
from db.auth import SignedIn
from live.engine import Engine
from live.reads import Reader
from live.store import Store
from live.sync import Sync
from local_supabase.runtime import StackInfo
from realtime_handlers import ALL_SPECS
from tests.support.wait import wait_for
from tests.verify.cast import Cast
from tests.verify.oracle import Tables, difference, fresh_load, held_by_engine, held_by_store
from tests.verify.paths import PATHS, WritePath


def assert_all_see_the_truth(engine: Engine, cast: Cast) -> None:
    """Compare everybody's tables with a fresh load of their own."""
    for name, person in cast.readers.items():
        expected = fresh_load(cast.clients, person)
        try:
            wait_for(partial(_equal, expected, engine, person), within=15, what=f"{name} to see a fresh load")
        except AssertionError as error:
            wrong = difference(expected, held_by_engine(engine, person))
            raise AssertionError(f"{error}\n{wrong}") from None


def _equal(expected: Tables, engine: Engine, person: SignedIn | None) -> bool:
    return not difference(expected, held_by_engine(engine, person))


def repaired(engine: Engine, cast: Cast) -> int:
    """Return how many changes the stream has lost so far."""
    return sum(engine.status(person.user_id if person else None).repaired for person in cast.readers.values())


@pytest.mark.parametrize("path", PATHS, ids=str)
def test_the_stream_brings_every_write_to_everybody(engine: Engine, cast: Cast, path: WritePath) -> None:
    path.act(cast)
    assert_all_see_the_truth(engine, cast)
    assert repaired(engine, cast) == 0


@pytest.mark.parametrize("path", PATHS, ids=str)
def test_the_writers_own_result_and_its_echo_are_one(engine: Engine, cast: Cast, path: WritePath) -> None:
    for table, record, writer in path.act(cast):
        engine.apply_written(table, record, writer.user_id)
    assert_all_see_the_truth(engine, cast)


@pytest.mark.parametrize("path", PATHS, ids=str)
async def test_catching_up_alone_brings_every_write(
    own_stack: StackInfo, cast: Cast, path: WritePath
) -> None:
    async with httpx.AsyncClient(timeout=30) as http:
        followers = {name: follower(own_stack, person, http) for name, person in cast.readers.items()}
        await asyncio.gather(*(one.load() for one in followers.values()))
        path.act(cast)
        await asyncio.gather(*(one.catch_up() for one in followers.values()))
        for name, person in cast.readers.items():
            wrong = difference(fresh_load(cast.clients, person), held_by_store(followers[name].store))
            assert not wrong, f"{name}:\n{wrong}"


def follower(stack: StackInfo, person: SignedIn | None, http: httpx.AsyncClient) -> Sync:
    """Return what follows every table for this person by asking, without a stream."""

    async def token() -> str | None:
        return person.access_token() if person else None

    specs = {spec.name: spec for spec in ALL_SPECS}
    reader = Reader(stack.url, stack.anon_key, specs, token, http)
    return Sync(Store(ALL_SPECS, lambda _: None), specs, reader)


def test_every_function_that_writes_is_verified() -> None:
    writes = {
        function
        for module in (events, private_messages, rsvps, tavern_messages, users)
        for _, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and [*inspect.signature(function).parameters][:1] == ["me"]
    }
    assert writes
    assert writes == {function for path in PATHS for function in path.covers}


def test_a_third_person_holds_nothing_of_a_private_message(engine: Engine, cast: Cast) -> None:
    held = held_by_engine(engine, cast.dee)
    assert held["users"]
    assert held["private_messages"] == {}
    assert held["change_log"] == {}
    assert "For you alone" not in repr(held)
    admin = held_by_engine(engine, cast.ada)
    assert admin["change_log"]
    assert "For you alone" not in repr(admin)


def test_nobody_holds_the_text_of_a_hidden_message_but_moderators(engine: Engine, cast: Cast) -> None:
    for name, person in cast.readers.items():
        held = repr(held_by_engine(engine, person))
        assert ("Something rude" in held) is (name == "ada"), name
