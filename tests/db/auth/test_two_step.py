"""A person adds an authenticator app, keeps recovery codes, and switches it off again."""

import pytest

from db import errors
from db.auth import second_factor, two_step
from db.auth.accounts import Accounts
from db.auth.signed_in import SignedIn
from db.clients import Clients
from local_supabase.stack.runtime import StackInfo
from tests.support.people import Person
from tests.support.people import sign_up as sign_up_person
from tests.support.second_factor import code_of


@pytest.fixture
def person(stack: StackInfo) -> Person:
    return sign_up_person(stack, "Ada")


@pytest.fixture
def me(accounts: Accounts, person: Person) -> SignedIn:
    return accounts.sign_in(person.email, person.password)


def test_an_app_is_added_with_a_code_of_it_and_codes_to_recover(
    accounts: Accounts, clients: Clients, person: Person, me: SignedIn
) -> None:
    assert two_step.factors(me) == []
    begun = two_step.begin(me)
    assert begun.qr_code.startswith("<svg") or begun.qr_code.startswith("<?xml")
    assert begun.secret in begun.uri
    with pytest.raises(errors.WrongCodeError):
        two_step.confirm(me, begun, "000000")
    assert two_step.factors(me) == []
    codes = two_step.confirm(me, begun, code_of(begun.secret))
    assert [factor.id for factor in two_step.factors(me)] == [begun.factor_id]
    assert me.claims["aal"] == "aal2"
    assert two_step.recovery_codes_left(me) == len(set(codes)) == 10

    with pytest.raises(errors.CodeNeededError) as needed:
        accounts.sign_in(person.email, person.password)
    elsewhere, recovered = second_factor.enter(accounts, clients, needed.value.waiting, codes[3])
    assert recovered
    assert two_step.factors(elsewhere) == []


def test_what_was_begun_and_not_finished_does_not_pile_up(me: SignedIn) -> None:
    first, second = two_step.begin(me), two_step.begin(me)
    assert first.factor_id != second.factor_id
    with pytest.raises(errors.SignInError):
        two_step.confirm(me, first, code_of(first.secret))
    two_step.confirm(me, second, code_of(second.secret))
    assert len(two_step.factors(me)) == 1


def test_new_codes_make_those_of_before_void(
    accounts: Accounts, clients: Clients, person: Person, me: SignedIn
) -> None:
    begun = two_step.begin(me)
    old = two_step.confirm(me, begun, code_of(begun.secret))
    new = two_step.new_recovery_codes(me)
    assert not set(old) & set(new)
    with pytest.raises(errors.CodeNeededError) as needed:
        accounts.sign_in(person.email, person.password)
    with pytest.raises(errors.WrongCodeError):
        second_factor.enter(accounts, clients, needed.value.waiting, old[0])


def test_switched_off_the_password_is_enough(accounts: Accounts, person: Person, me: SignedIn) -> None:
    begun = two_step.begin(me)
    two_step.confirm(me, begun, code_of(begun.secret))
    two_step.switch_off(me)
    assert two_step.factors(me) == []
    assert accounts.sign_in(person.email, person.password).user_id == person.user_id


def test_codes_to_recover_need_an_app(me: SignedIn) -> None:
    with pytest.raises(errors.DatabaseError, match="Set up two-step sign-in first"):
        two_step.new_recovery_codes(me)
