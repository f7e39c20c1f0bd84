"""What counts tell about rows that one may not see."""

from collections.abc import Sequence
from uuid import uuid4

import httpx
import pytest

from local_supabase.stack.runtime import StackInfo
from tests.security.matrix.rows import superuser
from tests.support.people import Person, sign_up

WRITTEN = 40


@pytest.fixture(scope="module")
def people(stack: StackInfo) -> Sequence[Person]:
    """Two who write to each other, and a third; the planner knows how many messages there are."""
    writer, reader, stranger = (sign_up(stack, name) for name in ("Writer", "Reader", "Stranger"))
    with superuser(stack) as sql:
        sql.run(
            "insert into public.private_messages (id, sender_id, recipient_id, body)"
            " select gen_random_uuid(), %s, %s, 'Psst' from generate_series(1, %s)",
            writer.user_id,
            reader.user_id,
            WRITTEN,
        )
        sql.run("analyze public.private_messages")
        sql.commit()
    return writer, reader, stranger


def counted(stack: StackInfo, reader: Person, count: str, query: str) -> str:
    """Return the total that an answer names, as a reader sees it."""
    session = reader.client.auth.get_session()
    assert session is not None
    headers = {
        "apikey": stack.anon_key,
        "Authorization": f"Bearer {session.access_token}",
        "Prefer": f"count={count}",
    }
    answer = httpx.get(f"{stack.url}/rest/v1/{query}", headers=headers, timeout=30)
    assert answer.headers["preference-applied"] == f"count={count}"
    return answer.headers["content-range"].partition("/")[2]


@pytest.mark.parametrize("count", ["exact", "planned", "estimated"])
def test_a_count_tells_only_of_rows_that_one_may_see(
    stack: StackInfo, people: Sequence[Person], count: str
) -> None:
    writer, reader, stranger = people
    filters = (
        f"private_messages?sender_id=eq.{writer.user_id}",
        "private_messages?body=like.Ps*",
        f"private_messages?id=neq.{uuid4()}",
        f"users?select=id,private_messages!private_messages_sender_id_fkey!inner(id)&id=eq.{writer.user_id}",
    )
    assert [counted(stack, stranger, count, query) for query in filters] == ["0"] * 4
    assert [counted(stack, reader, count, query) for query in filters] == [str(WRITTEN)] * 3 + ["1"]
