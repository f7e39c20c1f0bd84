import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import bcrypt
import jwt
import pytest

from tests.local_supabase.auth.conftest import PASSWORD, Auth, AuthFactory, Session, new_email

if TYPE_CHECKING:
    import asyncpg


async def test_a_password_signs_in_whatever_the_case_of_the_address(auth: Auth) -> None:
    session = await auth.sign_up()
    answer = await auth.sign_in(session.email.title())
    assert answer.status_code == 200
    assert answer.json()["user"]["id"] == session.user_id


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"password": "x"}, "validation_failed"),
        ({"email": "a@x.example", "phone": "1", "password": "x"}, "validation_failed"),
        ({"email": ["a"], "password": "x"}, "bad_json"),
        ({"email": "nobody@x.example", "password": ""}, "invalid_credentials"),
        ({"email": "not an address", "password": "x"}, "invalid_credentials"),
        ({"email": "nobody@x.example", "password": "x" * 500}, "invalid_credentials"),
    ],
)
async def test_a_wrong_sign_in_is_refused(auth: Auth, body: object, code: str) -> None:
    answer = await auth.post("/token?grant_type=password", body)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


async def test_a_wrong_password_and_a_wrong_address_are_answered_alike(auth: Auth) -> None:
    session = await auth.sign_up()
    known, unknown = await auth.sign_in(session.email, "wrong one"), await auth.sign_in(new_email())
    assert known.status_code == unknown.status_code == 400
    assert known.json() == unknown.json()
    assert known.json() == {"code": "invalid_credentials", "message": "Invalid login credentials"}


async def test_the_grant_type_must_be_known(auth: Auth) -> None:
    answer = await auth.post("/token?grant_type=magic", {})
    assert answer.status_code == 400
    assert answer.json()["message"] == "unsupported_grant_type"


@pytest.mark.parametrize("token_columns", ["null", "''"])
async def test_an_account_created_by_a_seed_signs_in(
    auth: Auth, sql: "asyncpg.Connection[asyncpg.Record]", token_columns: str
) -> None:
    email, user_id = new_email(), uuid4()
    hashed = bcrypt.hashpw(b"from a seed", bcrypt.gensalt(6, prefix=b"2a")).decode()
    await sql.execute(
        f"""
        insert into auth.users (instance_id, id, aud, role, email, encrypted_password, email_confirmed_at,
            raw_app_meta_data, raw_user_meta_data, created_at, updated_at, confirmation_token, email_change,
            email_change_token_new, recovery_token)
        values ('00000000-0000-0000-0000-000000000000', $1, 'authenticated', 'authenticated', $2, $3, now(),
            '{{"provider":"email","providers":["email"]}}', '{{}}', now(), now(),
            {token_columns}, {token_columns}, {token_columns}, {token_columns})
        """,
        user_id,
        email.upper(),
        hashed,
    )
    answer = await auth.sign_in(email, "from a seed")
    assert answer.status_code == 200
    session = Session.of(answer)
    assert (await auth.get("/user", session.access_token)).json()["id"] == str(user_id)
    assert (await auth.refresh(session.refresh_token)).status_code == 200


