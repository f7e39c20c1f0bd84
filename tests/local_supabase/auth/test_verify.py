import base64
import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import httpx
import jwt
import pytest

from local_supabase.auth.mailbox import MailKind
from tests.local_supabase.auth.conftest import PASSWORD, Auth, AuthFactory, new_email

if TYPE_CHECKING:
    import asyncpg

VERIFIER = "a-verifier-that-is-long-enough-for-the-rules-of-pkce"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
PKCE = {"code_challenge": CHALLENGE, "code_challenge_method": "s256"}


@pytest.fixture
def strict(auth_with: AuthFactory) -> Auth:
    """Return a service in which addresses must be confirmed."""
    return auth_with(autoconfirm=False, site_url="https://tavern.example", email_interval=timedelta(0))


async def _signed_up(auth: Auth, **body: object) -> str:
    email = new_email()
    await auth.post("/signup", {"email": email, "password": PASSWORD, **body})
    return email


def _fragment(url: httpx.URL) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(url.fragment).items()}


@pytest.mark.parametrize("kind", ["signup", "email"])
async def test_the_code_of_a_mail_confirms_and_signs_in(strict: Auth, kind: str) -> None:
    email = await _signed_up(strict)
    mail = await strict.mail_to(email)
    body = {"type": kind, "email": email, "token": mail.code}
    answer = await strict.post("/verify", body)
    assert answer.status_code == 200
    user = answer.json()["user"]
    assert user["email_confirmed_at"]
    assert user["user_metadata"]["email_verified"] is True
    assert user["identities"][0]["identity_data"]["email_verified"] is True
    claims = jwt.decode(answer.json()["access_token"], options={"verify_signature": False})
    assert [entry["method"] for entry in claims["amr"]] == ["otp"]
    assert (await strict.sign_in(email)).status_code == 200
    again = await strict.post("/verify", body)
    assert (again.status_code, again.json()["code"]) == (403, "otp_expired")


async def test_the_link_of_a_mail_leads_to_the_site_with_a_session(strict: Auth) -> None:
    email = await _signed_up(strict)
    target = await strict.follow(await strict.mail_to(email))
    assert (target.scheme, target.host) == ("https", "tavern.example")
    values = _fragment(target)
    assert values["type"] == "signup"
    assert values["token_type"] == "bearer"
    assert (await strict.get("/user", values["access_token"])).json()["email"] == email
    assert (await strict.refresh(values["refresh_token"])).status_code == 200


async def test_a_used_link_leads_to_the_site_with_the_error(strict: Auth) -> None:
    mail = await strict.mail_to(await _signed_up(strict))
    await strict.follow(mail)
    values = _fragment(await strict.follow(mail))
    assert values == {
        "error": "access_denied",
        "error_code": "otp_expired",
        "error_description": "Email link is invalid or has expired",
    }


async def test_a_head_request_does_not_use_up_a_link(strict: Auth) -> None:
    email = await _signed_up(strict)
    mail = await strict.mail_to(email)
    looked = await strict.http.head(f"/verify?{httpx.URL(mail.link).query.decode()}")
    assert looked.status_code == 405
    assert "access_token" in _fragment(await strict.follow(mail))


async def test_the_hash_of_a_link_is_a_token_hash(strict: Auth) -> None:
    email = await _signed_up(strict)
    hashed = parse_qs((await strict.mail_to(email)).link)["type"]
    assert hashed == ["signup"]
    link = httpx.URL((await strict.mail_to(email)).link)
    answer = await strict.post("/verify", {"type": "email", "token_hash": link.params["token"]})
    assert answer.status_code == 200


