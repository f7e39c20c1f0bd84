"""The rules through supabase-py: REST with real tokens, and what Realtime sends."""

import asyncio
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import cast

import httpx
import pytest
from postgrest import APIError

from db.agents.models import AgentRun
from db.columns import Record
from local_supabase.stack.runtime import StackInfo
from tests.supabase_schema.listening import listening
from tests.support.people import Person, anonymous_client, give_role, sign_up
from tests.support.wait import wait_until

TABLES = ("users", "events", "event_cohosts", "rsvps", "tavern_messages", "private_messages", "change_log")


@pytest.fixture(scope="module")
def ada(stack: StackInfo) -> Iterator[Person]:
    """An admin."""
    person = sign_up(stack, "Ada")
    give_role(stack, person.user_id, "admin")
    yield person
    give_role(stack, person.user_id, "member")


@pytest.fixture(scope="module")
def bo(stack: StackInfo) -> Person:
    """A member."""
    return sign_up(stack, "Bo")


@pytest.fixture(scope="module")
def cy(stack: StackInfo) -> Person:
    """Another member."""
    return sign_up(stack, "Cy")


def refusal(call: Callable[[], object]) -> APIError:
    """Make a call that must fail; return its error."""
    with pytest.raises(APIError) as caught:
        call()
    return caught.value


def new_event(person: Person, capacity: int | None = None) -> str:
    """Create an event of tomorrow; return its id."""
    begin = datetime.now(UTC) + timedelta(days=1)
    values = {
        "title": "Quiz night",
        "starts_at": begin.isoformat(),
        "ends_at": (begin + timedelta(hours=1)).isoformat(),
        "capacity": capacity,
    }
    return str(one(person.client.table("events").insert(values).execute().data)["id"])


def one(rows: object) -> dict[str, object]:
    """Return the only row of an answer."""
    assert isinstance(rows, list)
    (row,) = rows
    assert isinstance(row, dict)
    return row


def test_nobody_gives_themselves_a_role(bo: Person) -> None:
    mine = bo.client.table("users").update({"role": "admin"}).eq("id", bo.user_id)
    refused = refusal(mine.execute)
    assert (refused.code, refused.message) == ("42501", "Only an admin can change a role.")


def test_an_admin_gives_a_role(ada: Person, bo: Person) -> None:
    for role in ("organizer", "member"):
        given = ada.client.table("users").update({"role": role}).eq("id", bo.user_id).execute()
        assert one(given.data)["role"] == role


def test_nobody_writes_in_the_name_of_others(bo: Person, cy: Person) -> None:
    forged = bo.client.table("tavern_messages").insert({"body": "I am Cy", "author_id": cy.user_id})
    assert refusal(forged.execute).code == "42501"


def test_a_full_event_is_refused_with_its_reason(bo: Person, cy: Person) -> None:
    event = new_event(bo, capacity=1)
    bo.client.table("rsvps").upsert({"event_id": event, "status": "going"}).execute()
    late = cy.client.table("rsvps").upsert({"event_id": event, "status": "going"})
    refused = refusal(late.execute)
    assert (refused.code, refused.message) == ("23514", "This event is full.")
    assert refused.hint == "1 of 1 places are taken."
    again = bo.client.table("rsvps").upsert({"event_id": event, "status": "going"}).execute()
    assert one(again.data)["status"] == "going"


def test_private_tables_are_empty_for_others(stack: StackInfo, ada: Person, bo: Person, cy: Person) -> None:
    sent = bo.client.table("private_messages").insert({"recipient_id": ada.user_id, "body": "Psst"}).execute()
    message = str(one(sent.data)["id"])
    visitor = anonymous_client(stack)
    for client in (visitor, cy.client):
        assert client.table("private_messages").select("*").eq("id", message).execute().data == []
        assert client.table("change_log").select("*").limit(1).execute().data == []


def test_the_private_schema_is_not_exposed(bo: Person) -> None:
    assert refusal(bo.client.schema("private").rpc("is_admin", {}).execute).code == "PGRST106"
    assert refusal(bo.client.rpc("prune_change_log", {}).execute).code == "42501"


def test_only_its_author_and_admins_read_a_hidden_text(ada: Person, bo: Person, cy: Person) -> None:
    message = one(bo.client.table("tavern_messages").insert({"body": "Something rude"}).execute().data)
    hide = ada.client.table("tavern_messages").update({"hidden_at": "now"}).eq("id", str(message["id"]))
    assert one(hide.execute().data)["body"] is None
    texts = [
        person.client.rpc("hidden_message_body", {"p_message_id": message["id"]}).execute().data
        for person in (ada, bo, cy)
    ]
    assert texts == ["Something rude", "Something rude", None]


async def test_realtime_sends_each_person_only_rows_they_may_read(
    stack: StackInfo, ada: Person, bo: Person, cy: Person
) -> None:
    message = one(bo.client.table("tavern_messages").insert({"body": "Take this back"}).execute().data)
    async with (
        listening(stack, None, TABLES) as visitor,
        listening(stack, cy, TABLES) as third,
        listening(stack, bo, TABLES) as own,
    ):
        await asyncio.to_thread(_write_privately_and_hide, ada, bo, str(message["id"]))
        for frames in (visitor, third, own):
            await wait_until(lambda frames=frames: "the last" in str(frames), what="the last message")  # type: ignore[misc]
    # A party gets both texts, so the others get nothing because of the policies.
    assert "For your eyes only" in str(own)
    for frames in (visitor, third):
        assert "For your eyes only" not in str(frames)
        assert "Take this back" not in str(frames)
        private = [frame for frame in frames if re.search(r'"table": "private_messages"', frame)]
        # By Supabase's design everybody gets deletions, with the key alone.
        assert all(
            '"DELETE"' in frame and "sender_id" not in frame.split("old_record")[1] for frame in private
        )
        assert not any('"table": "change_log"' in frame for frame in frames)


def _write_privately_and_hide(ada: Person, bo: Person, message: str) -> None:
    letter = {"recipient_id": ada.user_id, "body": "For your eyes only"}
    mine = bo.client.table("private_messages")
    _, taken_back = (str(one(mine.insert(letter).execute().data)["id"]) for _ in range(2))
    ada.client.table("private_messages").update({"read_at": "now"}).eq("sender_id", bo.user_id).execute()
    bo.client.table("private_messages").delete().eq("id", taken_back).execute()
    ada.client.table("tavern_messages").update({"hidden_at": "now"}).eq("id", message).execute()
    bo.client.table("tavern_messages").insert({"body": "the last"}).execute()


@pytest.mark.parametrize(
    "unreadable",
    ['"result": 1e5000', f'"metadata": {{"a": {"[" * 900}{"]" * 900}}}', '"started_at": "-infinity"'],
)
def test_no_row_of_a_member_keeps_an_admin_from_reading_the_others(
    stack: StackInfo, ada: Person, bo: Person, unreadable: str
) -> None:
    session = bo.client.auth.get_session()
    assert session is not None
    answer = httpx.post(
        f"{stack.url}/rest/v1/agent_runs",
        headers={
            "apikey": stack.anon_key,
            "Authorization": f"Bearer {session.access_token}",
            "Content-Type": "application/json",
        },
        content=f'{{"agent_name": "a", "agent_id": "a", {unreadable}}}',
    )
    runs = ada.client.table("agent_runs").select("*").eq("user_id", bo.user_id).execute().data
    assert [AgentRun.from_record(cast("Record", run)) for run in runs] == []
    assert answer.status_code == 400
