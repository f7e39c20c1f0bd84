"""The engine on a database that lacks something, and on one that has only private tables."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from livetables.config import EngineConfig
from livetables.engine import Engine
from livetables.feed.status import FeedState
from livetables.tables.spec import AnySpec, TableSpec
from local_supabase.stack.runtime import StackInfo
from realtime_handlers.messages import PRIVATE_MESSAGES, TAVERN_MESSAGES
from tests.livetables.broken import QUICK, sql
from tests.livetables.support import Signed
from tests.livetables.things import Thing, parse
from tests.support.people import Person
from tests.support.wait import wait_for


def spec(name: str) -> TableSpec[Thing]:
    return TableSpec(name, ("id",), parse)


@contextlib.contextmanager
def running(stack: StackInfo, specs: Sequence[AnySpec]) -> Iterator[Engine]:
    timing = replace(QUICK, open=4, setup=0.1, setup_retry=0.1)
    engine = Engine.start(EngineConfig(stack.url, stack.anon_key), specs, timing)
    try:
        yield engine
    finally:
        engine.stop()


def wait_state(engine: Engine, state: FeedState, user_id: str | None = None) -> None:
    wait_for(
        lambda: engine.status(user_id).state is state,
        what=f"{state}; it is {engine.status(user_id).state}",
        within=15,
    )


def wait_missing(engine: Engine, text: str) -> None:
    wait_for(
        lambda: any(text in missing for missing in engine.status().missing),
        what=f"{text!r}; missing is {engine.status().missing}",
    )


@pytest.fixture
def unpublished(stack: StackInfo) -> Iterator[str]:
    """Give a table that anybody may read, and that Realtime does not send."""
    with sql(stack) as cursor:
        cursor.execute("create table public.unpublished (id int primary key, text text, version int)")
        cursor.execute("notify pgrst, 'reload schema'")
    yield "unpublished"
    with sql(stack) as cursor:
        cursor.execute("drop table public.unpublished")


def test_where_all_tables_are_private_a_visitor_is_live_too(stack: StackInfo) -> None:
    with running(stack, [PRIVATE_MESSAGES]) as engine:
        wait_state(engine, FeedState.LIVE)
        assert engine.wait_loaded(0)


def test_who_may_read_no_table_is_live(stack: StackInfo, ada: Person) -> None:
    hidden = replace(PRIVATE_MESSAGES, visible_to=lambda *_: False)
    with running(stack, [TAVERN_MESSAGES, hidden]) as engine:
        engine.attach("tab", Signed(ada))
        wait_state(engine, FeedState.LIVE, ada.user_id)
        assert engine.tables(ada.user_id).keys() == {"tavern_messages"}


def test_a_misspelt_table_is_named(stack: StackInfo) -> None:
    with running(stack, [spec("tavern_mesages")]) as engine:
        wait_missing(engine, "Perhaps you meant the table 'public.tavern_messages'")
        wait_state(engine, FeedState.INCOMPLETE)


def test_a_missing_function_is_named_with_the_command(stack: StackInfo, unpublished: str) -> None:
    with sql(stack) as cursor:
        cursor.execute(
            "alter function public.changes_since(text) rename to hidden; notify pgrst, 'reload schema'"
        )
    try:
        with running(stack, [TAVERN_MESSAGES]) as engine:
            wait_state(engine, FeedState.INCOMPLETE)
            [missing] = engine.status().missing
            assert "changes_since" in missing
    finally:
        with sql(stack) as cursor:
            cursor.execute(
                "alter function public.hidden(text) rename to changes_since; notify pgrst, 'reload schema'"
            )


def test_a_table_that_realtime_does_not_send_is_named_until_it_does(
    stack: StackInfo, unpublished: str
) -> None:
    with running(stack, [spec(unpublished)]) as engine:
        wait_state(engine, FeedState.INCOMPLETE)
        [missing] = engine.status().missing
        assert "alter publication supabase_realtime add table public.unpublished" in missing
        with sql(stack) as cursor:
            cursor.execute("alter publication supabase_realtime add table public.unpublished")
        wait_state(engine, FeedState.LIVE)
        assert engine.status().missing == ()


def test_a_table_that_may_not_be_read_is_named(stack: StackInfo, unpublished: str) -> None:
    with sql(stack) as cursor:
        cursor.execute("revoke all on public.unpublished from anon")
    with running(stack, [spec(unpublished)]) as engine:
        wait_missing(engine, "permission denied for table unpublished")
        wait_state(engine, FeedState.INCOMPLETE)


def test_what_a_check_finds_is_shown_until_it_finds_nothing(stack: StackInfo) -> None:
    found = ["items is not watched"]
    with running(stack, [TAVERN_MESSAGES]) as engine:
        wait_state(engine, FeedState.LIVE)
        engine.keep_checking(lambda: found)
        wait_state(engine, FeedState.INCOMPLETE)
        assert engine.attach("tab", None).status().missing == ("items is not watched",)
        found.clear()
        wait_state(engine, FeedState.LIVE)
