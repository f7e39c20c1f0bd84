"""Tenants are isolated in the API: in REST with real tokens, and in what Realtime sends."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from postgrest import APIError

from local_supabase.stack.runtime import StackInfo
from tests.supabase_schema import ratings_access
from tests.supabase_schema.database import session
from tests.supabase_schema.listening import listening
from tests.support.people import Person, sign_up
from tests.support.wait import wait_until

TABLES = ratings_access.TABLE.tables


@dataclass(frozen=True, slots=True)
class Cast:
    """Mia manages a tenant for which ray and may rate; sid manages another, for which vic rates."""

    tenant: str
    campaign: str
    mia: Person
    ray: Person
    may: Person
    sid: Person
    vic: Person


@pytest.fixture(scope="module")
def cast(stack: StackInfo) -> Iterator[Cast]:
    """Create two tenants through the API."""
    mia, ray, may, sid, vic = (sign_up(stack, name) for name in ("Mia", "Ray", "May", "Sid", "Vic"))
    tenants = {manager: f"t_{uuid.uuid4().hex[:8]}" for manager in ("mia", "sid")}
    for manager, name, people in ((mia, "mia", (ray, may)), (sid, "sid", (vic,))):
        manager.client.rpc("create_tenant", {"p_id": tenants[name], "p_name": "A tenant"}).execute()
        for person in people:
            made = manager.client.table("tenant_invites").insert({"tenant_id": tenants[name]}).execute().data
            assert isinstance(made[0], dict)
            person.client.rpc("join_tenant", {"p_code": str(made[0]["code"])}).execute()
    campaign = str(uuid.uuid4())
    values = {"id": campaign, "tenant_id": tenants["mia"], "name": "C", "status": "active"}
    mia.client.table("campaigns").insert(values).execute()
    yield Cast(tenants["mia"], campaign, mia, ray, may, sid, vic)
    with session(stack.database_url) as owner:
        owner.run("delete from public.tenants where id = any (%s)", list(tenants.values()))
        owner.commit()


def add_task(cast: Cast) -> str:
    """Add a task to mia's campaign; return its id."""
    task = {"id": str(uuid.uuid4()), "task_type": "sql", "prompt": "Which query?"}
    pair = {"candidate_a": "select 1", "candidate_b": "select 2", "name_a": "secret-a", "name_b": "secret-b"}
    params = {"p_campaign": cast.campaign, "p_tasks": [{**task, **pair, "gold_verdict": "A"}]}
    cast.mia.client.rpc("create_rating_tasks", params).execute()
    return task["id"]


def claim_and_judge(person: Person, cast: Cast) -> str:
    """Claim the next task and judge it; return its id."""
    answer = person.client.rpc("claim_task", {"p_campaign": cast.campaign}).execute().data
    assert isinstance(answer, dict)
    task_id = str(answer["task"]["id"])
    params = {"p_task": task_id, "p_verdict": "A", "p_comment": "For me alone"}
    person.client.rpc("submit_judgment", params).execute()
    return task_id


async def test_realtime_sends_a_tenant_s_rows_to_its_members_only_and_no_content_before_the_vote(
    stack: StackInfo, cast: Cast
) -> None:
    async with (
        listening(stack, cast.mia, sorted(TABLES)) as to_manager,
        listening(stack, cast.may, sorted(TABLES)) as to_mate,
        listening(stack, cast.sid, sorted(TABLES)) as to_stranger,
        listening(stack, cast.vic, sorted(TABLES)) as to_vic,
    ):
        task = await asyncio.to_thread(add_task, cast)
        assert await asyncio.to_thread(claim_and_judge, cast.ray, cast) == task
        # Everybody gets the last change, so all earlier changes have been sent by then.
        signal = await asyncio.to_thread(sign_up_and_found, stack)
        for frames in (to_manager, to_mate, to_stranger, to_vic):
            await wait_until(lambda frames=frames: signal in "".join(frames), what="the last change")  # type: ignore[misc]
    assert "For me alone" in "".join(to_manager)
    assert "secret-a" in "".join(to_manager)
    assert task in "".join(to_mate)
    for word in ("For me alone", "secret-a", "secret-b", "select 1", '"verdict"', '"gold_verdict"'):
        assert word not in "".join(to_mate), word
    for frames in (to_stranger, to_vic):
        for word in (task, cast.tenant, cast.campaign, "For me alone", "secret-a", "select 1"):
            assert word not in "".join(frames), word


def sign_up_and_found(stack: StackInfo) -> str:
    """Create a tenant as a new person, which shows in the public list of roles; return the person."""
    person = sign_up(stack, "Last")
    name = f"t_{uuid.uuid4().hex[:8]}"
    person.client.rpc("create_tenant", {"p_id": name, "p_name": "Last"}).execute()
    with session(stack.database_url) as owner:
        owner.run("delete from public.tenants where id = %s", name)
        owner.commit()
    return person.user_id


@pytest.mark.parametrize("table", sorted(TABLES - {"rating_roles"}))
def test_rest_shows_strangers_nothing_of_a_tenant(cast: Cast, table: str) -> None:
    for person in (cast.sid, cast.vic):
        rows = person.client.table(table).select("*").execute().data
        assert cast.tenant not in json.dumps(rows)


def test_strangers_cannot_do_what_raters_do(cast: Cast) -> None:
    task = add_task(cast)
    calls: list[tuple[str, dict[str, str]]] = [
        ("claim_task", {"p_campaign": cast.campaign}),
        ("settle_judgments", {"p_campaign": cast.campaign}),
        *(
            (name, {"p_task": task})
            for name in (
                "extend_lease",
                "skip_task",
                "release_task",
                "resume_task",
                "reveal_task",
                "undo_judgment",
            )
        ),
        ("submit_judgment", {"p_task": task, "p_verdict": "A"}),
    ]
    for function, params in calls:
        for person in (cast.vic, cast.sid):
            with pytest.raises(APIError) as refused:
                person.client.rpc(function, params).execute()
            assert refused.value.code == "42501", function
