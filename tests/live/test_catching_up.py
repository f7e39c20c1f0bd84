"""What the stream does not bring is read: after outages, in its place, and beside it."""

import asyncio
import dataclasses
import uuid

from live.engine import Engine
from live.status import FeedState
from local_supabase.runtime import StackInfo
from tests.live.broken import QUICK, running, say, sql, wait_shown, wait_state
from tests.live.fault_proxy import FaultProxy, Message
from tests.live.support import Signed, rows_of
from tests.support.people import Person, give_role, sign_up
from tests.support.wait import wait_for


def test_without_websockets_changes_are_polled(proxy: FaultProxy, stack: StackInfo, ada: Person) -> None:
    proxy.no_websockets = True
    with running(proxy, stack) as engine:
        wait_state(engine, FeedState.POLLING)
        message = say(stack, ada)
        wait_shown(engine, message, within=5)
        with sql(stack) as cursor:
            cursor.execute("delete from public.tavern_messages where id = %s", message)
        wait_for(lambda: message not in rows_of(engine, "tavern_messages"), what="the deletion")
        proxy.heal()
        wait_state(engine, FeedState.LIVE)


def test_polling_finds_what_commits_late(proxy: FaultProxy, stack: StackInfo, ada: Person) -> None:
    """A transaction begun before, and committed after, others whose changes were read already."""
    proxy.no_websockets = True
    late = str(uuid.uuid4())
    with running(proxy, stack) as engine:
        wait_state(engine, FeedState.POLLING)
        with sql(stack) as cursor:
            cursor.execute(
                "insert into public.tavern_messages (id, author_id, body) values (%s, %s, 'late')",
                (late, ada.user_id),
            )
            wait_shown(engine, say(stack, ada, "early"))
            asked = proxy.requests
            wait_for(lambda: proxy.requests > asked + 3, what="further polls")
        wait_shown(engine, (late,))


def test_polling_and_reconciling_cost_one_request_each(proxy: FaultProxy, stack: StackInfo) -> None:
    """Counted where they are sent: one connection may carry many."""
    proxy.no_websockets = True
    with running(proxy, stack) as engine:
        wait_state(engine, FeedState.POLLING)
        sync = engine._public._feed._sync  # type: ignore[union-attr]
        calls = []
        ask = sync.catch_up

        async def counted(grace: float = 0, hurry: asyncio.Event | None = None) -> int:
            before = sync._reader.requests
            found = await ask(grace, hurry)
            calls.append(sync._reader.requests - before)
            return found

        sync.catch_up = counted  # type: ignore[method-assign]
        wait_for(lambda: len(calls) >= 5, what="polls")
        assert set(calls) == {1}


def test_events_dropped_in_silence_are_repaired_and_counted(
    proxy: FaultProxy, stack: StackInfo, ada: Person
) -> None:
    timing = dataclasses.replace(QUICK, reconcile=0.3, grace=0.2)
    with running(proxy, stack, timing) as engine:
        assert engine.wait_loaded(20)
        wait_state(engine, FeedState.LIVE)
        wait_shown(engine, say(stack, ada))
        assert engine.status().repaired == 0
        proxy.rewrite = lambda message: None if message["event"] == "postgres_changes" else message
        wait_shown(engine, say(stack, ada))
        assert engine.status().repaired == 1
        assert engine.status().state is FeedState.LIVE


def test_in_healthy_operation_nothing_is_repaired(proxy: FaultProxy, stack: StackInfo, ada: Person) -> None:
    timing = dataclasses.replace(QUICK, reconcile=0.1, grace=0.5)
    with running(proxy, stack, timing) as engine:
        assert engine.wait_loaded(20)
        wait_state(engine, FeedState.LIVE)
        for _ in range(60):
            last = say(stack, ada)
        wait_shown(engine, last)
        assert engine.status().repaired == 0


def test_an_event_without_all_columns_is_read_by_its_key(
    proxy: FaultProxy, stack: StackInfo, ada: Person
) -> None:
    def too_large(message: Message) -> Message:
        if message["event"] == "postgres_changes":
            data = message["payload"]["data"]
            data["errors"] = ["Error 413: Payload Too Large"]
            data["record"].pop("body", None)
        return message

    with running(proxy, stack) as engine:
        assert engine.wait_loaded(20)
        wait_state(engine, FeedState.LIVE)
        proxy.rewrite = too_large
        message = say(stack, ada, "large")
        wait_shown(engine, message, within=5)
        assert rows_of(engine, "tavern_messages")[message].body == "large"


def test_a_cursor_older_than_the_log_loads_everything_again(
    proxy: FaultProxy, stack: StackInfo, ada: Person
) -> None:
    doomed = say(stack, ada)
    with running(proxy, stack) as engine:
        assert engine.wait_loaded(20)
        wait_shown(engine, doomed)
        proxy.refuse()
        wait_state(engine, FeedState.OFFLINE)
        missed = say(stack, ada)
        with sql(stack) as cursor:
            cursor.execute("delete from public.tavern_messages where id = %s", doomed)
        with sql(stack) as cursor:
            cursor.execute("select public.prune_change_log('0')")
        proxy.heal()
        wait_state(engine, FeedState.LIVE)
        assert missed in rows_of(engine, "tavern_messages")
        assert doomed not in rows_of(engine, "tavern_messages")


