"""The forms for accounts: all problems at once, each at its field."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from livetables.auth.fields import problems_of_sign_in
from ui.base import layout
from ui.shell.account_fields import problems_of_account

GOOD = ("Ada", "ada@tavern.example", "correct horse")


def test_good_values_have_no_problem() -> None:
    assert problems_of_account(*GOOD) == {}
    assert problems_of_sign_in(" Ada@Tavern.example ", "x") == {}


@pytest.mark.parametrize("email", ["", "ada", "ada@", "@tavern", "a b@c", "a@b@c", "ada@tav ern"])
def test_what_is_no_address_is_named(email: str) -> None:
    assert problems_of_sign_in(email, "x").keys() == {"email"}
    assert problems_of_account("Ada", email, "correct horse").keys() == {"email"}


def test_an_address_that_was_entered_is_not_asked_for() -> None:
    assert problems_of_sign_in(" ", "x")["email"].startswith("Please enter")
    assert problems_of_sign_in("Zoë@@x", "x")["email"].startswith("Please check")


def test_all_problems_are_named_at_once() -> None:
    assert problems_of_account(" \u202e ", "ada", "short").keys() == {"name", "email", "password"}
    assert problems_of_sign_in("", "").keys() == {"email", "password"}


def _create_account() -> None:
    from pages import create_account

    create_account.show()


def _sign_in() -> None:
    from pages import sign_in

    sign_in.show()


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (_create_account, ["the name", "email address", "at least 8 characters"]),
        (_sign_in, ["email address", "your password"]),
    ],
)
def test_each_problem_stands_at_its_field(
    monkeypatch: pytest.MonkeyPatch, script: Callable[[], None], words: list[str]
) -> None:
    monkeypatch.setattr(layout, "page_head", lambda *_: None)
    monkeypatch.setattr("pages.create_account.sign_in_link", lambda *_: None)
    monkeypatch.setattr("pages.sign_in.create_account_link", lambda *_: None)
    monkeypatch.setattr("pages.sign_in.demo.people", lambda *_: [])
    monkeypatch.setattr("pages.sign_in.session.services", lambda: None)
    app = AppTest.from_function(script, default_timeout=120).run()
    assert not app.exception
    assert not app.get("html")
    app.button[0].click().run()
    assert not app.exception
    shown = [element.proto.body for element in app.get("html")]
    assert len(shown) == len(words)
    assert all(word in text for word, text in zip(words, shown, strict=True))
