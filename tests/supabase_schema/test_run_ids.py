"""The id of a run for an Idempotency-Key is its person's alone."""

from __future__ import annotations

import uuid

import pytest

from tests.supabase_schema.database import Session, World

ID = "select public.run_id_for_key(%s)"


def test_a_key_means_one_run_of_one_person(db: Session, world: World) -> None:
    db.act_as(world.people["owner"])
    mine = db.value(ID, "order-1")
    assert str(uuid.UUID(str(mine))) == mine
    assert db.value(ID, "order-1") == mine
    assert db.value(ID, "order-2") != mine
    db.act_as(world.people["other"])
    assert db.value(ID, "order-1") != mine


def test_a_visitor_gets_none(db: Session) -> None:
    db.act_as(None)
    assert db.refusal(ID, "order-1").pgcode == "42501"


@pytest.mark.parametrize("key", [None, "", "x" * 256])
def test_an_impossible_key_is_refused(db: Session, world: World, key: str | None) -> None:
    db.act_as(world.people["owner"])
    assert db.refusal(ID, key).pgcode == "22023"


def test_nobody_reads_the_secret(db: Session, world: World) -> None:
    db.act_as(world.people["admin"])
    assert db.refusal("select secret from private.run_id_secret").pgcode == "42501"