def test_a_row_that_moves_out_of_sight_is_gone(proxy: FaultProxy, stack: StackInfo, ada: Person) -> None:
    """Realtime tells nobody; the change log names those who could see it before."""
    bo, cy = sign_up(stack, "Bo"), sign_up(stack, "Cy")
    timing = dataclasses.replace(QUICK, reconcile=0.3, grace=0.1)
    with running(proxy, stack, timing) as engine:
        engine.attach("bo", Signed(bo))
        assert engine.wait_loaded(20, user_id=bo.user_id)
        wait_state(engine, FeedState.LIVE, user_id=bo.user_id)
        message = str(uuid.uuid4())
        with sql(stack) as cursor:
            cursor.execute(
                "insert into public.private_messages (id, sender_id, recipient_id, body)"
                " values (%s, %s, %s, 'for bo')",
                (message, ada.user_id, bo.user_id),
            )
        key = (message,)
        wait_for(lambda: key in rows_of(engine, "private_messages", bo.user_id), what="the message")
        with sql(stack) as cursor:
            # The schema forbids it; other tables and projects do not.
            cursor.execute("alter table public.private_messages disable trigger guard_content")
            cursor.execute(
                "update public.private_messages set recipient_id = %s where id = %s", (cy.user_id, message)
            )
        wait_for(lambda: key not in rows_of(engine, "private_messages", bo.user_id), what="it to be gone")
        with sql(stack) as cursor:
            cursor.execute("alter table public.private_messages enable trigger guard_content")


def test_a_right_that_was_lost_and_is_back_leaves_no_gap(
    proxy: FaultProxy, stack: StackInfo, ada: Person
) -> None:
    """An admin is none for a while and a member is one, and the feed that tells of roles hears of neither."""
    admin, member = sign_up(stack, "Admin"), sign_up(stack, "Member")
    give_role(stack, admin.user_id, "admin")
    roles = {admin: ("member", "admin"), member: ("admin", "member")}
    timing = dataclasses.replace(QUICK, reconcile=1000.0, grace=0.1)

    def silence(message: Message) -> Message | None:
        return None if message["event"] == "postgres_changes" else message

    def shown(person: Person) -> bool:
        return (run,) in rows_of(engine, "agent_runs", person.user_id)

    with running(proxy, stack, timing) as engine:
        for person in roles:
            engine.attach(person.user_id, Signed(person))
            assert engine.wait_loaded(20, user_id=person.user_id)
            wait_state(engine, FeedState.LIVE, user_id=person.user_id)
        proxy.rewrite = silence
        for person, (meanwhile, _) in roles.items():
            give_role(stack, person.user_id, meanwhile)
        run = str(uuid.uuid4())
        with sql(stack) as cursor:
            values = (run, ada.user_id, "checker", "checker-1")
            cursor.execute(
                "insert into public.agent_runs (id, user_id, agent_name, agent_id) values (%s, %s, %s, %s)",
                values,
            )
        for person in roles:
            look_again(engine, person)
        assert (shown(admin), shown(member)) == (False, True)
        proxy.rewrite = None
        for person, (_, again) in roles.items():
            give_role(stack, person.user_id, again)
        wait_for(lambda: shown(admin) and not shown(member), what="what each of them may see now")


def look_again(engine: Engine, person: Person) -> None:
    """Have a person's own feed read what changed, and wait until it has."""
    feed = engine._audiences[person.user_id]._feed
    assert feed is not None
    cursor = feed._sync._cursor
    engine._loop.call_soon_threadsafe(feed._wanted.set)
    wait_for(lambda: feed._sync._cursor != cursor, what="the look")


def test_what_the_retention_removed_is_gone_from_an_admins_activity(
    proxy: FaultProxy, stack: StackInfo, ada: Person
) -> None:
    """The log does not log itself, so that no cursor tells of it."""
    admin = sign_up(stack, "Admin")
    give_role(stack, admin.user_id, "admin")
    timing = dataclasses.replace(QUICK, reconcile=0.3, grace=0.1)
    with running(proxy, stack, timing) as engine:
        engine.attach("admin", Signed(admin))
        assert engine.wait_loaded(20, user_id=admin.user_id)
        wait_state(engine, FeedState.LIVE, user_id=admin.user_id)
        wait_for(lambda: len(rows_of(engine, "change_log", admin.user_id)) > 1, what="the activity")
        proxy.rewrite = lambda message: None if message["event"] == "postgres_changes" else message
        before = rows_of(engine, "change_log", admin.user_id).keys()
        with sql(stack) as cursor:
            cursor.execute("select public.prune_change_log('0')")
        say(stack, ada)
        wait_for(
            lambda: (now := rows_of(engine, "change_log", admin.user_id).keys()) and not now & before,
            what="only the new to be left",
        )
        with sql(stack) as cursor:
            cursor.execute("select public.prune_change_log('0')")
        wait_for(lambda: not rows_of(engine, "change_log", admin.user_id), what="the last to go")
