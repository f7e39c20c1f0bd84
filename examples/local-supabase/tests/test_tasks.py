"""What people may do with tasks, asked of a real Supabase."""

import pytest
from postgrest.exceptions import APIError

from local_supabase.testing import Supabase


def test_only_own(supabase: Supabase) -> None:
    ann, bob = supabase.user("ann"), supabase.user("bob")
    ann.table("tasks").insert({"title": "water the plants"}).execute()
    assert bob.table("tasks").select("*").execute().data == []
    assert supabase.anon.table("tasks").select("*").execute().data == []
    supabase.sql("update tasks set done_at = now()")  # as the owner of the database
    assert ann.table("tasks").select("title").not_.is_("done_at", "null").execute().data == [
        {"title": "water the plants"}
    ]
    assert supabase.mail(to="ann@example.com") == []


def test_a_manager_sees_all(supabase: Supabase) -> None:
    supabase.user("ann").table("tasks").insert({"title": "water the plants"}).execute()
    manager = supabase.user("bob", role="manager")
    assert manager.table("tasks").select("title").execute().data == [{"title": "water the plants"}]


def test_nobody_adds_tasks_for_others(supabase: Supabase) -> None:
    ann, bob = supabase.user("ann"), supabase.user("bob")
    with pytest.raises(APIError, match="row-level security"):
        bob.table("tasks").insert({"title": "call", "owner": ann.id}).execute()


def test_each_test_begins_with_the_seed(supabase: Supabase) -> None:
    supabase.sql("delete from labels")
    assert supabase.sql("select * from tasks") == []
    assert supabase.anon.table("labels").select("name").execute().data == []


def test_what_the_test_before_deleted_is_back(supabase: Supabase) -> None:
    assert supabase.anon.table("labels").select("name").execute().data == [{"name": "home"}, {"name": "work"}]
    assert supabase.sql("select count(*) from auth.users") == [{"count": 0}]


def test_a_lost_password(supabase: Supabase) -> None:
    supabase.user("ann", password="correct horse battery staple")
    supabase.anon.auth.reset_password_for_email("ann@example.com")
    (mail,) = supabase.mail(to="ann@example.com")
    answer = supabase.anon.auth.verify_otp({"email": mail.to, "token": mail.code, "type": "recovery"})
    assert answer.user is not None
    assert answer.user.email == "ann@example.com"


def test_files_are_private(supabase: Supabase) -> None:
    ann = supabase.user("ann")
    ann.storage.from_("attachments").upload(f"{ann.id}/note.txt", b"hello")
    assert supabase.files("attachments") == {f"{ann.id}/note.txt": b"hello"}
    assert supabase.user("bob").storage.from_("attachments").list(ann.id) == []


@pytest.mark.supabase(reset="template")
def test_a_migration_that_is_still_being_written(supabase: Supabase) -> None:
    supabase.sql("alter table tasks add column due date")
    ann = supabase.user("ann")
    added = ann.table("tasks").insert({"title": "pay", "due": "2026-05-01"}).execute()
    assert added.data[0]["due"] == "2026-05-01"


def test_the_schema_is_back_as_well(supabase: Supabase) -> None:
    columns = supabase.sql(
        "select attname from pg_attribute where attrelid = 'tasks'::regclass and attname = 'due'"
    )
    assert columns == []
