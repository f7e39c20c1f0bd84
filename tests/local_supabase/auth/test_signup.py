from typing import TYPE_CHECKING

import jwt
import pytest

from local_supabase.auth.mailbox import MailKind
from tests.local_supabase.auth.conftest import PASSWORD, Auth, AuthFactory, new_email

if TYPE_CHECKING:
    import asyncpg


async def test_a_sign_up_answers_a_session_with_the_users_data(auth: Auth) -> None:
    email = new_email()
    body = {"email": email.upper(), "password": PASSWORD, "data": {"display_name": "Ada"}}
    answer = (await auth.post("/signup", body)).json()
    assert answer["token_type"] == "bearer"
    assert answer["expires_in"] == 3600
    user = answer["user"]
    assert user["email"] == email
    assert (user["aud"], user["role"], user["phone"]) == ("authenticated", "authenticated", "")
    assert user["app_metadata"] == {"provider": "email", "providers": ["email"]}
    assert user["user_metadata"] == {
        "display_name": "Ada",
        "sub": user["id"],
        "email": email,
        "email_verified": True,
        "phone_verified": False,
    }
    assert user["email_confirmed_at"] == user["confirmed_at"]
    assert user["is_anonymous"] is False
    [identity] = user["identities"]
    assert identity["id"] == user["id"]
    assert identity["provider"] == "email"
    assert identity["identity_data"]["email"] == email


async def test_the_access_token_holds_the_claims_of_hosted(auth: Auth) -> None:
    session = await auth.sign_up(data={"n": 1})
    claims = jwt.decode(
        session.access_token, auth.keys.jwt_secret, algorithms=["HS256"], audience="authenticated"
    )
    assert claims["sub"] == session.user_id
    assert claims["email"] == session.email
    assert claims["role"] == "authenticated"
    assert claims["aal"] == "aal1"
    assert [entry["method"] for entry in claims["amr"]] == ["password"]
    assert claims["user_metadata"]["n"] == 1
    assert claims["app_metadata"] == {"provider": "email", "providers": ["email"]}
    assert claims["is_anonymous"] is False
    assert claims["exp"] - claims["iat"] == 3600
    assert claims["iss"].endswith("/auth/v1")
    assert claims["session_id"]


async def test_a_taken_address_is_refused(auth: Auth) -> None:
    session = await auth.sign_up()
    answer = await auth.post("/signup", {"email": session.email.upper(), "password": PASSWORD})
    assert answer.status_code == 422
    assert answer.json() == {"code": "user_already_exists", "message": "User already registered"}


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"email": "a@x.example"}, 400, "validation_failed"),
        ({"email": "a@x.example", "password": "12345"}, 422, "weak_password"),
        ({"email": "a@x.example", "password": "x" * 73}, 400, "validation_failed"),
        ({"email": "nobody", "password": PASSWORD}, 400, "validation_failed"),
        ({"phone": "491511234567", "password": PASSWORD}, 400, "phone_provider_disabled"),
        ({"email": "a@x.example", "phone": "1", "password": PASSWORD}, 400, "validation_failed"),
        ({"email": 1, "password": PASSWORD}, 400, "bad_json"),
        ({"email": "a@x.example", "password": PASSWORD, "data": []}, 400, "bad_json"),
        ({"email": "a@x.example", "password": PASSWORD, "code_challenge": "x"}, 400, "validation_failed"),
        ({"password": PASSWORD}, 422, "anonymous_provider_disabled"),
    ],
)
async def test_a_wrong_sign_up_is_refused(auth: Auth, body: object, status: int, code: str) -> None:
    answer = await auth.post("/signup", body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_sign_ups_can_be_closed(auth_with: AuthFactory) -> None:
    answer = await auth_with(signup=False).post("/signup", {"email": new_email(), "password": PASSWORD})
    assert (answer.status_code, answer.json()["code"]) == (422, "signup_disabled")


async def test_an_address_may_have_to_be_confirmed_first(auth_with: AuthFactory) -> None:
    auth, email = auth_with(autoconfirm=False), new_email()
    answer = await auth.post("/signup", {"email": email, "password": PASSWORD, "data": {"n": 1}})
    assert answer.status_code == 200
    user = answer.json()
    assert "access_token" not in user
    assert user["confirmation_sent_at"]
    assert "email_confirmed_at" not in user
    refused = await auth.sign_in(email)
    assert (refused.status_code, refused.json()["code"]) == (400, "email_not_confirmed")
    assert (await auth.mail_to(email)).kind is MailKind.SIGNUP


async def test_confirmation_hides_who_has_an_account(auth_with: AuthFactory) -> None:
    auth = auth_with(autoconfirm=False)
    taken = await auth_with().sign_up()
    known = (await auth.post("/signup", {"email": taken.email, "password": PASSWORD})).json()
    unknown = (await auth.post("/signup", {"email": new_email(), "password": PASSWORD})).json()
    assert known["id"] != taken.user_id
    assert known["identities"] == []
    assert known.keys() == unknown.keys()


async def test_two_sign_ups_at_once_with_one_address_create_one_account(auth: Auth) -> None:
    import asyncio

    body = {"email": new_email(), "password": PASSWORD}
    answers = await asyncio.gather(*(auth.post("/signup", body) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 422, 422, 422]


async def test_a_guest_signs_in_anonymously(auth_with: AuthFactory) -> None:
    auth = auth_with(anonymous=True)
    answer = await auth.post("/signup", {"data": {"nick": "guest"}})
    assert answer.status_code == 200
    user = answer.json()["user"]
    assert user["is_anonymous"] is True
    assert user["email"] == ""
    assert user["identities"] == []
    assert user["user_metadata"] == {"nick": "guest"}
    claims = jwt.decode(answer.json()["access_token"], options={"verify_signature": False})
    assert claims["is_anonymous"] is True
    assert [entry["method"] for entry in claims["amr"]] == ["anonymous"]


async def test_a_failing_trigger_of_the_project_is_a_clean_failure(
    auth: Auth, sql: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    await sql.execute(
        """
        create schema if not exists trigger_test;
        create or replace function trigger_test.refuse() returns trigger language plpgsql as
            $$ begin raise exception 'no'; end $$;
        create trigger refuse before insert on auth.users for each row
            when (new.email like 'refused-%') execute function trigger_test.refuse();
        """
    )
    try:
        answer = await auth.post("/signup", {"email": f"refused-{new_email()}", "password": PASSWORD})
    finally:
        await sql.execute("drop trigger refuse on auth.users; drop schema trigger_test cascade")
    assert answer.status_code == 500
    assert answer.json() == {"code": "unexpected_failure", "message": "Database error saving new user"}


async def test_a_refused_sign_up_leaves_nothing(
    auth: Auth, sql: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    email = new_email()
    await auth.post("/signup", {"email": email, "password": "12345"})
    assert await sql.fetchval("select count(*) from auth.users where email = $1", email) == 0
