"""Where browsers find pictures."""

import pytest

from tests.ui.samples import event, user
from ui.base import pictures

FILE = "id-Ann/00000000-0000-4000-8000-00000000000a.webp"
ANN = user("Ann", picture="00000000-0000-4000-8000-00000000000a")


@pytest.fixture(autouse=True)
def _new_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures._Process, "sent_by_server", False)
    monkeypatch.setattr(pictures._Process, "project", None)


def test_the_server_of_the_pages_sends_them() -> None:
    pictures.kept_in("https://project.example")
    pictures.send_from_here()
    assert pictures.address_of(ANN) == f"avatars/{FILE}"


def test_pages_alone_lead_to_the_project() -> None:
    pictures.kept_in("https://project.example")
    assert pictures.address_of(ANN) == f"https://project.example/storage/v1/object/public/avatars/{FILE}"


def test_events_have_a_bucket_of_their_own() -> None:
    quiz = event("Quiz", ANN, picture=ANN.picture)
    file = f"{quiz.id}/{ANN.picture}.webp"
    assert pictures.address_of_event(quiz) == ""
    pictures.kept_in("https://project.example")
    storage = "https://project.example/storage/v1/object/public"
    assert pictures.address_of_event(quiz) == f"{storage}/event-pictures/{file}"
    pictures.send_from_here()
    assert pictures.address_of_event(quiz) == f"event-pictures/{file}"
    assert pictures.address_of_event(event("Ball", ANN)) == ""


def test_nobody_has_an_address_without_a_picture_or_a_project() -> None:
    assert pictures.address_of(ANN) == ""
    pictures.send_from_here()
    assert pictures.address_of(user("Bo", avatar="🦊")) == ""
