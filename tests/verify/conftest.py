"""A stack that only these tests use, so that whole tables can be compared, and one engine on it."""

from collections.abc import Iterator
from functools import partial

import pytest

from livetables.config import EngineConfig
from livetables.engine import Engine
from livetables.feed.status import FeedState
from livetables.timing import Timing
from local_supabase.stack.runtime import StackInfo
from realtime_handlers import ALL_SPECS
from tests.support.stack import running_stack
from tests.support.wait import wait_for
from tests.verify.cast import Cast, new_cast
from tests.verify.followers import Followers


@pytest.fixture(scope="module")
def own_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackInfo]:
    """Give a stack that no other test writes to."""
    with running_stack(tmp_path_factory.mktemp("verify") / "data") as info:
        yield info


@pytest.fixture(scope="module")
def cast(own_stack: StackInfo) -> Iterator[Cast]:
    """Give the people of the tests."""
    with new_cast(own_stack) as people:
        yield people


@pytest.fixture(scope="module")
def engine(own_stack: StackInfo, cast: Cast) -> Iterator[Engine]:
    """Give an engine with a tab open for everybody.

    It does not reconcile, so a change that the stream loses stays lost and fails a test.
    """
    started = Engine.start(
        EngineConfig(own_stack.url, own_stack.anon_key), ALL_SPECS, Timing(reconcile=3600, stream_wait=30)
    )
    try:
        for name, person in cast.readers.items():
            started.attach(f"tab of {name}", person)
        for name, person in cast.readers.items():
            user_id = person.user_id if person else None
            assert started.wait_loaded(60, user_id=user_id), f"Nothing was loaded for {name}."
            wait_for(partial(_is_live, started, user_id), what=f"{name} to be live")
        yield started
    finally:
        started.stop()


@pytest.fixture(scope="module")
def followers(own_stack: StackInfo, cast: Cast) -> Iterator[Followers]:
    """Give each person a store that catches up without a stream."""
    opened = Followers(own_stack, cast.readers)
    try:
        opened.catch_up()
        yield opened
    finally:
        opened.close()


def _is_live(engine: Engine, user_id: str | None) -> bool:
    return engine.status(user_id).state is FeedState.LIVE
