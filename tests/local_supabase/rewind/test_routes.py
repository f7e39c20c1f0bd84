import httpx
import pytest
from postgrest.exceptions import APIError
from supabase_auth.errors import AuthApiError

from local_supabase.testing.stacks import SessionStack
from local_supabase.testing.supabase import Supabase


def test_tokens_and_codes_expire_when_time_passes(stack: SessionStack, supabase: Supabase) -> None:
    ann = supabase.user("ann")
    supabase.anon.auth.reset_password_for_email(ann.email)
    code = supabase.mail(to=ann.email)[0].code
    supabase.clock.advance(minutes=59)
    assert len(ann.table("parents").select("name").execute().data) == 2
    supabase.clock.advance(hours=1)
    with pytest.raises(APIError, match="JWT expired"):
        ann.table("parents").select("name").execute()
    with pytest.raises(AuthApiError, match="expired"):
        supabase.anon.auth.verify_otp({"email": ann.email, "token": code, "type": "recovery"})
    renewed = ann.auth.refresh_session(str(ann.session["refresh_token"]))
    assert renewed.session is not None
    assert len(ann.table("parents").select("name").execute().data) == 2
    assert stack.rewind()


def test_what_is_stored_becomes_older(stack: SessionStack, supabase: Supabase) -> None:
    supabase.user("ann")
    supabase.clock.advance(days=2)
    (row,) = supabase.sql("select now() - created_at > interval '2 days' as old from auth.users")
    assert row["old"]
    assert stack.rewind()
    supabase.user("ann")
    (row,) = supabase.sql("select now() - created_at > interval '2 days' as old from auth.users")
    assert not row["old"]
    assert stack.rewind()


@pytest.mark.parametrize("body", ["{}", '{"seconds": -1}', "nonsense"])
def test_only_time_ahead_is_taken(supabase: Supabase, body: str) -> None:
    answer = httpx.post(f"{supabase.stack.mailbox_url}/clock", content=body)
    assert answer.status_code == 400
    assert answer.json()["message"]