async def test_an_old_code_is_refused(strict: Auth, sql: "asyncpg.Connection[asyncpg.Record]") -> None:
    email = await _signed_up(strict)
    mail = await strict.mail_to(email)
    await sql.execute(
        "update auth.users set confirmation_sent_at = now() - interval '2 hours' where email = $1", email
    )
    answer = await strict.post("/verify", {"type": "signup", "email": email, "token": mail.code})
    assert answer.json() == {"code": "otp_expired", "message": "Token has expired or is invalid"}


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"token": "123456", "email": "a@x.example"}, 400, "validation_failed"),
        ({"type": "signup"}, 400, "validation_failed"),
        ({"type": "signup", "token": "1", "token_hash": "2"}, 400, "validation_failed"),
        ({"type": "signup", "token": "1"}, 400, "validation_failed"),
        ({"type": "signup", "token_hash": "1", "email": "a@x.example"}, 400, "validation_failed"),
        ({"type": "magic", "token": "1", "email": "a@x.example"}, 400, "validation_failed"),
        ({"type": "sms", "token": "1", "phone": "491511234567"}, 403, "otp_expired"),
        ({"type": "sms", "token": "1", "phone": "0151-invalid"}, 400, "validation_failed"),
        ({"type": "signup", "token": "1", "email": "nobody@x.example"}, 403, "otp_expired"),
        ({"type": "signup", "token_hash": "nothing"}, 403, "otp_expired"),
    ],
)
async def test_a_wrong_verification_is_refused(strict: Auth, body: object, status: int, code: str) -> None:
    answer = await strict.post("/verify", body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_a_code_is_valid_for_its_own_type_only(strict: Auth) -> None:
    email = await _signed_up(strict)
    mail = await strict.mail_to(email)
    answer = await strict.post("/verify", {"type": "recovery", "email": email, "token": mail.code})
    assert answer.json()["code"] == "otp_expired"


async def test_a_recovery_signs_in_to_set_a_new_password(auth: Auth) -> None:
    session = await auth.sign_up()
    assert (await auth.post("/recover", {"email": session.email})).json() == {}
    mail = await auth.mail_to(session.email)
    assert mail.kind is MailKind.RECOVERY
    body = {"type": "recovery", "email": session.email, "token": mail.code}
    recovered = (await auth.post("/verify", body)).json()
    await auth.put("/user", {"password": "remembered now"}, recovered["access_token"])
    assert (await auth.sign_in(session.email, "remembered now")).status_code == 200


async def test_a_new_password_voids_a_recovery_mail(auth: Auth) -> None:
    session = await auth.sign_up()
    await auth.post("/recover", {"email": session.email})
    mail = await auth.mail_to(session.email)
    await auth.put("/user", {"password": "remembered now"}, session.access_token)
    body = {"type": "recovery", "email": session.email, "token": mail.code}
    assert (await auth.post("/verify", body)).json()["code"] == "otp_expired"


async def test_recovery_does_not_reveal_who_has_an_account(auth: Auth) -> None:
    answer = await auth.post("/recover", {"email": new_email()})
    assert (answer.status_code, answer.json()) == (200, {})


async def test_a_magic_link_creates_the_account_unless_forbidden(auth: Auth) -> None:
    email = new_email()
    refused = await auth.post("/otp", {"email": email, "create_user": False})
    assert (refused.status_code, refused.json()["code"]) == (422, "otp_disabled")
    assert (await auth.post("/otp", {"email": email, "data": {"n": 1}})).json() == {}
    mail = await auth.mail_to(email)
    assert mail.kind is MailKind.MAGIC_LINK
    answer = await auth.post("/verify", {"type": "email", "email": email, "token": mail.code})
    assert answer.json()["user"]["user_metadata"]["n"] == 1


async def test_a_magic_link_for_a_new_address_confirms_it(strict: Auth) -> None:
    email = new_email()
    await strict.post("/otp", {"email": email})
    mail = await strict.mail_to(email)
    assert mail.kind is MailKind.SIGNUP
    answer = await strict.post("/verify", {"type": "email", "email": email, "token": mail.code})
    assert answer.json()["user"]["email_confirmed_at"]


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/otp", {}, "validation_failed"),
        ("/otp", {"email": "nobody"}, "validation_failed"),
        ("/otp", {"phone": "491511234567"}, "phone_provider_disabled"),
        ("/otp", {"email": "a@x.example", "channel": "sms"}, "validation_failed"),
        ("/otp", {"email": "a@x.example", "create_user": "no"}, "bad_json"),
        ("/magiclink", {}, "validation_failed"),
        ("/recover", {}, "validation_failed"),
        ("/recover", {"email": "nobody"}, "validation_failed"),
        ("/resend", {}, "validation_failed"),
        ("/resend", {"type": "signup"}, "validation_failed"),
        ("/resend", {"type": "email_change"}, "validation_failed"),
    ],
)
async def test_a_wrong_request_for_a_mail_is_refused(auth: Auth, path: str, body: object, code: str) -> None:
    answer = await auth.post(path, body)
    assert answer.status_code in (400, 422)
    assert answer.json()["code"] == code


