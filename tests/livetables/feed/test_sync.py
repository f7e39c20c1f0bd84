"""Reading into a store on a real stack: loading, catching up, and what counts as lost. There is no stream."""

import asyncio
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from livetables.config import EngineConfig
from livetables.errors import ReadError
from livetables.faults import FAULTS
from livetables.feed.reads import ChangesSince
from livetables.tables.changes import Change, Key, Op, Record
from livetables.tables.spec import AnySpec
from livetables.timing import wait_for_event
from local_supabase.stack.runtime import StackInfo
from realtime_handlers.diagnostics import CHANGE_LOG
from realtime_handlers.messages import PRIVATE_MESSAGES, TAVERN_MESSAGES
from realtime_handlers.people import USERS
from tests.livetables.broken import post_message, sql
from tests.livetables.fault_proxy import FaultProxy
from tests.livetables.feed.harness import MESSAGES, Synced, synced, token_of
from tests.livetables.support import fresh_load
from tests.support.people import Person, anonymous_client, give_role, sign_up


@pytest.fixture
def project(stack: StackInfo) -> EngineConfig:
    return EngineConfig(stack.url, stack.anon_key)


async def test_loading_shows_the_newest_rows_and_marks_tables_as_loaded(
    project: EngineConfig, stack: StackInfo, ada: Person
) -> None:
    message = post_message(stack, ada)
    async with synced(project) as one:
        await one.sync.load()
        assert one.sync.loaded
        assert one.store.loaded.is_set()
        assert message in one.rows()


async def test_catching_up_reads_what_changed_since_the_last_time(
    project: EngineConfig, stack: StackInfo, ada: Person
) -> None:
    changed, deleted = post_message(stack, ada), post_message(stack, ada)
    async with synced(project) as one:
        await one.sync.load()
        new = post_message(stack, ada)
        with sql(stack) as cursor:
            cursor.execute("update public.tavern_messages set body = 'changed' where id = %s", changed)
            cursor.execute("delete from public.tavern_messages where id = %s", deleted)
        assert await one.sync.catch_up() == 0
        rows = one.rows()
        assert new in rows
        assert deleted not in rows
        assert rows[changed].body == "changed"


async def test_a_row_that_commits_late_is_found(project: EngineConfig, stack: StackInfo, ada: Person) -> None:
    """Its transaction began before others whose changes were already read, and commits after them."""
    late = str(uuid.uuid4())
    async with synced(project) as one:
        await one.sync.load()
        with sql(stack) as cursor:
            cursor.execute(
                "insert into public.tavern_messages (id, author_id, body) values (%s, %s, 'late')",
                (late, ada.user_id),
            )
            early = post_message(stack, ada, "early")
            for _ in range(3):
                await one.sync.catch_up()
            assert early in one.rows()
            assert (late,) not in one.rows()
        await one.sync.catch_up()
        assert (late,) in one.rows()


async def test_catching_up_with_nothing_costs_one_request(project: EngineConfig) -> None:
    async with synced(project) as one:
        await one.sync.load()
        before = one.reader.requests
        for _ in range(5):
            await one.sync.catch_up()
        assert one.reader.requests - before == 5


async def test_a_change_that_the_stream_does_not_deliver_in_time_is_lost(
    project: EngineConfig, stack: StackInfo, ada: Person
) -> None:
    async with synced(project) as one:
        await one.sync.load()
        post_message(stack, ada)
        assert await one.sync.catch_up(grace=0.01) == 1
        assert await one.sync.catch_up(grace=0.01) == 0


async def test_a_change_that_the_stream_delivers_in_time_is_not_lost(
    project: EngineConfig, stack: StackInfo, ada: Person
) -> None:
    async with synced(project) as one:
        await one.sync.load()
        [message] = post_message(stack, ada)
        hurry = asyncio.Event()
        catching_up = asyncio.create_task(one.sync.catch_up(grace=600, hurry=hurry))
        await deliver(one, stack, message)
        hurry.set()
        assert await catching_up == 0
        assert (message,) in one.rows()


async def deliver(one: Synced, stack: StackInfo, message: str) -> None:
    """Apply a message as the stream would."""
    answer = anonymous_client(stack).table(MESSAGES.name).select("*").eq("id", message).execute()
    one.store.apply_written(MESSAGES.name, dict(answer.data[0]))  # type: ignore[arg-type]


async def test_a_hurry_ends_the_wait_for_the_stream_and_counts_nothing_as_lost(
    project: EngineConfig, stack: StackInfo, ada: Person
) -> None:
    async with synced(project) as one:
        await one.sync.load()
        message = post_message(stack, ada)
        hurry = asyncio.Event()
        hurry.set()
        assert await wait_for_event(hurry, 0)
        assert await one.sync.catch_up(grace=600, hurry=hurry) == 0
        assert message in one.rows()


