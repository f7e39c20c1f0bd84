"""Who may know of a change: what policies say, what the project says, and that nobody else learns a key."""

from typing import Any

import pytest

from tests.livetables.database.tables import (
    ANN,
    BOB,
    EVE,
    ITEMS,
    NOTES,
    changes,
    cursor_of,
    described,
    watched,
)
from tests.supabase_schema.database import Session, message

DOCUMENTS = """
create table public.documents (
    id int primary key, user_id uuid not null, editor text, public boolean not null default false, team int
);
alter table public.documents enable row level security;
"""


def who(db: Session, table: str) -> Any:
    """Return the audience of a table without what else is kept with it."""
    kept = db.value("select livetables.watched(%s::regclass) -> 'who'", f"public.{table}")
    assert isinstance(kept, dict)
    return {name: value for name, value in kept.items() if name not in ("published", "version")}


@pytest.mark.parametrize(
    ("policies", "audience"),
    [
        (["for select using (true)"], {"everybody": True}),
        (
            ["for all using (true)", "for select to authenticated using (auth.uid() = user_id)"],
            {"everybody": True},
        ),
        (["for select to authenticated using (true)"], {"members": True}),
        (["for select using (auth.role() = 'authenticated')"], {"members": True}),
        (["for select using ((select auth.role()) = 'authenticated')"], {"members": True}),
        (["for select using (auth.uid() = user_id)"], {"people": ["user_id"]}),
        (["for select to authenticated using ((select auth.uid()) = user_id)"], {"people": ["user_id"]}),
        (["for select using (user_id = (select auth.uid()))"], {"people": ["user_id"]}),
        (["for select using (auth.uid()::text = editor)"], {"people": ["editor"]}),
        (["for select using (editor = (select auth.uid()::text))"], {"people": ["editor"]}),
        (
            ["for select using (auth.uid() = user_id or auth.uid()::text = editor)"],
            {"people": ["editor", "user_id"]},
        ),
        (
            ["for select using (auth.uid() = user_id)", "for select using (auth.uid()::text = editor)"],
            {"people": ["editor", "user_id"]},
        ),
        (["for select using (auth.uid() = user_id and team > 3)"], {"people": ["user_id"]}),
        (["for select using (public)"], {"where": ["public"]}),
        (
            ["for select using (public = true or user_id = auth.uid())"],
            {"people": ["user_id"], "where": ["public"]},
        ),
        (["for select using (public is true)"], {"where": ["public"]}),
        (
            ["for select using (auth.uid() = user_id)", "as restrictive for select using (team > 3)"],
            {"people": ["user_id"]},
        ),
        (["for insert with check (true)", "for select using (true)"], {"everybody": True}),
    ],
)  # fmt: skip
def test_simple_policies_say_who(db: Session, policies: list[str], audience: object) -> None:
    db.run(DOCUMENTS)
    for number, policy in enumerate(policies):
        db.run(f"create policy p{number} on documents {policy}")
    db.run("select livetables.watch('documents')")
    assert who(db, "documents") == audience


@pytest.mark.parametrize(
    "policies",
    [
        ["for select using (team in (select team from public.teams))"],
        ["for select using (auth.uid() = user_id or team > 3)"],
        ["for select using (not public)"],
        ["for select to authenticated using (public)"],
        ["for select using (auth.uid() = user_id or (public and team > 3))"],
        ["for select using (public and team > 3)"],
        ["for select using (auth.uid() <> user_id)"],
        ["for select using (true)", "as restrictive for select using (team > 3)"],
        ["for select to authenticated using (true)", "as restrictive for select using (team > 3)"],
    ],
)
def test_other_policies_make_the_project_say_it(db: Session, policies: list[str]) -> None:
    db.run("create table public.teams (team int);" + DOCUMENTS)
    for number, policy in enumerate(policies):
        db.run(f"create policy p{number} on documents {policy}")
    error = db.refusal("select livetables.watch('documents')")
    assert message(error) == "Who may know of changes of public.documents cannot be read from its policies"
    assert "visible_to =>" in str(error.diag.message_hint)


@pytest.mark.parametrize(
    ("grants", "audience"),
    [
        ("revoke all on documents from anon", {"members": True}),
        ("grant select on documents to anon", {"everybody": True}),
    ],
)
def test_without_row_level_security_the_grants_say_who(db: Session, grants: str, audience: object) -> None:
    db.run(DOCUMENTS + f"alter table documents disable row level security; {grants}")
    db.run("select livetables.watch('documents')")
    assert who(db, "documents") == audience


def test_a_policy_for_a_role_without_the_grant_counts_for_nothing(db: Session) -> None:
    db.run(
        DOCUMENTS + "create policy p on documents for select using (true); revoke all on documents from anon"
    )
    db.run("select livetables.watch('documents')")
    assert who(db, "documents") == {"members": True}


