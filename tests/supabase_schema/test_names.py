"""A name can be seen, and tells nothing of an address."""

from __future__ import annotations

import json
import uuid

import pytest

from tests.supabase_schema.database import Session, World, message

INVISIBLE = [
    "\u2060",
    "\u200d\u200c",
    "\u3164",
    "\u115f\u1160",
    "\ufe0f",
    "\U000e0041\U000e007f",
    "\u2800 \u00ad",
]
VISIBLE = ["Ada", "أَحْمَد", "می\u200cخواهم", "👩\u200d🚀", "A\u0301", "한글", "☕\ufe0f"]


@pytest.mark.parametrize("name", INVISIBLE)
def test_a_name_without_a_shape_is_refused(db: Session, world: World, name: str) -> None:
    db.act_as(world.people["other"])
    rename = "update public.users set display_name = %s where id = %s"
    refused = db.refusal(rename, name, world.people["other"])
    assert refused.diag.constraint_name in ("users_display_name_visible", "users_display_name_plain"), (
        message(refused)
    )


@pytest.mark.parametrize("name", VISIBLE)
def test_names_of_every_script_are_taken(db: Session, world: World, name: str) -> None:
    db.act_as(world.people["other"])
    rename = "update public.users set display_name = %s where id = %s"
    assert db.run(rename, name, world.people["other"]) == 1


@pytest.mark.parametrize("wanted", [None, "", "\u2060", "\u3164\u3164"])
def test_who_signs_up_without_a_name_is_a_guest(db: Session, wanted: str | None) -> None:
    person = str(uuid.uuid4())
    db.run(
        "insert into auth.users (id, email, raw_user_meta_data) values (%s, %s, %s)",
        person,
        "ada.lovelace@example.com",
        json.dumps({} if wanted is None else {"display_name": wanted}),
    )
    name = db.value("select display_name from public.users where id = %s", person)
    assert name == f"Guest {person[:4]}"
