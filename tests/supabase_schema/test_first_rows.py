"""`first_rows()`: the first rows of several tables in one answer, with the rights of its caller."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tests.supabase_schema.database import Session, message, new_person

CALL = "select public.first_rows(%s)"
MESSAGES = {"table": "private_messages", "order": ["created_at", "id"], "newest": True, "rows": 2}
USERS = {"table": "users", "order": ["id"], "newest": False, "rows": 1000}


def first_rows(db: Session, *tables: Mapping[str, object]) -> Mapping[str, Any]:
    """Call the function as whoever the session acts as."""
    answer = db.value(CALL, json.dumps(tables))
    assert isinstance(answer, dict)
    return answer


def write_to(db: Session, sender: str, recipient: str, minutes: int) -> None:
    """Insert a private message of some minutes ago as the owner."""
    db.run(
        "insert into public.private_messages (sender_id, recipient_id, body, created_at)"
        " values (%s, %s, %s, now() - %s * interval '1 minute')",
        *(sender, recipient, f"{minutes} minutes ago", minutes),
    )


def bodies(answer: Mapping[str, Any]) -> Sequence[str]:
    """Return the texts of the private messages in an answer."""
    return [row["body"] for row in answer["rows"]["private_messages"]]


def test_it_returns_the_newest_rows_that_the_caller_may_see(db: Session) -> None:
    ann, bob, cat = (new_person(db, name) for name in ("Ann", "Bob", "Cat"))
    for minutes in (3, 1, 2):
        write_to(db, ann, bob, minutes)
    db.act_as(bob)
    assert bodies(first_rows(db, MESSAGES)) == ["1 minutes ago", "2 minutes ago"]
    assert bodies(first_rows(db, MESSAGES | {"newest": False})) == ["3 minutes ago", "2 minutes ago"]
    db.act_as_owner()
    db.act_as(cat)
    assert bodies(first_rows(db, MESSAGES)) == []


def test_rows_look_as_a_request_for_their_table_returns_them(db: Session) -> None:
    ann = new_person(db, "Ann")
    db.act_as(ann)
    plain = db.value("select json_agg(row_to_json(t)) from (select * from public.users order by id) t")
    answer = first_rows(db, USERS, MESSAGES)
    assert answer["rows"] == {"users": plain, "private_messages": []}


def test_its_cursor_is_that_of_changes_since(db: Session) -> None:
    db.act_as(new_person(db, "Ann"))
    assert first_rows(db)["cursor"] == db.changes_since(None)["cursor"]
    assert first_rows(db)["rows"] == {}


def test_names_are_names_and_not_sql(db: Session) -> None:
    db.act_as(new_person(db, "Ann"))
    for harmful in (
        {"table": "users as t; drop table public.users; --"},
        {"table": "users t, private.quotas"},
        {"order": ["id; select 1"]},
        {"order": ["(select 1)"]},
    ):
        assert db.refusal(CALL, json.dumps([USERS | harmful])).pgcode in (
            "42P01",
            "42703",
        )


def test_tables_of_other_schemas_are_out_of_reach(db: Session) -> None:
    db.act_as(new_person(db, "Ann"))
    for table in ("private.quotas", "quotas", "auth.users"):
        assert db.refusal(CALL, json.dumps([USERS | {"table": table}])).pgcode == "42P01"


@pytest.mark.parametrize(
    "tables",
    [
        {},
        "users",
        [USERS] * 2,
        [{"table": "users", "order": ["id"], "newest": False}],
        [{"table": "users", "order": [], "newest": False, "rows": 1}],
        [{"order": ["id"], "newest": False, "rows": 1}],
        [USERS | {"table": f"t{number}"} for number in range(41)],
    ],
    ids=["object", "text", "twice", "no number", "no order", "no name", "too many"],
)
def test_what_is_no_list_of_different_tables_is_refused(db: Session, tables: object) -> None:
    db.act_as(new_person(db, "Ann"))
    refusal = db.refusal(CALL, json.dumps(tables))
    assert refusal.pgcode == "22023"
    assert "table" in message(refusal)


def test_no_table_gives_more_than_a_thousand_rows(db: Session) -> None:
    ann = new_person(db, "Ann")
    db.run(
        "insert into public.tavern_messages (author_id, body)"
        " select %s, 'Hello' from generate_series(1, 1001)",
        ann,
    )
    db.act_as(ann)
    asked = {"table": "tavern_messages", "order": ["id"], "newest": False, "rows": 100000}
    assert len(first_rows(db, asked)["rows"]["tavern_messages"]) == 1000
    assert first_rows(db, asked | {"rows": -1})["rows"]["tavern_messages"] == []


def test_visitors_cannot_call_it(db: Session) -> None:
    db.act_as(None)
    assert db.refusal("select public.first_rows('[]')").pgcode == "42501"