async def test_a_cursor_older_than_the_log_loads_everything_again(
    project: EngineConfig, stack: StackInfo, ada: Person
) -> None:
    deleted = post_message(stack, ada)
    async with synced(project) as one:
        await one.sync.load()
        missed = post_message(stack, ada)
        with sql(stack) as cursor:
            cursor.execute("delete from public.tavern_messages where id = %s", deleted)
        with sql(stack) as cursor:
            cursor.execute("select public.prune_change_log('0')")
        await one.sync.catch_up()
        assert missed in one.rows()
        assert deleted not in one.rows()


async def test_a_row_that_moves_out_of_sight_is_gone(
    project: EngineConfig, stack: StackInfo, ada: Person
) -> None:
    """Realtime reports that to nobody. The change log names those who could see the row before."""
    bo, cy = sign_up(stack, "Bo"), sign_up(stack, "Cy")
    message = str(uuid.uuid4())
    with sql(stack) as cursor:
        cursor.execute(
            "insert into public.private_messages (id, sender_id, recipient_id, body)"
            " values (%s, %s, %s, 'for bo')",
            (message, ada.user_id, bo.user_id),
        )
    async with synced(project, [PRIVATE_MESSAGES], token_of(bo)) as one:
        await one.sync.load()
        assert (message,) in one.rows("private_messages")
        with sql(stack) as cursor:
            # This schema forbids the update. Other projects' schemas do not.
            cursor.execute("alter table public.private_messages disable trigger guard_content")
            cursor.execute(
                "update public.private_messages set recipient_id = %s where id = %s", (cy.user_id, message)
            )
            cursor.execute("alter table public.private_messages enable trigger guard_content")
        await one.sync.catch_up()
        assert (message,) not in one.rows("private_messages")


async def test_rows_that_the_retention_removed_from_the_log_are_gone(
    project: EngineConfig, stack: StackInfo, ada: Person
) -> None:
    """The log does not log itself, so catching up compares its window."""
    admin = sign_up(stack, "Admin")
    give_role(stack, admin.user_id, "admin")
    post_message(stack, ada)
    async with synced(project, [CHANGE_LOG], token_of(admin)) as one:
        await one.sync.load()
        before = one.rows("change_log").keys()
        assert before
        with sql(stack) as cursor:
            cursor.execute("select public.prune_change_log('0')")
        post_message(stack, ada)
        await one.sync.catch_up()
        assert one.rows("change_log")
        assert not one.rows("change_log").keys() & before


async def test_single_rows_can_be_read_again(project: EngineConfig, stack: StackInfo, ada: Person) -> None:
    changed, deleted, untouched = (post_message(stack, ada) for _ in range(3))
    async with synced(project) as one:
        await one.sync.load()
        with sql(stack) as cursor:
            cursor.execute("update public.tavern_messages set body = 'changed'")
            cursor.execute("delete from public.tavern_messages where id = %s", deleted)
        await one.sync.refetch(MESSAGES.name, [changed, deleted])
        assert one.rows()[changed].body == "changed"
        assert one.rows()[untouched].body != "changed"
        assert deleted not in one.rows()


async def test_a_doubtful_row_is_read_once_more_with_the_next_call(
    project: EngineConfig, stack: StackInfo, ada: Person
) -> None:
    message = post_message(stack, ada)
    async with synced(project) as one:
        await one.sync.load()
        row = one.rows()[message]
        with sql(stack) as cursor:
            cursor.execute("delete from public.tavern_messages where id = %s", message)
        await one.sync.catch_up()
        late = Change(MESSAGES.name, Op.UPDATE, message, row, row.version, position=one.store.position())
        one.store.apply([late])
        assert one.store.revived_by([late]) == []
        await one.sync.catch_up()
        assert message in one.rows()
        one.sync.doubt(MESSAGES.name, message)
        await one.sync.catch_up()
        assert message not in one.rows()
        requests = one.reader.requests
        await one.sync.catch_up()
        assert one.reader.requests == requests + 1


