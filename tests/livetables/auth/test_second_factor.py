"""A sign-in whose password was right waits for a code, and goes on with it."""

from supabase_auth import SyncGoTrueClient

from livetables.auth.second_factor import needed
from local_supabase.stack.runtime import StackInfo
from tests.support.people import anonymous_client, sign_up
from tests.support.second_factor import code_of, enrol


def test_it_waits_where_the_account_has_a_second_factor_and_goes_on_with_its_code(stack: StackInfo) -> None:
    person = sign_up(stack, "Ada")
    secret = enrol(person.client)
    client: SyncGoTrueClient = anonymous_client(stack).auth
    session = client.sign_in_with_password({"email": person.email, "password": person.password}).session
    assert session is not None
    waiting = needed(client, session, "a browser")
    assert waiting is not None
    assert (waiting.access_token, waiting.user_agent) == (session.access_token, "a browser")
    entered = waiting.enter(code_of(secret, 1))
    assert entered is not None
    assert entered.access_token == waiting.access_token != session.access_token
    # What a code opened needs no other.
    assert needed(client, entered, "") is None


def test_it_waits_for_nothing_where_there_is_none(stack: StackInfo) -> None:
    client: SyncGoTrueClient = sign_up(stack, "Bo").client.auth
    session = client.get_session()
    assert session is not None
    assert needed(client, session, "") is None


def test_a_session_that_has_ended_has_no_token(stack: StackInfo) -> None:
    person = sign_up(stack, "Cy")
    enrol(person.client)
    client: SyncGoTrueClient = anonymous_client(stack).auth
    session = client.sign_in_with_password({"email": person.email, "password": person.password}).session
    assert session is not None
    waiting = needed(client, session, "")
    assert waiting is not None
    client.sign_out({"scope": "local"})
    assert waiting.access_token == ""
