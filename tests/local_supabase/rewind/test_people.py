import pytest

from local_supabase.errors import LocalSupabaseError
from local_supabase.testing.stacks import SessionStack
from local_supabase.testing.supabase import Supabase


def test_a_person_is_confirmed_signed_in_and_has_what_was_given(
    stack: SessionStack, supabase: Supabase
) -> None:
    ann = supabase.user("ann", role="manager", user_metadata={"display_name": "Ann"})
    answer = ann.auth.get_user()
    assert answer is not None
    assert (answer.user.id, answer.user.email) == (ann.id, "ann@example.com")
    assert answer.user.app_metadata["role"] == "manager"
    assert answer.user.user_metadata["display_name"] == "Ann"
    assert answer.user.email_confirmed_at is not None
    assert stack.rewind()


def test_a_person_refreshes_and_signs_out(stack: SessionStack, supabase: Supabase) -> None:
    ann = supabase.user("ann")
    renewed = ann.auth.refresh_session()
    assert renewed.session is not None
    assert renewed.session.refresh_token != ann.session["refresh_token"]
    ann.auth.sign_out()
    assert supabase.sql("select count(*) from auth.sessions") == [{"count": 0}]
    assert stack.rewind()


def test_a_person_with_a_password_signs_in_again(stack: SessionStack, supabase: Supabase) -> None:
    ann = supabase.user("ann", password="a-long-test-password")
    answer = supabase.anon.auth.sign_in_with_password({"email": ann.email, "password": ann.password})
    assert answer.user is not None
    assert answer.user.id == ann.id
    assert stack.rewind()


def test_a_taken_address_is_refused(stack: SessionStack, supabase: Supabase) -> None:
    supabase.user("ann")
    with pytest.raises(LocalSupabaseError, match="was refused: User already registered"):
        supabase.user("ann")
    assert stack.rewind()


async def test_an_asynchronous_client_acts_as_its_person(stack: SessionStack, supabase: Supabase) -> None:
    client = await supabase.user("ann").async_client()
    anonymous = await supabase.async_anon()
    assert (await client.table("parents").select("name").order("id").execute()).data[0] == {"name": "ada"}
    assert (await client.auth.get_user()) is not None
    assert (await anonymous.auth.get_session()) is None
    assert stack.rewind()
