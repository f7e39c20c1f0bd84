from typing import TYPE_CHECKING
from uuid import uuid4

import jwt
import pytest

from local_supabase.auth.mailbox import MailKind
from tests.local_supabase.auth.conftest import PASSWORD, Auth, AuthFactory, Session, new_email

if TYPE_CHECKING:
    import asyncpg

NEW_PASSWORD = "another horse"


def _forged(auth: Auth, **claims: object) -> str:
    base = {"sub": str(uuid4()), "role": "authenticated", "aud": "authenticated", "exp": 4102444800}
    return jwt.encode(base | claims, auth.keys.jwt_secret, algorithm="HS256")


async def test_a_signed_in_user_is_returned(auth: Auth) -> None:
    session = await auth.sign_up()
    answer = await auth.get("/user", session.access_token)
    assert (answer.status_code, answer.json()["id"]) == (200, session.user_id)


async def test_a_request_without_a_token_is_refused(auth: Auth) -> None:
    answer = await auth.get("/user")
    assert (answer.status_code, answer.json()["code"]) == (401, "no_authorization")


async def test_unusable_tokens_are_refused(auth: Auth) -> None:
    session = await auth.sign_up()
    for token in ("nonsense", session.access_token[:-2] + "xx", _forged(auth, exp=1)):
        answer = await auth.get("/user", token)
        assert (answer.status_code, answer.json()["code"]) == (403, "bad_jwt")
    key = await auth.get("/user", auth.keys.anon_key)
    assert key.json()["message"] == "invalid claim: missing sub claim"
    no_uuid = await auth.get("/user", _forged(auth, sub="me"))
    assert (no_uuid.status_code, no_uuid.json()["code"]) == (400, "bad_jwt")
    nobody = await auth.get("/user", _forged(auth))
    assert (nobody.status_code, nobody.json()["code"]) == (403, "user_not_found")
    strange = await auth.get("/user", _forged(auth, sub=session.user_id, session_id="me"))
    assert (strange.status_code, strange.json()["code"]) == (403, "bad_jwt")


@pytest.mark.parametrize(
    ("scope", "first", "second"),
    [("global", 403, 403), ("local", 403, 200), ("others", 200, 403), ("", 403, 403)],
)
async def test_signing_out_ends_the_sessions_of_its_scope(
    auth: Auth, scope: str, first: int, second: int
) -> None:
    one = await auth.sign_up()
    two = Session.of(await auth.sign_in(one.email))
    answer = await auth.post(f"/logout?scope={scope}" if scope else "/logout", token=one.access_token)
    assert answer.status_code == 204
    assert (await auth.get("/user", one.access_token)).status_code == first
    assert (await auth.get("/user", two.access_token)).status_code == second
    assert (await auth.refresh(one.refresh_token)).status_code == (200 if first == 200 else 400)


async def test_an_unknown_scope_signs_nobody_out(auth: Auth) -> None:
    session = await auth.sign_up()
    answer = await auth.post("/logout?scope=some", token=session.access_token)
    assert (answer.status_code, answer.json()["code"]) == (400, "validation_failed")
    assert (await auth.get("/user", session.access_token)).status_code == 200


async def test_the_token_of_a_signed_out_session_is_refused_with_the_reason(auth: Auth) -> None:
    session = await auth.sign_up()
    await auth.post("/logout", token=session.access_token)
    answer = await auth.get("/user", session.access_token)
    assert (answer.status_code, answer.json()["code"]) == (403, "session_not_found")