async def test_a_confirmation_is_sent_again_while_it_is_awaited(strict: Auth) -> None:
    email = await _signed_up(strict)
    first = await strict.mail_to(email)
    assert (await strict.post("/resend", {"type": "signup", "email": email})).json() == {}
    unknown = await strict.post("/resend", {"type": "sms", "phone": "491511234567"})
    assert (unknown.status_code, unknown.json()) == (200, {})
    second = await strict.mail_to(email)
    assert second.id != first.id
    old = await strict.post("/verify", {"type": "signup", "email": email, "token": first.code})
    assert old.json()["code"] == "otp_expired"
    await strict.post("/verify", {"type": "signup", "email": email, "token": second.code})
    await strict.post("/resend", {"type": "signup", "email": email})
    assert (await strict.mail_to(email)).id == second.id


async def test_mails_to_one_person_are_spaced_out(auth_with: AuthFactory) -> None:
    auth = auth_with(email_interval=timedelta(minutes=1))
    session = await auth.sign_up()
    await auth.post("/recover", {"email": session.email})
    answer = await auth.post("/recover", {"email": session.email})
    assert (answer.status_code, answer.json()["code"]) == (429, "over_email_send_rate_limit")
    assert "you can only request this after" in answer.json()["message"]


async def test_the_pkce_flow_exchanges_a_code_once(auth: Auth) -> None:
    session = await auth.sign_up()
    await auth.post("/recover", {"email": session.email, **PKCE})
    target = await auth.follow(await auth.mail_to(session.email))
    assert not target.fragment
    code = target.params["code"]
    wrong = {"auth_code": code, "code_verifier": "x" * 43}
    refused = await auth.post("/token?grant_type=pkce", wrong)
    assert (refused.status_code, refused.json()["code"]) == (400, "bad_code_verifier")
    body = {"auth_code": code, "code_verifier": VERIFIER}
    answer = await auth.post("/token?grant_type=pkce", body)
    assert answer.json()["user"]["id"] == session.user_id
    claims = jwt.decode(answer.json()["access_token"], options={"verify_signature": False})
    assert [entry["method"] for entry in claims["amr"]] == ["recovery"]
    again = await auth.post("/token?grant_type=pkce", body)
    assert (again.status_code, again.json()["code"]) == (404, "flow_state_not_found")


async def test_the_pkce_flow_confirms_a_sign_up(strict: Auth) -> None:
    email = await _signed_up(strict, **PKCE)
    target = await strict.follow(await strict.mail_to(email))
    body = {"auth_code": target.params["code"], "code_verifier": VERIFIER}
    answer = await strict.post("/token?grant_type=pkce", body)
    assert answer.json()["user"]["email"] == email


async def test_an_error_of_the_pkce_flow_is_in_the_query(strict: Auth) -> None:
    answer = await strict.http.get("/verify?type=signup&token=pkce_nothing")
    assert httpx.URL(answer.headers["location"]).params["error_code"] == "otp_expired"


async def test_a_link_redirects_to_allowed_urls_only(strict: Auth) -> None:
    email = new_email()
    body = {"email": email, "password": PASSWORD}
    await strict.post("/signup?redirect_to=https://evil.example/", body)
    target = await strict.follow(await strict.mail_to(email))
    assert target.host == "tavern.example"
    answer = await strict.http.get("/verify?type=signup&token=x&redirect_to=https://evil.example")
    assert httpx.URL(answer.headers["location"]).host == "tavern.example"


async def test_requests_beyond_the_rate_limits_are_refused(auth_with: AuthFactory) -> None:
    from local_supabase.auth.settings import RateLimits

    auth = auth_with(rate_limits=RateLimits(2, 1, 1, 4, 1), anonymous=True)
    session = await auth.sign_up()
    for _ in range(2):
        await auth.post("/otp", {"email": new_email()})
    mail = await auth.post("/recover", {"email": session.email})
    assert (mail.status_code, mail.json()["code"]) == (429, "over_email_send_rate_limit")
    sign_in = await auth.sign_in(session.email)
    assert (sign_in.status_code, sign_in.json()["code"]) == (429, "over_request_rate_limit")
    await auth.post("/signup", {})
    assert (await auth.post("/signup", {})).status_code == 429
    await auth.refresh(session.refresh_token)
    assert (await auth.refresh(session.refresh_token)).status_code == 429
    await auth.post("/verify", {})
    assert (await auth.post("/verify", {})).status_code == 429
