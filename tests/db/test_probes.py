"""The requests of the Diagnostics page, against the real stack."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta

import pytest

from db import errors, probes
from db.auth.accounts import SignedIn
from db.clients import Clients
from db.settings import Settings
from local_supabase.stack.runtime import StackInfo
from tests.db.conftest import SignUp
from tests.support.people import give_role


@pytest.fixture
def admin(stack: StackInfo, sign_up: SignUp) -> Iterator[SignedIn]:
    me = sign_up("Admin")
    give_role(stack, me.user_id, "admin")
    yield me
    give_role(stack, me.user_id, "member")


def test_a_working_project_answers_everything(clients: Clients, admin: SignedIn) -> None:
    assert probes.time_rest(clients) > timedelta(0)
    assert probes.time_auth(admin) > timedelta(0)
    assert probes.refused_tables(admin, {"users": ("id",), "rsvps": ("event_id", "user_id")}) == {}
    facts = probes.read_facts(admin)
    assert {"users", "change_log"} <= facts.published
    assert facts.migrations is not None
    assert "20261120090000" in facts.migrations
    # The embedded database has this machine's clock.
    assert abs(facts.ahead) <= facts.uncertain + timedelta(seconds=1)


def test_only_an_admin_reads_facts_about_the_database(sign_up: SignUp) -> None:
    with pytest.raises(errors.NotAllowedError, match="Only an admin"):
        probes.read_facts(sign_up("Member"))


def test_only_the_table_that_does_not_exist_is_refused(sign_up: SignUp) -> None:
    refused = probes.refused_tables(sign_up("Curious"), {"users": ("id",), "no_such_table": ("id",)})
    assert list(refused) == ["no_such_table"]
    assert isinstance(refused["no_such_table"], errors.MisconfiguredError)


def test_a_wrong_key_and_a_wrong_address_are_different_errors(settings: Settings) -> None:
    with (
        closing(Clients(Settings(settings.url, "not-a-key-of-this-project"))) as stranger,
        pytest.raises(errors.MisconfiguredError, match="SUPABASE_KEY"),
    ):
        probes.time_rest(stranger)
    with (
        closing(Clients(Settings("http://127.0.0.1:9", settings.key))) as away,
        pytest.raises(errors.UnreachableError),
    ):
        probes.time_rest(away)
