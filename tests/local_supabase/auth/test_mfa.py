import asyncio
import time
from typing import TYPE_CHECKING

import httpx
import pytest

from local_supabase.auth.settings import RateLimits
from local_supabase.stack.runtime import StackInfo
from tests.local_supabase.auth.authenticator import (
    challenge,
    claims,
    enroll,
    problem,
    unenroll,
    verify,
    with_factor,
)
from tests.local_supabase.auth.conftest import CODED, PASSWORD, Auth, AuthFactory, Session

if TYPE_CHECKING:
    import asyncpg

pytestmark = pytest.mark.usefixtures("standing_clock")

NOBODY = "6f1d0c9e-5a7b-4c7e-9d55-0b1f6a1c2e34"
"""An id that no row has; fixed, so that the tests have the same names each time."""


async def test_a_factor_is_given_out_once_with_everything_an_app_needs(auth: Auth) -> None:
    session = await auth.sign_up()
    answer = await auth.post(
        "/factors",
        {"factor_type": "totp", "friendly_name": "phone", "issuer": "Tavern"},
        session.access_token,
    )
    body = answer.json()
    assert set(body) == {"id", "type", "friendly_name", "totp"}
    assert (body["type"], body["friendly_name"]) == ("totp", "phone")
    assert body["totp"]["qr_code"].startswith("<svg")
    assert body["totp"]["uri"].startswith("otpauth://totp/Tavern:")
    assert f"secret={body['totp']['secret']}" in body["totp"]["uri"]
    [factor] = (await auth.get("/user", session.access_token)).json()["factors"]
    assert set(factor) == {
        "id", "created_at", "updated_at", "status", "friendly_name", "factor_type", "phone",
        "last_challenged_at",
    }  # fmt: skip
    assert (factor["id"], factor["status"], factor["factor_type"]) == (body["id"], "unverified", "totp")


async def test_a_code_raises_the_session_and_verifies_the_factor(auth: Auth) -> None:
    session = await auth.sign_up()
    assert claims(session.access_token)["aal"] == "aal1"
    factor = await enroll(auth, session.access_token)
    answer = await verify(auth, session.access_token, factor)
    assert answer.status_code == 200
    assert set(answer.json()) == {
        "access_token", "token_type", "expires_in", "expires_at", "refresh_token", "user"
    }  # fmt: skip
    [seen] = answer.json()["user"]["factors"]
    assert seen["status"] == "verified"
    raised, former = claims(answer.json()["access_token"]), claims(session.access_token)
    assert (raised["aal"], raised["session_id"]) == ("aal2", former["session_id"])
    methods = raised["amr"]
    assert isinstance(methods, list)
    assert [entry["method"] for entry in methods] == ["totp", "password"]


async def test_a_raised_session_stays_raised_when_it_is_refreshed(auth: Auth) -> None:
    session, _ = await with_factor(auth)
    refreshed = Session.of(await auth.refresh(session.refresh_token))
    assert claims(refreshed.access_token)["aal"] == "aal2"


async def test_the_refresh_token_from_before_the_code_is_void_at_once(auth: Auth) -> None:
    session = await auth.sign_up()
    factor = await enroll(auth, session.access_token)
    assert (await verify(auth, session.access_token, factor)).status_code == 200
    assert problem(await auth.refresh(session.refresh_token)) == (400, "refresh_token_not_found")


async def test_the_password_alone_gives_level_aal1_and_names_the_factor(auth: Auth) -> None:
    session, factor = await with_factor(auth)
    answer = await auth.sign_in(session.email)
    assert claims(answer.json()["access_token"])["aal"] == "aal1"
    assert [each["id"] for each in answer.json()["user"]["factors"]] == [factor.id]
    assert answer.json()["user"]["factors"][0]["status"] == "verified"


