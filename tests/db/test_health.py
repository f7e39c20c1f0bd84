"""Health: which error a project has."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from db import errors, health
from db.clients import Clients
from db.settings import Settings


@pytest.fixture
def stranger(settings: Settings) -> Iterator[Clients]:
    with closing(Clients(Settings(settings.url, "not-a-key-of-this-project"))) as opened:
        yield opened


def test_a_working_project_has_no_problem(clients: Clients) -> None:
    assert health.problem(clients) is None


def test_an_unreachable_project() -> None:
    with closing(Clients(Settings("http://127.0.0.1:9", "a-key-that-is-long-enough"))) as away:
        assert isinstance(health.problem(away), errors.UnreachableError)


def test_a_key_of_another_project(stranger: Clients) -> None:
    assert isinstance(health.problem(stranger), errors.MisconfiguredError)