async def test_a_row_that_is_doubted_again_while_it_is_read_is_read_again(
    project: EngineConfig, stack: StackInfo, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = post_message(stack, ada)
    async with synced(project) as one:
        await one.sync.load()
        by_key, read = one.reader.by_key, list[list[Key]]()

        async def doubted_meanwhile(spec: AnySpec, keys: Sequence[Key]) -> list[Record]:
            read.append(list(keys))
            if len(read) == 2:
                raise ReadError("away")
            one.sync.doubt(MESSAGES.name, message)
            return await by_key(spec, keys)

        monkeypatch.setattr(one.reader, "by_key", doubted_meanwhile)
        one.sync.doubt(MESSAGES.name, message)
        await one.sync.catch_up()
        with pytest.raises(ReadError, match="away"):
            await one.sync.catch_up()
        await one.sync.catch_up()
        assert read == [[message]] * 3  # the first, again, and again after the failure


async def test_older_rows_are_loaded_page_by_page(
    project: EngineConfig, stack: StackInfo, ada: Person
) -> None:
    window = TAVERN_MESSAGES.window
    assert window is not None
    ada.client.table(MESSAGES.name).insert([{"body": str(number)} for number in range(2 * window)]).execute()
    async with synced(project) as one:
        await one.sync.load()
        assert len(one.rows()) == window
        while await one.sync.load_older(MESSAGES.name):
            pass
        assert one.rows() == fresh_load(anonymous_client(stack), MESSAGES)


async def test_after_a_failure_it_can_be_called_again(
    proxy: FaultProxy, stack: StackInfo, ada: Person
) -> None:
    async with synced(EngineConfig(proxy.url, stack.anon_key)) as one:
        await asyncio.to_thread(proxy.refuse)
        with pytest.raises(ReadError):
            await one.sync.load()
        await asyncio.to_thread(proxy.accept)
        await one.sync.load()
        message = post_message(stack, ada)
        await asyncio.to_thread(proxy.refuse)
        with pytest.raises(ReadError):
            await one.sync.catch_up()
        await asyncio.to_thread(proxy.accept)
        await one.sync.catch_up()
        assert message in one.rows()


def readable_unless(spec: AnySpec, unreadable: Callable[[Record], bool], error: Exception) -> AnySpec:
    """Return the spec of an app that cannot read some of the rows."""

    def parse(record: Record) -> object:
        if unreadable(record):
            raise error
        return spec.parse(record)

    return replace(spec, parse=parse)


@pytest.mark.parametrize("error", [KeyError("body"), ValueError("body"), TypeError("body")])
async def test_a_row_that_cannot_be_read_is_left_out_and_counted(
    project: EngineConfig, stack: StackInfo, ada: Person, error: Exception
) -> None:
    good, bad = post_message(stack, ada), post_message(stack, ada)
    spec = readable_unless(MESSAGES, lambda record: (record["id"],) == bad, error)
    before = FAULTS.counts.get("rows of tavern_messages", 0)
    async with synced(project, [spec]) as one:
        await one.sync.load()
        assert good in one.rows()
        assert bad not in one.rows()
    assert FAULTS.counts["rows of tavern_messages"] > before


async def test_a_table_of_which_no_row_can_be_read_keeps_no_other_table_from_loading(
    project: EngineConfig, stack: StackInfo, ada: Person
) -> None:
    for _ in range(3):
        post_message(stack, ada)
    spec = replace(readable_unless(MESSAGES, lambda _: True, KeyError("renamed")), window=2)
    async with synced(project, [spec, USERS]) as one:
        await one.sync.load()
        assert one.store.loaded.is_set()
        assert one.rows() == {}
        assert (ada.user_id,) in one.rows("users")


async def test_an_unreadable_oldest_row_of_a_full_window_lets_the_others_move_on(
    project: EngineConfig, stack: StackInfo, ada: Person
) -> None:
    """A table whose changes are not in the log is compared with its window, and with its oldest row."""
    for _ in range(3):
        post_message(stack, ada)
    async with synced(project) as first:
        oldest = await first.reader.oldest(MESSAGES)
        assert oldest is not None
    unlogged = replace(MESSAGES, logged=False, window=2)
    spec = readable_unless(unlogged, lambda record: record["id"] == oldest["id"], KeyError("body"))
    async with synced(project, [spec]) as one:
        await one.sync.load()
        new = post_message(stack, ada)
        await one.sync.catch_up()
        assert new in one.rows()


async def test_a_log_that_was_pruned_during_a_load_makes_it_load_again(
    project: EngineConfig, stack: StackInfo, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    message, asked = post_message(stack, ada), 0
    async with synced(project) as one:
        changes_since = one.reader.changes_since

        async def pruned_meanwhile(cursor: str | None) -> ChangesSince:
            nonlocal asked
            asked += 1
            answer = await changes_since(cursor)
            if asked != 2:
                return answer
            with sql(stack) as writing:
                writing.execute("update public.tavern_messages set body = 'newer' where id = %s", message)
            return replace(answer, resync=True, changes=())

        monkeypatch.setattr(one.reader, "changes_since", pruned_meanwhile)
        await one.sync.load()
        assert one.rows()[message].body == "newer"
        assert asked == 4


async def test_a_log_that_never_reaches_back_is_an_error(
    project: EngineConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def always_pruned(cursor: str | None) -> ChangesSince:
        return ChangesSince("1", resync=cursor is not None, changes=())

    async with synced(project) as one:
        monkeypatch.setattr(one.reader, "changes_since", always_pruned)
        with pytest.raises(ReadError, match="does not reach back"):
            await one.sync.load()
        assert not one.sync.loaded


async def test_a_failed_load_leaves_no_read_behind_that_writes_later(
    project: EngineConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    held_up, cancelled = asyncio.Event(), asyncio.Event()

    async with synced(project, [MESSAGES, USERS]) as one:

        async def fails(*_: object) -> list[Record]:
            await held_up.wait()
            raise ReadError("away")

        async def hangs(*_: object) -> list[Record]:
            held_up.set()
            try:
                await asyncio.Event().wait()
            finally:
                cancelled.set()
            raise AssertionError

        monkeypatch.setattr(one.reader, "newest", fails)
        monkeypatch.setattr(one.reader, "everything", hangs)
        with pytest.raises(ReadError, match="away"):
            await one.sync.load()
        assert cancelled.is_set()