def told(db: Session, cursor: str) -> dict[str, int]:
    """Return how many changes each of them is told."""
    people = {"visitor": None, "ann": ANN, "bob": BOB, "eve": EVE}
    return {name: len(found) for name, person in people.items() if (found := changes(db, cursor, person))}


def test_private_keys_reach_only_the_person_before_and_after(db: Session) -> None:
    watched(db, NOTES, "notes")
    cursor = cursor_of(db)
    db.run("insert into notes (user_id) values (%s)", ANN)
    assert told(db, cursor) == {"ann": 1}
    db.run("update notes set user_id = %s", BOB)
    assert told(db, cursor) == {"ann": 1, "bob": 1}
    db.run("delete from livetables.change_log; delete from notes")
    assert told(db, cursor) == {"bob": 1}


def test_members_are_told_what_visitors_are_not(db: Session) -> None:
    db.run(
        ITEMS
        + "alter policy \"Anybody may read\" on items to authenticated; select livetables.watch('items')"
    )
    cursor = cursor_of(db)
    db.run("insert into items default values")
    assert told(db, cursor) == {"ann": 1, "bob": 1, "eve": 1}
    assert described(db, "items")["visibility"] == "user"


def test_everybody_is_told_of_a_row_while_it_is_public_and_when_it_stops(db: Session) -> None:
    db.run(DOCUMENTS + "create policy p on documents for select using (public or auth.uid() = user_id)")
    db.run("select livetables.watch('documents')")
    cursor = cursor_of(db)
    db.run("insert into documents values (1, %s)", ANN)
    assert told(db, cursor) == {"ann": 1}
    everybody = {"visitor": 1, "ann": 1, "bob": 1, "eve": 1}
    for change in ("set public = true", "set team = 7", "set public = false"):
        db.run("delete from livetables.change_log")
        db.run(f"update documents {change}")
        assert told(db, cursor) == everybody
    db.run("delete from livetables.change_log; delete from documents")
    assert told(db, cursor) == {"ann": 1}


def test_a_function_says_who_reads_a_row(db: Session) -> None:
    db.run(DOCUMENTS + "create table public.members (team int, user_id uuid)")
    db.run(
        "create policy p on documents for select"
        " using (exists (select from members where team = documents.team))"
    )
    db.run(
        "create function public.readers_of(document public.documents) returns setof uuid language sql stable"
        " set search_path = '' as 'select user_id from public.members where team = document.team'"
    )
    db.run("insert into members values (1, %s), (1, %s), (2, %s)", ANN, BOB, EVE)
    db.run("select livetables.watch('documents', visible_to => 'readers_of()')")
    cursor = cursor_of(db)
    db.run("insert into documents values (1, %s, null, false, 1)", ANN)
    assert told(db, cursor) == {"ann": 1, "bob": 1}
    db.run("delete from livetables.change_log; update documents set team = 2")
    assert told(db, cursor) == {"ann": 1, "bob": 1, "eve": 1}


@pytest.mark.parametrize(
    ("visible_to", "said"),
    [
        ("nobody", "visible_to: nobody is neither everybody, nor members, nor a column"),
        ("team", "visible_to: team is neither everybody"),
        ("readers()", "There is no function readers() that takes a row of public.documents"),
        ("", "visible_to:  is neither everybody"),
    ],
)
def test_an_audience_that_cannot_be_is_refused(db: Session, visible_to: str, said: str) -> None:
    db.run(DOCUMENTS)
    error = db.refusal("select livetables.watch('documents', visible_to => %s)", visible_to)
    assert message(error).startswith(said)


def test_ids_that_are_no_uuids_are_people_too(db: Session) -> None:
    db.run(DOCUMENTS + "create policy p on documents for select using ((auth.jwt() ->> 'sub') = editor)")
    db.run("select livetables.watch('documents')")
    cursor = cursor_of(db)
    db.run("insert into documents values (1, %s, 'user_2abc')", ANN)
    assert changes(db, cursor, "user_2abc") == [("INSERT", "documents")]
    assert changes(db, cursor, "user_2ab") == []


def test_a_service_is_told_everything(db: Session) -> None:
    watched(db, NOTES, "notes")
    cursor = cursor_of(db)
    db.run("insert into notes (user_id) values (%s)", ANN)
    assert changes(db, cursor, None, "service_role") == [("INSERT", "notes")]


def test_the_log_holds_no_content(db: Session) -> None:
    watched(db, NOTES, "notes")
    db.run("insert into notes (user_id, body) values (%s, 'Psst')", ANN)
    assert "Psst" not in str(db.rows("select entry::text from livetables.change_log as entry"))
