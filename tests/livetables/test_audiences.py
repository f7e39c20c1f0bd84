"""Audiences on a real stack: rights that change while a feed does not hear of it, and sign-ins that end."""

import asyncio
import dataclasses
import uuid

import httpx

from livetables.audiences import Audience, AudienceContext
from livetables.engine import Engine
from livetables.faults import FAULTS
from livetables.feed.connection import Connections, LivenessCheck
from livetables.feed.status import FeedState
from livetables.tables.spec import PublicTables
from livetables.timing import Timing
from local_supabase.stack.runtime import StackInfo
from realtime_handlers.agents import AGENT_RUNS
from tests.livetables.broken import NEVER, QUICK, running, sql, wait_state, without_changes
from tests.livetables.fault_proxy import FaultProxy
from tests.livetables.support import Signed, SignedOut, rows_of
from tests.livetables.things import NOWHERE
from tests.support.people import Person, give_role, sign_up
from tests.support.records import record_of
from tests.support.wait import wait_for


def catch_up(engine: Engine, person: Person) -> None:
    """Have a user's feed read what changed, and wait until it has."""
    audience = engine.audience(person.user_id)
    assert audience._feed is not None
    reader = audience._feed._sync._reader
    answers = reader.answers
    engine._runner.call(audience._feed.catch_up)
    wait_for(lambda: reader.answers > answers and reader.answers == reader.requests, what="the read")


def test_a_right_that_was_lost_and_is_back_leaves_no_gap(
    proxy: FaultProxy, stack: StackInfo, ada: Person
) -> None:
    """An admin is a member for a while, a member is an admin, and the public feed misses both changes."""
    admin, member = sign_up(stack, "Admin"), sign_up(stack, "Member")
    give_role(stack, admin.user_id, "admin")
    roles = {admin: ("member", "admin"), member: ("admin", "member")}
    timing = dataclasses.replace(QUICK, reconcile=NEVER, grace=0.1)

    def shown(person: Person) -> bool:
        return (run,) in rows_of(engine, "agent_runs", person.user_id)

    with running(proxy, stack, timing) as engine:
        for person in roles:
            engine.attach(person.user_id, Signed(person))
            assert engine.wait_loaded(20, user_id=person.user_id)
            wait_state(engine, FeedState.LIVE, user_id=person.user_id)
        proxy.rewrite = without_changes
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
            catch_up(engine, person)
        wait_for(lambda: shown(member), what="the run")
        assert not shown(admin)
        proxy.rewrite = None
        for person, (_, again) in roles.items():
            give_role(stack, person.user_id, again)
        wait_for(lambda: shown(admin) and not shown(member), what="what each of them may see now")
        assert "agent_runs" in engine.tables(member.user_id)


def test_another_sign_in_of_the_same_user_is_used_when_one_has_ended(
    proxy: FaultProxy, stack: StackInfo, ada: Person
) -> None:
    with running(proxy, stack) as engine:
        ended = SignedOut(ada.user_id)
        engine.attach("ended", ended)
        wait_for(lambda: ended.asked, what="the sign-in to be asked for a token")
        wait_state(engine, FeedState.LIVE)
        assert engine.status(ada.user_id).state is FeedState.CONNECTING
        engine.attach("valid", Signed(ada))
        wait_state(engine, FeedState.LIVE, user_id=ada.user_id)
        assert list(engine.audience(ada.user_id).users) == ["ended", "valid"]


def test_a_role_that_is_lost_takes_its_rows_along_even_while_nothing_can_be_read(
    proxy: FaultProxy, stack: StackInfo, ada: Person
) -> None:
    admin = sign_up(stack, "Admin")
    give_role(stack, admin.user_id, "admin")
    run = str(uuid.uuid4())
    with sql(stack) as cursor:
        cursor.execute(
            "insert into public.agent_runs (id, user_id, agent_name, agent_id) values (%s, %s, 'a', 'a')",
            (run, ada.user_id),
        )
    with running(proxy, stack) as engine:
        engine.attach("tab", Signed(admin))
        wait_for(lambda: (run,) in rows_of(engine, "agent_runs", admin.user_id), what="the admin's rows")
        profile = engine.tables()["users"].rows[admin.user_id,]
        # The news of the role gets through, and nothing after it.
        proxy.refuse()
        member = {**record_of("users"), "id": admin.user_id, "role": "member", "version": profile.version + 1}
        engine.apply_written("users", member)
        wait_for(lambda: not rows_of(engine, "agent_runs", admin.user_id), what="no rows of others")


def test_who_was_suspended_as_a_rater_keeps_only_their_own_profile(
    proxy: FaultProxy, stack: StackInfo, ada: Person
) -> None:
    rater = sign_up(stack, "Rater")
    tenant = f"t-{uuid.uuid4().hex[:8]}"
    with sql(stack) as cursor:
        cursor.execute("insert into public.tenants (id, name) values (%s, 'Acme')", (tenant,))
        for person in (ada, rater):
            cursor.execute(
                "insert into public.rater_profiles (user_id, tenant_id, rater_id, name)"
                " values (%s, %s, %s, 'X')",
                (person.user_id, tenant, person.user_id[:8]),
            )

    def shown() -> dict[tuple[str, ...], bool]:
        profiles = rows_of(engine, "rater_profiles", rater.user_id)
        return {key: profile.active for key, profile in profiles.items()}

    with running(proxy, stack) as engine:
        engine.attach("tab", Signed(rater))
        wait_for(lambda: len(shown()) == 2, what="the members")
        with sql(stack) as cursor:
            cursor.execute(
                "update public.rater_profiles set active = false where user_id = %s", (rater.user_id,)
            )
        wait_for(lambda: shown() == {(rater.user_id,): False}, what="their own profile alone")
        assert "rating_tasks" not in engine.tables(rater.user_id)


async def test_a_fault_in_a_specs_functions_does_not_end_the_feed() -> None:
    faults, made = [KeyError("a table that is not loaded")], asyncio.Event()

    def visible_to(_user_id: str, _public: PublicTables) -> bool:
        if faults:
            raise faults.pop()
        made.set()
        return False

    timing = Timing(first_retry=0.01)
    context = AudienceContext(timing, dict, lambda *_: None, lambda *_: None, lambda *_: None)
    audience = Audience("me", [dataclasses.replace(AGENT_RUNS, visible_to=visible_to)], context)
    before = FAULTS.counts.get("feed", 0)
    async with httpx.AsyncClient() as http:
        connections = Connections(NOWHERE, timing, LivenessCheck(lambda: NEVER, _nobody_answers))
        task = asyncio.create_task(audience.run(http, connections))
        async with asyncio.timeout(30):
            await made.wait()
        assert not task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert FAULTS.counts["feed"] == before + 1


async def _nobody_answers() -> bool:
    return False
