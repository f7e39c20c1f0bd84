"""The facts of the Diagnostics page, from the real stack."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta

import pytest

from db import errors, probes
from db.auth import SignedIn
from db.clients import Clients
from db.settings import Settings
from local_supabase.runtime import StackInfo
from tests.db.conftest import SignUp
from tests.support.people import give_role


@pytest.fixture
def admin(stack: StackInfo, sign_up: SignUp) -> Iterator[SignedIn]:
    me = sign_up("Admin")
    give_role(stack, me.user_id, "admin")
    yield me
    give_role(stack, me.user_id, "member")


def test_a_project_as_it_should_be_answers_everything(clients: Clients, admin: SignedIn) -> None:
    assert probes.ask_rest(clients) > timedelta(0)
    assert probes.ask_auth(admin) > timedelta(0)
    assert probes.ask_tables(admin, {"users": ("id",), "rsvps": ("event_id", "user_id")}) == {}
    facts = probes.ask_facts(admin)
    assert {"users", "change_log"} <= facts.published
    assert facts.migrations is not None
    assert "20261120090000" in facts.migrations
    # The embedded database has this machine's clock.
    assert abs(facts.ahead) <= facts.uncertain + timedelta(seconds=1)


def test_nobody_but_an_admin_is_told_about_the_database(sign_up: SignUp) -> None:
    with pytest.raises(errors.NotAllowed, match="Only an admin"):
        probes.ask_facts(sign_up("Member"))


def test_a_table_that_is_not_there_is_told_apart_from_the_others(sign_up: SignUp) -> None:
    refused = probes.ask_tables(sign_up("Curious"), {"users": ("id",), "no_such_table": ("id",)})
    assert list(refused) == ["no_such_table"]
    assert isinstance(refused["no_such_table"], errors.Misconfigured)


def test_a_wrong_key_and_a_wrong_address_have_their_own_words(settings: Settings) -> None:
    with (
        closing(Clients(Settings(settings.url, "not-a-key-of-this-project"))) as stranger,
        pytest.raises(errors.Misconfigured, match="SUPABASE_KEY"),
    ):
        probes.ask_rest(stranger)
    with (
        closing(Clients(Settings("http://127.0.0.1:9", settings.key))) as away,
        pytest.raises(errors.Unreachable),
    ):
        probes.ask_rest(away)