async def test_sessions_without_a_code_end_when_a_code_is_entered(auth: Auth) -> None:
    session = await auth.sign_up()
    elsewhere = Session.of(await auth.sign_in(session.email))
    factor = await enroll(auth, session.access_token)
    assert (await verify(auth, session.access_token, factor)).status_code == 200
    assert problem(await auth.refresh(elsewhere.refresh_token)) == (400, "refresh_token_not_found")
    assert problem(await auth.get("/user", elsewhere.access_token)) == (403, "session_not_found")


@pytest.mark.parametrize("code", ["000000", "12345", "", "abcdef", "1" * 5000])
async def test_a_wrong_code_changes_nothing(auth: Auth, code: str) -> None:
    session = await auth.sign_up()
    factor = await enroll(auth, session.access_token)
    body = {"challenge_id": await challenge(auth, session.access_token, factor), "code": code}
    answer = await auth.post(f"/factors/{factor.id}/verify", body, session.access_token)
    expected = (422, "mfa_verification_failed") if code else (400, "validation_failed")
    assert problem(answer) == expected
    [seen] = (await auth.get("/user", session.access_token)).json()["factors"]
    assert seen["status"] == "unverified"
    assert (await auth.refresh(session.refresh_token)).status_code == 200


async def test_a_code_is_used_once_whichever_challenge_it_answers(auth: Auth) -> None:
    session = await auth.sign_up()
    factor = await enroll(auth, session.access_token)
    code = factor.code()
    assert (await verify(auth, session.access_token, factor, code)).status_code == 200
    again = Session.of(await auth.sign_in(session.email))
    assert problem(await verify(auth, again.access_token, factor, code)) == (422, "mfa_verification_failed")
    assert problem(await verify(auth, again.access_token, factor, factor.code(-1))) == (
        422,
        "mfa_verification_failed",
    )
    assert (await verify(auth, again.access_token, factor, factor.code(1))).status_code == 200


async def test_of_many_who_send_one_code_at_once_one_gets_a_session(auth: Auth) -> None:
    session, factor = await with_factor(auth)
    others = [Session.of(await auth.sign_in(session.email)) for _ in range(6)]
    code = factor.code(1)
    challenges = [await challenge(auth, other.access_token, factor) for other in others]
    answers = await asyncio.gather(
        *(
            auth.post(
                f"/factors/{factor.id}/verify", {"challenge_id": each, "code": code}, other.access_token
            )
            for other, each in zip(others, challenges, strict=True)
        )
    )
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses[0] == 200
    # The code has been used, or what waited for it has ended already: the code ends the other sign-ins.
    assert set(statuses[1:]) <= {403, 422}


async def test_a_challenge_is_answered_once(auth: Auth) -> None:
    session, factor = await with_factor(auth)
    token = Session.of(await auth.sign_in(session.email)).access_token
    challenge_id = await challenge(auth, token, factor)
    path = f"/factors/{factor.id}/verify"
    first = await auth.post(path, {"challenge_id": challenge_id, "code": factor.code()}, token)
    second = await auth.post(path, {"challenge_id": challenge_id, "code": factor.code(1)}, token)
    assert first.status_code == 200
    assert problem(second) == (422, "mfa_ip_address_mismatch")


async def test_a_challenge_expires(auth: Auth, sql: "asyncpg.Connection[asyncpg.Record]") -> None:
    session = await auth.sign_up()
    factor = await enroll(auth, session.access_token)
    answer = await auth.post(f"/factors/{factor.id}/challenge", {}, session.access_token)
    challenge_id = answer.json()["id"]
    assert abs(answer.json()["expires_at"] - time.time() - 300) < 60
    await sql.execute(
        "update auth.mfa_challenges set created_at = created_at - interval '301 seconds' where id = $1",
        challenge_id,
    )
    body = {"challenge_id": challenge_id, "code": factor.code()}
    late = await auth.post(f"/factors/{factor.id}/verify", body, session.access_token)
    assert problem(late) == (422, "mfa_challenge_expired")
    assert await sql.fetchval("select count(*) from auth.mfa_challenges where id = $1", challenge_id) == 0


