"""What Realtime decides a deletion's filter by holds no text of a private row."""

from __future__ import annotations

import pytest

from tests.supabase_schema.database import Session

IDENTITY = """
    select array_agg(a.attname::text order by a.attname::text)
    from pg_class c
    join pg_index i on i.indrelid = c.oid
        and case c.relreplident when 'i' then i.indisreplident when 'd' then i.indisprimary end
    join pg_attribute a on a.attrelid = c.oid and a.attnum = any (i.indkey)
    where c.oid = ('public.' || %s)::regclass
"""

EVERYBODY_READS = """
    select polrelid from pg_policy
    where polcmd in ('r', '*') and pg_get_expr(polqual, polrelid) = 'true'
        and 'anon'::regrole = any (polroles)
"""


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("private_messages", ["id", "recipient_id", "sender_id"]),
        ("agent_run_events", ["id", "user_id"]),
        ("routing_metrics", ["id", "user_id"]),
        ("routing_budgets", ["id", "user_id"]),
        ("task_leases", ["id", "tenant_id", "user_id"]),
        ("ended_sessions", ["session_id", "user_id"]),
        ("rater_profiles", ["tenant_id", "user_id"]),
        ("tenant_invites", ["id", "tenant_id"]),
        ("rating_task_secrets", ["task_id", "tenant_id"]),
        ("campaigns", ["id", "tenant_id"]),
        ("rating_tasks", ["id", "tenant_id"]),
        ("rating_task_contents", ["task_id", "tenant_id"]),
        ("judgments", ["id", "tenant_id"]),
        ("candidate_tallies", ["id", "tenant_id"]),
    ],
)
def test_the_identity_is_the_key_and_whose_it_is(db: Session, table: str, columns: list[str]) -> None:
    assert db.value(IDENTITY, table) == columns


def test_only_tables_that_everybody_reads_have_a_full_identity(db: Session) -> None:
    full = (
        "select c.relname from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'"
        f" and c.relreplident = 'f' and c.oid not in ({EVERYBODY_READS})"
    )
    assert db.rows(full) == []
