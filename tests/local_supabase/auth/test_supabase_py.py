"""The real supabase-py against the running stack, as an application uses it."""

import time
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx
import pytest
from supabase import Client, ClientOptions, create_client
from supabase_auth.errors import AuthApiError, AuthWeakPasswordError

from local_supabase.auth import totp
from local_supabase.stack.runtime import StackInfo
from tests.local_supabase.auth.conftest import PASSWORD, new_email


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    """Return the HTTP client that the Supabase clients of a test share, and close it."""
    with httpx.Client() as http:
        yield http


def _client(stack: StackInfo, http: httpx.Client, key: str = "") -> Client:
    options = ClientOptions(auto_refresh_token=False, persist_session=False, httpx_client=http)
    return create_client(stack.url, key or stack.anon_key, options)


def _mail(stack: StackInfo, email: str) -> dict[str, str]:
    answer = httpx.get(f"{stack.mailbox_url}/messages", params={"to": email})
    newest: dict[str, str] = answer.json()["messages"][0]
    return newest


def test_the_life_of_an_account(stack: StackInfo, http: httpx.Client) -> None:
    email, client = new_email(), _client(stack, http)
    signed_up = client.auth.sign_up(
        {"email": email, "password": PASSWORD, "options": {"data": {"display_name": "Ada"}}}
    )
    assert signed_up.user is not None
    assert signed_up.user.user_metadata["display_name"] == "Ada"
    answer = client.auth.get_user()
    assert answer is not None
    assert answer.user.id == signed_up.user.id
    refreshed = client.auth.refresh_session()
    assert refreshed.session is not None
    assert refreshed.user is not None
    changed = client.auth.update_user({"data": {"bio": "hello"}, "password": "another horse"})
    assert changed.user.user_metadata["bio"] == "hello"
    client.auth.sign_out()
    assert client.auth.get_session() is None
    again = client.auth.sign_in_with_password({"email": email, "password": "another horse"})
    assert again.user is not None
    assert again.user.id == signed_up.user.id


def test_errors_arrive_with_their_codes(stack: StackInfo, http: httpx.Client) -> None:
    client = _client(stack, http)
    with pytest.raises(AuthApiError, match="Invalid login credentials") as refused:
        client.auth.sign_in_with_password({"email": new_email(), "password": PASSWORD})
    assert (refused.value.status, refused.value.code) == (400, "invalid_credentials")
    with pytest.raises(AuthWeakPasswordError) as weak:
        client.auth.sign_up({"email": new_email(), "password": "12345"})
    assert weak.value.reasons == ["length"]
    with pytest.raises(AuthApiError) as off:
        client.auth.sign_in_anonymously()
    assert off.value.code == "anonymous_provider_disabled"
    with pytest.raises(AuthApiError) as not_admin:
        client.auth.admin.list_users()
    assert not_admin.value.code == "not_admin"


def test_a_forgotten_password(stack: StackInfo, http: httpx.Client) -> None:
    email, client = new_email(), _client(stack, http)
    client.auth.sign_up({"email": email, "password": PASSWORD})
    client.auth.sign_out()
    client.auth.reset_password_for_email(email)
    code = _mail(stack, email)["code"]
    verified = client.auth.verify_otp({"type": "recovery", "email": email, "token": code})
    assert verified.session is not None
    client.auth.update_user({"password": "remembered now"})
    assert client.auth.sign_in_with_password({"email": email, "password": "remembered now"}).session


def test_the_link_of_a_mail_leads_to_a_code_for_the_client(stack: StackInfo, http: httpx.Client) -> None:
    email, client = new_email(), _client(stack, http)
    client.auth.sign_in_with_otp({"email": email})
    answer = httpx.get(_mail(stack, email)["link"])
    assert answer.status_code == 303
    [code] = parse_qs(urlsplit(answer.headers["location"]).query)["code"]
    exchanged = client.auth.exchange_code_for_session({"auth_code": code})
    assert exchanged.user is not None
    assert exchanged.user.email == email


def test_administration(stack: StackInfo, http: httpx.Client) -> None:
    admin = _client(stack, http, stack.service_key).auth.admin
    email = new_email()
    made = admin.create_user({"email": email, "password": PASSWORD, "email_confirm": True}).user
    assert admin.get_user_by_id(made.id).user.email == email
    changed = admin.update_user_by_id(made.id, {"app_metadata": {"role": "admin"}}).user
    assert changed.app_metadata["role"] == "admin"
    assert made.id in [user.id for user in admin.list_users(per_page=10)]
    link = admin.generate_link({"type": "magiclink", "email": email})
    assert link.properties.hashed_token
    assert admin.invite_user_by_email(new_email()).user.invited_at
    admin.delete_user(made.id)
    with pytest.raises(AuthApiError) as gone:
        admin.get_user_by_id(made.id)
    assert (gone.value.status, gone.value.code) == (404, "user_not_found")
    with pytest.raises(AuthApiError):
        admin.get_user_by_id(str(uuid4()))


def test_a_second_factor(stack: StackInfo, http: httpx.Client) -> None:
    email, client = new_email(), _client(stack, http)
    client.auth.sign_up({"email": email, "password": PASSWORD})
    enrolled = client.auth.mfa.enroll({"factor_type": "totp", "friendly_name": "phone", "issuer": "Tavern"})
    assert enrolled.totp is not None
    assert enrolled.totp.qr_code.startswith("data:image/svg+xml;utf-8,<svg")
    secret = enrolled.totp.secret
    client.auth.mfa.challenge_and_verify({"factor_id": enrolled.id, "code": _code(secret)})
    assert _levels(client) == ("aal2", "aal2")
    again = _client(stack, http)
    again.auth.sign_in_with_password({"email": email, "password": PASSWORD})
    assert _levels(again) == ("aal1", "aal2")
    [factor] = again.auth.mfa.list_factors().totp
    challenge = again.auth.mfa.challenge({"factor_id": factor.id})
    with pytest.raises(AuthApiError, match="Invalid TOTP code entered") as wrong:
        again.auth.mfa.verify({"factor_id": factor.id, "challenge_id": challenge.id, "code": "000000"})
    assert wrong.value.code == "mfa_verification_failed"
    verified = again.auth.mfa.verify(
        {"factor_id": factor.id, "challenge_id": challenge.id, "code": _code(secret, later=1)}
    )
    assert verified.user.email == email
    assert _levels(again) == ("aal2", "aal2")
    assert again.auth.mfa.unenroll({"factor_id": factor.id}).id == factor.id
    again.auth.refresh_session()
    assert _levels(again) == ("aal1", "aal1")


def _code(secret: str, later: int = 0) -> str:
    return totp.code_at(secret, totp.step_at(time.time()) + later)


def _levels(client: Client) -> tuple[str | None, str | None]:
    level = client.auth.mfa.get_authenticator_assurance_level()
    return level.current_level, level.next_level