async def test_a_challenge_belongs_to_the_address_that_asked_for_it(
    auth: Auth, sql: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    session = await auth.sign_up()
    factor = await enroll(auth, session.access_token)
    challenge_id = await challenge(auth, session.access_token, factor)
    await sql.execute("update auth.mfa_challenges set ip_address = '203.0.113.9' where id = $1", challenge_id)
    body = {"challenge_id": challenge_id, "code": factor.code()}
    answer = await auth.post(f"/factors/{factor.id}/verify", body, session.access_token)
    assert problem(answer) == (422, "mfa_ip_address_mismatch")


@pytest.mark.parametrize("challenge_id", ["", NOBODY])
async def test_a_challenge_that_does_not_exist_is_refused(auth: Auth, challenge_id: str) -> None:
    session = await auth.sign_up()
    factor = await enroll(auth, session.access_token)
    body = {"challenge_id": challenge_id, "code": factor.code()}
    answer = await auth.post(f"/factors/{factor.id}/verify", body, session.access_token)
    assert problem(answer) == (422, "mfa_factor_not_found")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("POST", f"/factors/{NOBODY}/challenge", 404, "mfa_factor_not_found"),
        ("POST", f"/factors/{NOBODY}/verify", 404, "mfa_factor_not_found"),
        ("DELETE", f"/factors/{NOBODY}", 404, "mfa_factor_not_found"),
        ("POST", "/factors/mine/challenge", 404, "validation_failed"),
        ("POST", "/factors/mine/verify", 404, "validation_failed"),
    ],
)
async def test_a_factor_that_does_not_exist_is_refused(
    auth: Auth, method: str, path: str, status: int, code: str
) -> None:
    session = await auth.sign_up()
    headers = CODED | {"Authorization": f"Bearer {session.access_token}"}
    body: object = {} if method == "POST" else None
    assert problem(await auth.http.request(method, path, json=body, headers=headers)) == (status, code)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "validation_failed"),
        ({"factor_type": "fax"}, 400, "validation_failed"),
        ({"factor_type": "phone", "phone": "+491511234567"}, 422, "mfa_phone_enroll_not_enabled"),
        ({"factor_type": "webauthn"}, 422, "mfa_webauthn_enroll_not_enabled"),
        ({"factor_type": 1}, 400, "bad_json"),
        ({"factor_type": "totp", "friendly_name": "x" * 201}, 400, "validation_failed"),
        ({"factor_type": "totp", "issuer": "x" * 201}, 400, "validation_failed"),
    ],
)
async def test_what_cannot_be_enrolled_is_refused(
    auth: Auth, body: dict[str, object], status: int, code: str
) -> None:
    session = await auth.sign_up()
    assert problem(await auth.post("/factors", body, session.access_token)) == (status, code)


async def test_a_project_may_switch_codes_off(auth_with: AuthFactory, auth: Auth) -> None:
    session = await auth.sign_up()
    factor = await enroll(auth, session.access_token)
    off = auth_with(totp_enroll=False, totp_verify=False)
    begun = await off.post("/factors", {"factor_type": "totp"}, session.access_token)
    asked = await off.post(f"/factors/{factor.id}/challenge", {}, session.access_token)
    body = {"challenge_id": NOBODY, "code": factor.code()}
    entered = await off.post(f"/factors/{factor.id}/verify", body, session.access_token)
    assert problem(begun) == (422, "mfa_totp_enroll_not_enabled")
    assert problem(asked) == problem(entered) == (422, "mfa_totp_verify_not_enabled")


