"""Messages are found by the beginnings of their words, by those alone who may read them."""

from __future__ import annotations

from typing import cast

import pytest

from tests.supabase_schema.database import Session, World
from ui.base import folding


def found(db: Session, query: str) -> dict[str, list[object]]:
    """Search as the API does; return the ids of the messages by table."""
    answer = cast("dict[str, list[dict[str, object]]]", db.value("select public.search_messages(%s)", query))
    return {table: [row["id"] for row in rows] for table, rows in answer.items()}


def say(db: Session, world: World, body: str) -> str:
    """Say something in the common room."""
    sql = "insert into public.tavern_messages (author_id, body) values (%s, %s) returning id::text"
    return str(db.value(sql, world.people["owner"], body))


def test_everybody_finds_what_was_said_in_the_common_room(db: Session, world: World) -> None:
    mead = say(db, world, "Zubrówka, either/or mead: ask ann@zweistern.example?")
    for person in (None, world.people["other"]):
        for query in ("zubrowka", "ZUBR mea", "or either", "ann zweist", "mead — ask"):
            db.act_as_owner()
            db.act_as(person)
            assert found(db, query) == {"tavern_messages": [mead], "private_messages": []}, query
    assert found(db, "zubrowka beer")["tavern_messages"] == []


def test_private_messages_are_found_by_the_two_parties_alone(db: Session, world: World) -> None:
    for role, may in (("owner", True), ("recipient", True), ("other", False), ("admin", False)):
        db.act_as_owner()
        db.act_as(world.people[role])
        assert (found(db, "psst")["private_messages"] == [world.private]) is may, role
    db.act_as_owner()
    db.act_as(None)
    assert found(db, "psst")["private_messages"] == []


def test_a_hidden_message_is_found_by_nobody(db: Session, world: World) -> None:
    rude = say(db, world, "Xylophonic insults")
    assert found(db, "xylophonic")["tavern_messages"] == [rude]
    db.run("update public.tavern_messages set hidden_at = now() where id = %s", rude)
    for person in (world.people["owner"], world.people["admin"]):
        db.act_as_owner()
        db.act_as(person)
        assert found(db, "xylophonic")["tavern_messages"] == []


@pytest.mark.parametrize(
    "query", ["", " ", "'", "a':* | !b", "\\", "(((", ":*", "%", "…", "🍺", "<->", "word " * 500, "x" * 5000]
)
def test_any_query_is_answered(db: Session, world: World, query: str) -> None:
    db.act_as(world.people["owner"])
    assert found(db, query).keys() == {"tavern_messages", "private_messages"}


def test_the_newest_come_first_and_not_too_many(db: Session, world: World) -> None:
    sql = (
        "insert into public.tavern_messages (author_id, body, created_at)"
        " select %s, 'Quincunx ' || n, now() - n * interval '1 minute' from generate_series(1, 30) n"
    )
    db.run(sql, world.people["owner"])
    answer = cast("dict[str, list[dict[str, object]]]", db.value("select public.search_messages('quincu')"))
    assert [row["body"] for row in answer["tavern_messages"]] == [f"Quincunx {n}" for n in range(1, 21)]


def test_words_are_found_by_an_index(db: Session) -> None:
    db.run("set local enable_seqscan = off")
    plan = db.rows(
        "explain select id from public.tavern_messages"
        " where private.search_words(body) @@ (select to_tsquery('simple', 'mead:*'))"
    )
    assert "tavern_messages_words_idx" in str(plan)


@pytest.mark.parametrize(
    "text", ["José", "Łukasz", "Straße", "Zoë’s", "Ærø", "ĐORĐE", "Œuvre", "ﬁne", "Ångström", "Тань", "東京"]
)
def test_words_are_written_plainly_as_the_app_does(db: Session, text: str) -> None:
    plainly = folding.fold(text).replace("'", " ").split()
    assert str(db.value("select private.search_text(%s)", text)).split() == plainly