async def test_the_token_of_a_deleted_user_is_refused_with_the_reason(
    auth: Auth, sql: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    session = await auth.sign_up()
    await sql.execute("delete from auth.users where id = $1::uuid", session.user_id)
    answer = await auth.get("/user", session.access_token)
    assert (answer.status_code, answer.json()["code"]) == (403, "user_not_found")
    assert (await auth.refresh(session.refresh_token)).json()["code"] == "refresh_token_not_found"


async def test_metadata_is_merged_and_null_removes(auth: Auth) -> None:
    session = await auth.sign_up(data={"a": 1, "b": 2})
    answer = await auth.put("/user", {"data": {"a": None, "c": {"d": None}}}, session.access_token)
    metadata = answer.json()["user_metadata"]
    assert "a" not in metadata
    assert (metadata["b"], metadata["c"]) == (2, {"d": None})


async def test_metadata_that_makes_too_long_a_token_is_refused(auth: Auth) -> None:
    large = {f"key{number}": "x" for number in range(4_000)}
    email = new_email()
    answer = await auth.post("/signup", {"email": email, "password": PASSWORD, "data": large})
    assert (answer.status_code, answer.json()["code"]) == (400, "validation_failed")
    session = await auth.sign_up(email)
    half = {key: large[key] for key in list(large)[:1_000]}
    assert (await auth.put("/user", {"data": half}, session.access_token)).status_code == 200
    answer = await auth.put("/user", {"data": large}, session.access_token)
    assert (answer.status_code, answer.json()["code"]) == (400, "validation_failed")
    answer = await auth.put("/user", {"data": {"more": "\u00e9" * 3_000}}, session.access_token)
    assert (answer.status_code, answer.json()["code"]) == (400, "validation_failed")
    path = f"/admin/users/{session.user_id}"
    answer = await auth.put(path, {"user_metadata": large}, auth.keys.service_key)
    assert (answer.status_code, answer.json()["code"]) == (400, "validation_failed")
    assert len((await auth.get("/user", session.access_token)).json()["user_metadata"]) < 1_010
    assert (await auth.put("/user", {"data": dict.fromkeys(half)}, session.access_token)).status_code == 200


async def test_app_metadata_is_for_administrators(auth: Auth) -> None:
    session = await auth.sign_up()
    answer = await auth.put("/user", {"app_metadata": {"role": "admin"}}, session.access_token)
    assert (answer.status_code, answer.json()["code"]) == (403, "not_admin")


async def test_a_new_password_signs_out_the_other_sessions(auth: Auth) -> None:
    here = await auth.sign_up()
    there = Session.of(await auth.sign_in(here.email))
    answer = await auth.put("/user", {"password": NEW_PASSWORD}, here.access_token)
    assert answer.status_code == 200
    assert (await auth.get("/user", here.access_token)).status_code == 200
    assert (await auth.get("/user", there.access_token)).status_code == 403
    assert (await auth.sign_in(here.email)).status_code == 400
    assert (await auth.sign_in(here.email, NEW_PASSWORD)).status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"password": PASSWORD}, 422, "same_password"),
        ({"password": "12345"}, 422, "weak_password"),
        ({"password": 1}, 400, "bad_json"),
        ({"email": "nobody"}, 400, "validation_failed"),
        ({"phone": "491511234567"}, 400, "phone_provider_disabled"),
    ],
)
async def test_a_wrong_change_is_refused(auth: Auth, body: object, status: int, code: str) -> None:
    session = await auth.sign_up()
    answer = await auth.put("/user", body, session.access_token)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_a_taken_address_cannot_be_taken_over(auth: Auth) -> None:
    one, two = await auth.sign_up(), await auth.sign_up()
    answer = await auth.put("/user", {"email": two.email}, one.access_token)
    assert (answer.status_code, answer.json()["code"]) == (422, "email_exists")


async def test_a_new_address_is_used_once_it_is_confirmed(auth: Auth) -> None:
    session, email = await auth.sign_up(), new_email()
    answer = await auth.put("/user", {"email": email}, session.access_token)
    assert (answer.json()["email"], answer.json()["new_email"]) == (session.email, email)
    mail = await auth.mail_to(email)
    assert mail.kind is MailKind.EMAIL_CHANGE
    verified = await auth.post("/verify", {"type": "email_change", "email": email, "token": mail.code})
    assert verified.json()["user"]["email"] == email
    assert "new_email" not in verified.json()["user"]
    assert verified.json()["user"]["identities"][0]["identity_data"]["email"] == email
    assert (await auth.sign_in(email)).status_code == 200
    assert (await auth.sign_in(session.email)).status_code == 400