async def test_a_banned_user_is_refused_with_the_reason(
    auth: Auth, sql: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    session = await auth.sign_up()
    await sql.execute(
        "update auth.users set banned_until = now() + interval '1 hour' where id = $1::uuid", session.user_id
    )
    signing_in = await auth.sign_in(session.email)
    assert (signing_in.status_code, signing_in.json()["code"]) == (400, "user_banned")
    asking = await auth.get("/user", session.access_token)
    assert (asking.status_code, asking.json()["code"]) == (403, "user_banned")
    refreshing = await auth.refresh(session.refresh_token)
    assert (refreshing.status_code, refreshing.json()["code"]) == (400, "user_banned")


async def test_a_refresh_gives_new_tokens_of_the_same_session(auth: Auth) -> None:
    session = await auth.sign_up()
    answer = await auth.refresh(session.refresh_token)
    assert answer.status_code == 200
    renewed = Session.of(answer)
    assert renewed.refresh_token != session.refresh_token
    first, second = (
        jwt.decode(token, options={"verify_signature": False})
        for token in (session.access_token, renewed.access_token)
    )
    assert first["session_id"] == second["session_id"]


async def test_the_parent_of_the_active_token_gives_the_active_one(
    auth: Auth, sql: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    session = await auth.sign_up()
    renewed = Session.of(await auth.refresh(session.refresh_token))
    await _age(sql, session.user_id, timedelta(days=1))
    again = await auth.refresh(session.refresh_token)
    assert again.json()["refresh_token"] == renewed.refresh_token


async def test_reuse_of_an_older_token_revokes_the_family(
    auth: Auth, sql: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    first = await auth.sign_up()
    second = Session.of(await auth.refresh(first.refresh_token))
    third = Session.of(await auth.refresh(second.refresh_token))
    await _age(sql, first.user_id, timedelta(seconds=11))
    reused = await auth.refresh(first.refresh_token)
    assert reused.status_code == 400
    assert reused.json() == {
        "code": "refresh_token_already_used",
        "message": "Invalid Refresh Token: Already Used",
    }
    await _age(sql, first.user_id, timedelta(seconds=11))
    assert (await auth.refresh(third.refresh_token)).json()["code"] == "refresh_token_already_used"
    other = Session.of(await auth.sign_in(first.email))
    assert (await auth.refresh(other.refresh_token)).status_code == 200


async def test_reuse_within_ten_seconds_is_allowed(auth: Auth) -> None:
    first = await auth.sign_up()
    second = Session.of(await auth.refresh(first.refresh_token))
    await auth.refresh(second.refresh_token)
    assert (await auth.refresh(first.refresh_token)).status_code == 200


async def test_refreshes_at_once_agree_on_one_token(auth: Auth) -> None:
    session = await auth.sign_up()
    answers = await asyncio.gather(*(auth.refresh(session.refresh_token) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1


async def test_an_unknown_or_missing_refresh_token_is_refused(auth: Auth) -> None:
    unknown = await auth.refresh("abcdefghijkl")
    assert (unknown.status_code, unknown.json()["code"]) == (400, "refresh_token_not_found")
    missing = await auth.refresh("")
    assert missing.status_code == 400
    assert missing.json() == {"error": "invalid_request", "error_description": "refresh_token required"}


async def test_a_session_can_expire(
    auth_with: AuthFactory, sql: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    auth = auth_with(session_timebox=timedelta(hours=1), session_inactivity=timedelta(minutes=10))
    timed, idle = await auth.sign_up(), await auth.sign_up()
    await sql.execute(
        "update auth.sessions set created_at = now() - interval '2 hours' where user_id = $1::uuid",
        timed.user_id,
    )
    answer = await auth.refresh(timed.refresh_token)
    assert (answer.json()["code"], answer.json()["message"]) == (
        "session_expired",
        "Invalid Refresh Token: Session Expired",
    )
    await _age(sql, idle.user_id, timedelta(minutes=11))
    await sql.execute(
        "update auth.sessions set created_at = now() - interval '30 minutes' where user_id = $1::uuid",
        idle.user_id,
    )
    assert (await auth.refresh(idle.refresh_token)).json()["message"].endswith("(Inactivity)")


async def test_a_password_that_no_longer_meets_the_rules_signs_in_with_a_warning(
    auth: Auth, auth_with: AuthFactory
) -> None:
    session = await auth.sign_up()
    answer = await auth_with(minimum_password_length=40).sign_in(session.email, PASSWORD)
    assert answer.status_code == 200
    assert answer.json()["weak_password"]["reasons"] == ["length"]


async def _age(sql: "asyncpg.Connection[asyncpg.Record]", user_id: str, by: timedelta) -> None:
    """Make a user's refresh tokens older."""
    await sql.execute(
        "update auth.refresh_tokens set updated_at = updated_at - $2::interval where user_id = $1",
        user_id,
        by,
    )
