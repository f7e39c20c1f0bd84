import psycopg2
import pytest
from postgrest.exceptions import APIError
from supabase_auth.errors import AuthApiError

from local_supabase.errors import LocalSupabaseError
from local_supabase.testing.stacks import SessionStack
from local_supabase.testing.supabase import Supabase


def _rows(supabase: Supabase) -> tuple[list[dict[str, object]], ...]:
    return supabase.sql("select * from parents order by id"), supabase.sql("select * from children")


def test_rows_and_sequences_are_as_the_seed_left_them(stack: SessionStack, supabase: Supabase) -> None:
    before = _rows(supabase)
    supabase.sql("insert into parents (name) values ('cy'); update parents set name = name || '!'")
    supabase.sql("delete from children; insert into children (parent) select id from parents")
    assert stack.rewind()
    assert (
        supabase.sql("select * from parents order by id"),
        supabase.sql("select * from children"),
    ) == before
    added = supabase.sql("insert into parents (name) values ('cy') returning id")
    assert added == [{"id": 3}]
    assert stack.rewind()


def test_a_truncated_table_has_its_rows_again(stack: SessionStack, supabase: Supabase) -> None:
    supabase.sql("truncate parents restart identity cascade")
    assert stack.rewind()
    assert supabase.sql("select count(*) from parents") == [{"count": 2}]
    assert supabase.sql("select note, shouted from children") == [{"note": "x", "shouted": "X"}]


def test_triggers_do_not_run(stack: SessionStack, supabase: Supabase) -> None:
    before = supabase.sql("select count(*) from audit")
    supabase.sql("delete from parents")
    assert stack.rewind()
    assert supabase.sql("select count(*) from audit") == before == [{"count": 2}]


def test_partitions_unlogged_tables_and_materialized_views_go_back(
    stack: SessionStack, supabase: Supabase
) -> None:
    supabase.sql("insert into parted values ('2026-05-01'); update drafts set body = 'changed'")
    supabase.sql("insert into parents (name) values ('cy')")
    supabase.sql("refresh materialized view totals")
    assert stack.rewind()
    found = supabase.sql("select (select count(*) from parted) as parted, body, parents from drafts, totals")
    assert found == [{"parted": 0, "body": "seeded", "parents": 2}]


def test_accounts_mails_and_files_are_gone(stack: SessionStack, supabase: Supabase) -> None:
    supabase.user("ann")
    supabase.anon.auth.reset_password_for_email("ann@example.com")
    supabase.service.storage.from_("files").upload("a.txt", b"a")
    assert len(supabase.mail()) == 1
    assert supabase.files("files") == {"a.txt": b"a"}
    assert stack.rewind()
    assert (supabase.mail(), supabase.files("files")) == ([], {})
    assert supabase.sql("select count(*) from auth.users") == [{"count": 0}]
    assert [path for path in (stack.data_dir / "storage").rglob("*-*-*") if path.is_file()] == []


def test_old_tokens_are_refused(stack: SessionStack, supabase: Supabase) -> None:
    ann = supabase.user("ann")
    assert ann.table("parents").select("name").execute().data == [{"name": "ada"}, {"name": "bo"}]
    assert stack.rewind()
    with pytest.raises(APIError, match="JWT expired"):
        ann.table("parents").select("id").execute()
    assert supabase.user("ann").table("parents").select("name").limit(1).execute().data == [{"name": "ada"}]
    assert stack.rewind()


def test_every_test_has_the_whole_of_the_rate_limits(stack: SessionStack, supabase: Supabase) -> None:
    def wrong_password() -> str:
        with pytest.raises(AuthApiError) as refused:
            supabase.anon.auth.sign_in_with_password({"email": "ann@example.com", "password": "wrong"})
        return str(refused.value.code)

    while wrong_password() == "invalid_credentials":
        pass
    assert stack.rewind()
    assert wrong_password() == "invalid_credentials"


def test_a_changed_schema_is_told_and_a_new_copy_is_as_the_first(
    stack: SessionStack, supabase: Supabase
) -> None:
    supabase.sql("alter table parents add column born date; create role visitor")
    address = stack.info.url
    assert not stack.rewind()
    supabase.close()
    stack.renew()
    assert stack.info.url == address
    columns = supabase.sql(
        "select attname from pg_attribute where attrelid = 'parents'::regclass and attnum > 0"
    )
    assert [column["attname"] for column in columns] == ["id", "name"]
    assert supabase.sql("select 1 from pg_roles where rolname = 'visitor'") == []
    assert stack.rewind()


def test_a_temporary_table_is_no_change_of_the_schema(stack: SessionStack, supabase: Supabase) -> None:
    supabase.sql("create temporary table scratch (a int); insert into scratch values (1)")
    assert stack.rewind()


def test_what_realtime_sets_in_a_publication_is_no_change_of_the_schema(
    stack: SessionStack, supabase: Supabase
) -> None:
    """Realtime sets it when it starts, which may be after the state was kept."""
    supabase.sql("alter publication supabase_realtime set (publish_generated_columns = none)")
    assert stack.rewind()
    supabase.sql("alter publication supabase_realtime set (publish_generated_columns = stored)")
    assert stack.rewind()


def test_what_was_written_and_not_committed_is_gone(stack: SessionStack, supabase: Supabase) -> None:
    forgotten = psycopg2.connect(stack.info.database_url)
    with forgotten.cursor() as cursor:
        cursor.execute("update parents set name = 'held' where id = 1")
    assert stack.rewind()
    with pytest.raises(psycopg2.OperationalError, match="connection"):
        forgotten.commit()
    forgotten.close()
    assert supabase.sql("select name from parents where id = 1") == [{"name": "ada"}]


def test_a_transaction_that_locks_a_changed_table_is_named(stack: SessionStack, supabase: Supabase) -> None:
    supabase.sql("update parents set name = 'changed' where id = 1")
    held = psycopg2.connect(stack.info.database_url, application_name="lock holder")
    with held.cursor() as cursor:
        cursor.execute("lock table parents in share mode")
    with pytest.raises(LocalSupabaseError, match=r"still open.*lock holder.*lock table parents"):
        stack.rewind()
    held.close()
    assert stack.rewind()
