"""Signing in to an account with a second factor: with a code of the app, or with a recovery code."""

import pytest
from supabase import Client

from db import errors
from db.auth import second_factor
from db.auth.accounts import Accounts
from db.clients import Clients
from livetables.auth.second_factor import CodeNeeded
from local_supabase.stack.runtime import StackInfo
from tests.support.people import Person, sign_up
from tests.support.second_factor import code_of, enrol


def protected(stack: StackInfo) -> tuple[Person, str]:
    """Return a person with a second factor, signed in with it, and its secret."""
    person = sign_up(stack, "Ada")
    return person, enrol(person.client)


def waiting_for_code(accounts: Accounts, person: Person) -> CodeNeeded:
    """Enter the right password."""
    with pytest.raises(errors.CodeNeededError) as needed:
        accounts.sign_in(person.email, person.password)
    return needed.value.waiting


def recovery_codes(client: Client) -> list[str]:
    """Return new recovery codes."""
    codes = client.rpc("new_recovery_codes", {}).execute().data
    assert isinstance(codes, list)
    return [str(code) for code in codes]


def test_the_code_of_the_app_finishes_the_sign_in(
    accounts: Accounts, clients: Clients, stack: StackInfo
) -> None:
    person, secret = protected(stack)
    waiting = waiting_for_code(accounts, person)
    code = code_of(secret, 1)
    me, recovered = second_factor.enter(accounts, clients, waiting, f" {code[:3]} {code[3:]} ")
    assert (me.user_id, me.claims["aal"], recovered) == (person.user_id, "aal2", False)


def test_a_wrong_code_can_be_entered_again(accounts: Accounts, clients: Clients, stack: StackInfo) -> None:
    person, secret = protected(stack)
    waiting = waiting_for_code(accounts, person)
    with pytest.raises(errors.WrongCodeError, match="does not count"):
        second_factor.enter(accounts, clients, waiting, "000000")
    me, _ = second_factor.enter(accounts, clients, waiting, code_of(secret, 1))
    assert me.claims["aal"] == "aal2"


def test_a_recovery_code_switches_the_second_step_off(
    accounts: Accounts, clients: Clients, stack: StackInfo
) -> None:
    person, _ = protected(stack)
    [code, *_] = recovery_codes(person.client)
    me, recovered = second_factor.enter(accounts, clients, waiting_for_code(accounts, person), code)
    assert (me.user_id, recovered) == (person.user_id, True)
    assert accounts.sign_in(person.email, person.password).user_id == person.user_id


@pytest.mark.parametrize("code", ["12345", "0000-0000-0000-0000-0000", "no code"])
def test_what_is_no_code_is_refused_with_what_is_wanted(
    accounts: Accounts, clients: Clients, stack: StackInfo, code: str
) -> None:
    person, _ = protected(stack)
    recovery_codes(person.client)
    waiting = waiting_for_code(accounts, person)
    with pytest.raises(errors.WrongCodeError, match="recovery codes"):
        second_factor.enter(accounts, clients, waiting, code)


def test_a_sign_in_that_needs_a_code_is_not_kept(accounts: Accounts, stack: StackInfo) -> None:
    person, _ = protected(stack)
    waiting_for_code(accounts, person)
    assert accounts.refresh_due() > 0
    assert [one for one in accounts._active() if one.user_id == person.user_id] == []


def test_a_project_without_a_second_factor_asks_for_nothing(accounts: Accounts, stack: StackInfo) -> None:
    person = sign_up(stack, "Bo")
    assert accounts.sign_in(person.email, person.password).user_id == person.user_id