async def test_a_verified_factor_is_removed_only_after_a_code(auth: Auth) -> None:
    session, factor = await with_factor(auth)
    stranger = Session.of(await auth.sign_in(session.email))
    assert problem(await unenroll(auth, stranger.access_token, factor)) == (422, "insufficient_aal")
    removed = await unenroll(auth, session.access_token, factor)
    assert (removed.status_code, removed.json()) == (200, {"id": factor.id})
    refreshed = Session.of(await auth.refresh(session.refresh_token))
    assert claims(refreshed.access_token)["aal"] == "aal1"
    assert "factors" not in (await auth.get("/user", refreshed.access_token)).json()


@pytest.mark.parametrize("change", [{"password": "another horse"}, {"email": "elsewhere@people.example"}])
async def test_password_and_address_change_only_after_a_code(auth: Auth, change: dict[str, str]) -> None:
    session, _ = await with_factor(auth)
    stranger = Session.of(await auth.sign_in(session.email))
    answer = await auth.put("/user", change, stranger.access_token)
    assert problem(answer) == (401, "insufficient_aal")
    assert (await auth.sign_in(session.email, PASSWORD)).status_code == 200


async def test_after_a_code_the_password_can_be_changed(auth: Auth) -> None:
    session, _ = await with_factor(auth)
    answer = await auth.put("/user", {"password": "another horse"}, session.access_token)
    assert answer.status_code == 200


async def test_wrong_codes_are_counted_by_account(auth_with: AuthFactory) -> None:
    auth = auth_with(rate_limits=RateLimits(wrong_codes=3))
    session = await auth.sign_up()
    factor = await enroll(auth, session.access_token)
    for _ in range(3):
        assert (await verify(auth, session.access_token, factor, "000000")).status_code == 422
    late = await verify(auth, session.access_token, factor)
    assert problem(late) == (429, "over_request_rate_limit")


async def test_right_codes_do_not_count_as_wrong(auth_with: AuthFactory) -> None:
    auth = auth_with(rate_limits=RateLimits(wrong_codes=1))
    session = await auth.sign_up()
    factor = await enroll(auth, session.access_token)
    answers = [await verify(auth, session.access_token, factor, factor.code(later)) for later in (-1, 0, 1)]
    assert [answer.status_code for answer in answers] == [200, 200, 200]


async def test_challenges_are_limited(auth_with: AuthFactory) -> None:
    auth = auth_with(rate_limits=RateLimits(factor_codes=2))
    session = await auth.sign_up()
    factor = await enroll(auth, session.access_token)
    for _ in range(2):
        await challenge(auth, session.access_token, factor)
    answer = await auth.post(f"/factors/{factor.id}/challenge", {}, session.access_token)
    assert problem(answer) == (429, "over_request_rate_limit")


async def test_the_secret_is_in_no_answer_after_the_first(auth: Auth) -> None:
    session = await auth.sign_up()
    factor = await enroll(auth, session.access_token)
    asked = await auth.post(f"/factors/{factor.id}/challenge", {}, session.access_token)
    verified = await verify(auth, session.access_token, factor)
    me = await auth.get("/user", session.access_token)
    again = await auth.sign_in(session.email)
    headers = {"Authorization": f"Bearer {auth.keys.service_key}"}
    user = await auth.http.get(f"/admin/users/{session.user_id}", headers=headers)
    listed = await auth.http.get(f"/admin/users/{session.user_id}/factors", headers=headers)
    shown = [answer.text for answer in (asked, verified, me, again, user, listed)]
    assert not [text for text in shown if factor.secret in text or "secret" in text]


async def test_the_secret_is_not_to_be_read_over_rest(auth: Auth, stack: StackInfo) -> None:
    session, _ = await with_factor(auth)
    async with httpx.AsyncClient() as http:
        answer = await http.get(
            f"{stack.url}/rest/v1/mfa_factors",
            headers={
                "apikey": stack.anon_key,
                "Authorization": f"Bearer {session.access_token}",
                "Accept-Profile": "auth",
            },
        )
    assert answer.status_code == 406