async def test_both_addresses_may_have_to_confirm(auth: Auth, auth_with: AuthFactory) -> None:
    strict = auth_with(autoconfirm=False)
    session, email = await auth.sign_up(), new_email()
    await strict.put("/user", {"email": email}, session.access_token)
    new, old = await strict.mail_to(email), await strict.mail_to(session.email)
    half = await strict.post("/verify", {"type": "email_change", "email": email, "token": new.code})
    assert half.status_code == 200
    assert half.json()["msg"].startswith("Confirmation link accepted")
    again = await strict.post("/verify", {"type": "email_change", "email": email, "token": new.code})
    assert again.json()["code"] == "otp_expired"
    whole = await strict.post("/verify", {"type": "email_change", "email": session.email, "token": old.code})
    assert whole.json()["user"]["email"] == email


async def test_a_guest_becomes_a_member(auth_with: AuthFactory) -> None:
    auth, email = auth_with(anonymous=True), new_email()
    guest = Session.of(await auth.post("/signup", {}))
    refused = await auth.put("/user", {"password": PASSWORD}, guest.access_token)
    assert (refused.status_code, refused.json()["code"]) == (422, "validation_failed")
    answer = await auth.put("/user", {"email": email, "password": PASSWORD}, guest.access_token)
    member = answer.json()
    assert (member["id"], member["email"], member["is_anonymous"]) == (guest.user_id, email, False)
    assert member["app_metadata"]["providers"] == ["email"]
    assert (await auth.sign_in(email)).status_code == 200
    renewed = await auth.refresh(guest.refresh_token)
    claims = jwt.decode(renewed.json()["access_token"], options={"verify_signature": False})
    assert claims["is_anonymous"] is False


async def test_a_guest_may_have_to_confirm_the_address(auth_with: AuthFactory) -> None:
    auth, email = auth_with(anonymous=True, autoconfirm=False), new_email()
    guest = Session.of(await auth.post("/signup", {}))
    assert (await auth.put("/user", {"email": email}, guest.access_token)).json()["is_anonymous"] is True
    mail = await auth.mail_to(email)
    verified = await auth.post("/verify", {"type": "email_change", "email": email, "token": mail.code})
    assert verified.json()["user"]["is_anonymous"] is False
    assert verified.json()["user"]["email"] == email


async def test_a_password_change_may_ask_for_a_nonce_when_the_sign_in_is_old(
    auth_with: AuthFactory, sql: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    auth = auth_with(secure_password_change=True)
    session = await auth.sign_up()
    await sql.execute(
        "update auth.sessions set created_at = now() - interval '2 days' where user_id = $1::uuid",
        session.user_id,
    )
    needed = await auth.put("/user", {"password": NEW_PASSWORD}, session.access_token)
    assert (needed.status_code, needed.json()["code"]) == (400, "reauthentication_needed")
    assert (await auth.get("/reauthenticate", session.access_token)).json() == {}
    mail = await auth.mail_to(session.email)
    assert (mail.kind, mail.link) == (MailKind.REAUTHENTICATION, "")
    wrong = {"password": NEW_PASSWORD, "nonce": "000000x"}
    refused = await auth.put("/user", wrong, session.access_token)
    assert (refused.status_code, refused.json()["code"]) == (422, "reauthentication_not_valid")
    right = {"password": NEW_PASSWORD, "nonce": mail.code}
    assert (await auth.put("/user", right, session.access_token)).status_code == 200


async def test_the_only_identity_cannot_be_unlinked(auth_with: AuthFactory) -> None:
    auth = auth_with(manual_linking=True)
    session = await auth.sign_up()
    user = (await auth.get("/user", session.access_token)).json()
    path = f"/user/identities/{user['identities'][0]['identity_id']}"
    answer = await auth.http.delete(path, headers={"Authorization": f"Bearer {session.access_token}"})
    assert (answer.status_code, answer.json()["error_code"]) == (422, "single_identity_not_deletable")
