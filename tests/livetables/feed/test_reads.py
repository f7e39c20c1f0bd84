"""Reads over HTTP on a real stack: pages, keys, windows, and which error means what."""

from dataclasses import replace

import httpx
import pytest

from livetables.config import EngineConfig
from livetables.errors import NotAllowedError, ReadError, RefusedQueryError
from livetables.feed import reads, sync
from livetables.feed.reads import ChangesSince, Reader, ReaderConfig
from livetables.tables.changes import Key
from livetables.tables.filters import parse
from livetables.tables.spec import AnySpec
from local_supabase.stack.runtime import StackInfo
from realtime_handlers import ALL_SPECS
from realtime_handlers.events import EVENTS, RSVPS
from realtime_handlers.messages import PRIVATE_MESSAGES, TAVERN_MESSAGES
from realtime_handlers.people import USERS
from tests.livetables.broken import post_message
from tests.livetables.feed.harness import synced, token_of
from tests.livetables.support import fresh_load
from tests.livetables.things import NOWHERE
from tests.support.people import Person, anonymous_client, sign_up

SPECS: dict[str, AnySpec] = {spec.name: spec for spec in ALL_SPECS}


async def anonymous() -> str | None:
    return None


async def forged() -> str | None:
    return "e30.e30.e30"


def reader(http: httpx.AsyncClient, project: EngineConfig, filters: str = "") -> Reader:
    return Reader(ReaderConfig(project, anonymous, http), SPECS, parse(filters))


def project(stack: StackInfo) -> EngineConfig:
    return EngineConfig(stack.url, stack.anon_key)


@pytest.mark.parametrize("spec", [USERS, RSVPS], ids=["one key column", "two key columns"])
async def test_a_table_larger_than_a_page_is_read_whole(spec: AnySpec, stack: StackInfo) -> None:
    """Hosted projects return at most 1,000 rows; here a page is 3."""
    async with httpx.AsyncClient() as http:
        pages = [page async for page in reader(http, project(stack)).pages(spec, size=3)]
    records = [record for page in pages for record in page]
    assert len(pages) > 2
    assert all(len(page) == 3 for page in pages[:-1])
    assert {spec.key_of(record): spec.parse(record) for record in records} == fresh_load(
        anonymous_client(stack), spec
    )


async def test_rows_are_read_by_key_in_any_number(stack: StackInfo) -> None:
    existing = fresh_load(anonymous_client(stack), USERS)
    unknown = [(f"00000000-0000-4000-8000-{number:012d}",) for number in range(150)]
    async with httpx.AsyncClient() as http:
        found = await reader(http, project(stack)).by_key(USERS, [*unknown, *existing])
    assert {USERS.key_of(record) for record in found} == existing.keys()


async def test_the_newest_rows_and_those_before_them_adjoin(stack: StackInfo, ada: Person) -> None:
    keys = [post_message(stack, ada, str(number)) for number in range(4)]
    async with httpx.AsyncClient() as http:
        one = reader(http, project(stack))
        newest = await one.newest(TAVERN_MESSAGES, 2)
        before = await one.newest(TAVERN_MESSAGES, 2, before=newest[-1])
        assert await one.newest_keys(TAVERN_MESSAGES, 4) == keys[::-1]
        oldest = await one.oldest(TAVERN_MESSAGES)
    assert [TAVERN_MESSAGES.key_of(record) for record in newest + before] == keys[::-1]
    existing = fresh_load(anonymous_client(stack), TAVERN_MESSAGES)
    assert oldest is not None
    assert TAVERN_MESSAGES.parse(oldest).created_at <= min(row.created_at for row in existing.values())


async def test_filters_apply_to_every_read_of_rows(stack: StackInfo, ada: Person) -> None:
    bo = sign_up(stack, "Bo")
    mine, foreign = post_message(stack, ada), post_message(stack, bo)
    async with httpx.AsyncClient() as http:
        one = reader(http, project(stack), f"author_id=eq.{ada.user_id}")
        assert [record["id"] for record in await one.by_key(TAVERN_MESSAGES, [mine, foreign])] == [*mine]
        newest = await one.newest(TAVERN_MESSAGES, 100)
    assert {record["author_id"] for record in newest} == {ada.user_id}


async def test_changes_are_named_by_key_since_a_cursor(stack: StackInfo, ada: Person) -> None:
    async with httpx.AsyncClient() as http:
        one = reader(http, project(stack))
        start = await one.changes_since(None)
        message = post_message(stack, ada)
        since = await one.changes_since(start.cursor)
        assert start.changes == ()
        assert [change.key for change in since.changes if change.table == "tavern_messages"] == [message]
        assert (await one.changes_since("1")).resync
        assert one.requests == one.answers == 3


async def test_an_error_says_whether_retrying_can_help(stack: StackInfo) -> None:
    async with httpx.AsyncClient() as http:
        with pytest.raises(RefusedQueryError):
            await reader(http, project(stack), "capacity=gt.99999999999").everything(EVENTS)
        with pytest.raises(NotAllowedError):
            await Reader(ReaderConfig(project(stack), forged, http), SPECS).everything(USERS)
        with pytest.raises(ReadError, match="Connect"):
            await reader(http, NOWHERE).everything(USERS)


async def test_what_a_person_may_read_is_loaded_in_one_answer_or_table_by_table(
    stack: StackInfo, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    specs: list[AnySpec] = [USERS, PRIVATE_MESSAGES, TAVERN_MESSAGES]
    here, token, asked = project(stack), token_of(ada), []

    async def counted() -> str | None:
        asked.append("token")
        return await token()

    post_message(stack, ada)
    async with synced(here, specs, counted) as one, synced(here, specs, token) as other:
        await one.sync.load()
        assert one.reader.requests == 1
        monkeypatch.setattr(reads, "_FIRST_ROWS", "no_such_function")
        await other.sync.load()
        assert other.reader.requests == 6
        assert len(asked) == 1
        for spec in specs:
            assert one.store.moment.tables[spec.name].rows == other.store.moment.tables[spec.name].rows


async def test_rows_of_one_moment_need_no_further_request_and_nothing_after_it_is_missed(
    stack: StackInfo, ada: Person
) -> None:
    async with synced(project(stack), [TAVERN_MESSAGES, USERS], token_of(ada)) as one:
        await one.sync.load()
        assert one.reader.requests == 1
        new = post_message(stack, ada)
        await one.sync.catch_up()
        assert new in one.rows()


async def test_a_table_of_more_rows_than_an_answer_holds_makes_a_load_read_what_changed_meanwhile(
    stack: StackInfo, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    post_message(stack, ada)
    whole = replace(TAVERN_MESSAGES, window=None, order=None)
    written: list[Key] = []
    async with synced(project(stack), [whole, USERS], token_of(ada)) as one:
        changes_since = one.reader.changes_since

        async def after_a_write(cursor: str | None) -> ChangesSince:
            written.append(post_message(stack, ada))
            return await changes_since(cursor)

        monkeypatch.setattr(one.reader, "changes_since", after_a_write)
        monkeypatch.setattr(sync, "PAGE", 1)
        await one.sync.load()
        assert len(written) == 1
        assert written[0] in one.rows()
