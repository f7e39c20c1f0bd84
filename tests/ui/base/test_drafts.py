"""Drafts, as the server sees them: whose fields are whose, and what the browser is told to drop."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st

from ui.base import drafts, session

PROJECT = Path(__file__).parents[3]
TEXT_FIELDS = {
    "text_input",
    "text_area",
    "chat_input",
    "number_input",
    "datetime_input",
    "date_input",
    "time_input",
}


@pytest.fixture(autouse=True)
def state(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Give the tests a session of Ann's."""
    state: dict[str, Any] = {}
    monkeypatch.setattr(st, "session_state", state)
    monkeypatch.setattr(session, "my_id", lambda: "ann")
    return state


def key_of(place: str) -> str:
    return drafts.shown(place, "field").key


def test_no_two_people_share_the_key_of_a_field(monkeypatch: pytest.MonkeyPatch) -> None:
    hers = key_of(drafts.ROOM)
    monkeypatch.setattr(session, "my_id", lambda: None)
    assert len({hers, key_of(drafts.ROOM)}) == 2


def test_chosen_options_show_the_fields_anew_until_the_draft_is_gone() -> None:
    before = key_of(drafts.NEW_EVENT)
    drafts.take_options(drafts.NEW_EVENT, {"chosen": {"_zone": "Asia/Tokyo"}, "nonce": "1"})
    shown = drafts.shown(drafts.NEW_EVENT, "field")
    assert shown.options == {"_zone": "Asia/Tokyo"}
    drafts.forget(drafts.NEW_EVENT)
    after = drafts.shown(drafts.NEW_EVENT, "field")
    assert after.options == {}
    assert len({before, shown.key, after.key}) == 3


@pytest.mark.parametrize("reported", [None, "x", {}, {"chosen": None}, {"chosen": ["_zone"]}])
def test_what_no_page_reports_is_ignored(reported: object) -> None:
    before = key_of(drafts.NEW_EVENT)
    drafts.take_options(drafts.NEW_EVENT, reported)
    assert key_of(drafts.NEW_EVENT) == before


def test_only_text_is_an_option() -> None:
    drafts.take_options(drafts.NEW_EVENT, {"chosen": {"_zone": 7, "_other": "b"}})
    assert drafts.shown(drafts.NEW_EVENT, "field").options == {"_other": "b"}


def test_the_browser_is_told_of_the_last_drafts_to_drop() -> None:
    for number in range(30):
        drafts.forget(drafts.event(str(number)))
    drafts.forget(drafts.event("29"), sent="Hello")
    told = drafts.forgotten()
    assert [each["place"] for each in told] == [f"event:{number}" for number in range(10, 30)]
    assert told[-1]["print"] == drafts.fingerprint("Hello")
    assert len({each["nonce"] for each in told}) == 20


def test_a_text_is_known_again_whatever_its_spaces() -> None:
    assert drafts.fingerprint(" Dear\n\nAnn ") == drafts.fingerprint("Dear Ann")
    assert drafts.fingerprint("Dear Ann") != drafts.fingerprint("Dear Anna")
    assert drafts.fingerprint("a") == 0xE40C292C  # as published for FNV-1a


def test_a_chosen_option_is_found_by_its_label() -> None:
    drafts.take_options(drafts.BUDGET, {"chosen": {"_period": "Month", "_hosts": "Ann\nBo", "_gone": "x"}})
    kept = drafts.shown(drafts.BUDGET, "field")
    assert kept.index("_period", ["Day", "Month"]) == 1
    assert kept.index("_gone", ["Day", "Month"], 1) == 1
    assert kept.index("_other", ["Day", "Month"]) == 0
    assert (kept.several("_hosts"), kept.several("_other")) == (["Ann", "Bo"], None)


def _text_fields() -> Iterator[tuple[str, str, ast.expr | None]]:
    """Return the label and the key of each field for text, and where it is."""
    for path in (*(PROJECT / "ui").rglob("*.py"), *(PROJECT / "pages").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            if node.func.attr not in TEXT_FIELDS:
                continue
            keys = {keyword.arg: keyword.value for keyword in node.keywords}
            label = (
                node.args[0].value if isinstance(node.args[0], ast.Constant) else ast.unparse(node.args[0])
            )
            yield f"{path.name}:{node.lineno}", str(label), keys.get("key")


def test_every_text_is_kept_or_there_is_a_reason() -> None:
    fields = list(_text_fields())
    assert len(fields) > 30
    assert drafts.NOT_KEPT.keys() <= {label for _, label, _ in fields}
    lost = [
        where
        for where, label, key in fields
        # Only the keys of drafts are made of the key of a place.
        if label not in drafts.NOT_KEPT and not (key is not None and _is_of_a_place(ast.unparse(key)))
    ]
    assert lost == []


def _is_of_a_place(key: str) -> bool:
    return key.endswith("key") or key.startswith(("f'{key}", "f'{fields}", "f'{kept.key}", "f'{draft.key}"))
