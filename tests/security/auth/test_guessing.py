"""Guessing passwords and codes at an Auth service with the settings of a new project."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest

from local_supabase.auth.settings import RateLimits
from local_supabase.stack.runtime import StackInfo
from tests.local_supabase.auth.conftest import PASSWORD, Auth, AuthFactory, auth_context, auth_with, new_email

__all__ = ["auth_context", "auth_with"]  # fixtures

# What the address may do, so that only the limits of an account are left.
ANY_ADDRESS = RateLimits(sign_in_sign_ups=10**6, token_verifications=10**6)


def _is_refused(answer: httpx.Response) -> bool:
    return answer.status_code == 429 and answer.json()["code"] == "over_request_rate_limit"


async def _guess_codes(auth: Auth, email: str, kind: str, count: int) -> list[httpx.Response]:
    right = (await auth.mail_to(email)).code
    guesses = [f"{number:06}" for number in range(count + 1) if f"{number:06}" != right]
    return [
        await auth.post("/verify", {"type": kind, "email": email, "token": guess})
        for guess in guesses[:count]
    ]


async def test_one_address_signs_in_or_asks_for_mail_thirty_times(auth_with: AuthFactory) -> None:
    auth = auth_with()
    assert (await auth.sign_in(new_email())).status_code == 400
    answers = [await auth.post("/recover", {"email": new_email()}) for _ in range(29)]
    assert {answer.status_code for answer in answers} == {200}
    assert _is_refused(await auth.sign_in(new_email()))
    for path in ("/recover", "/otp", "/magiclink", "/signup"):
        assert _is_refused(await auth.post(path, {"email": new_email(), "password": PASSWORD}))


async def test_the_right_password_does_not_help_after_many_wrong_ones(auth_with: AuthFactory) -> None:
    auth = auth_with(rate_limits=ANY_ADDRESS)
    victim, other = await auth.sign_up(), await auth.sign_up()
    answers = await asyncio.gather(*(auth.sign_in(victim.email.upper(), f"wrong {n}") for n in range(15)))
    assert sorted(answer.status_code for answer in answers) == [400] * 10 + [429] * 5
    assert _is_refused(await auth.sign_in(victim.email))
    assert (await auth.sign_in(other.email)).status_code == 200


async def test_right_passwords_are_not_counted(auth_with: AuthFactory) -> None:
    auth = auth_with(rate_limits=ANY_ADDRESS)
    person = await auth.sign_up()
    answers = [await auth.sign_in(person.email) for _ in range(12)]
    assert [answer.status_code for answer in answers] == [200] * 12


async def test_an_account_that_does_not_exist_answers_the_same(auth_with: AuthFactory) -> None:
    auth = auth_with(rate_limits=ANY_ADDRESS)
    email = new_email()
    answers = [await auth.sign_in(email) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [400] * 10 + [429]


@pytest.mark.parametrize("kind", ["recovery", "magiclink", "email"])
async def test_a_code_is_used_up_by_wrong_ones(auth_with: AuthFactory, kind: str) -> None:
    auth = auth_with(rate_limits=ANY_ADDRESS)
    person = await auth.sign_up()
    await auth.post("/recover", {"email": person.email})
    for answer in await _guess_codes(auth, person.email, kind, 5):
        assert (answer.status_code, answer.json()["code"]) == (403, "otp_expired")
    right = {"type": kind, "email": person.email, "token": (await auth.mail_to(person.email)).code}
    answer = await auth.post("/verify", right)
    assert (answer.status_code, answer.json()["code"]) == (403, "otp_expired")


async def test_new_codes_give_no_new_tries_without_end(
    auth_with: AuthFactory, sql: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    auth = auth_with(rate_limits=ANY_ADDRESS)
    person = await auth.sign_up()
    answers: list[httpx.Response] = []
    for _ in range(3):
        await sql.execute("update auth.users set recovery_sent_at = null where email = $1", person.email)
        assert (await auth.post("/recover", {"email": person.email})).status_code == 200
        answers += await _guess_codes(auth, person.email, "recovery", 4)
    assert [answer.status_code for answer in answers] == [403] * 10 + [429] * 2
    right = {"type": "recovery", "email": person.email, "token": (await auth.mail_to(person.email)).code}
    assert _is_refused(await auth.post("/verify", right))


async def test_after_some_wrong_codes_the_right_one_is_accepted(auth_with: AuthFactory) -> None:
    auth = auth_with()
    person = await auth.sign_up()
    await auth.post("/recover", {"email": person.email})
    await _guess_codes(auth, person.email, "recovery", 4)
    right = {"type": "recovery", "email": person.email, "token": (await auth.mail_to(person.email)).code}
    assert (await auth.post("/verify", right)).status_code == 200


async def test_one_address_tries_thirty_links(auth_with: AuthFactory) -> None:
    auth = auth_with()
    answers = [await auth.get(f"/verify?type=recovery&token={number}") for number in range(31)]
    assert [answer.status_code for answer in answers] == [303] * 30 + [429]


@pytest.mark.parametrize("password", ["123456", "1234567", "12345678", "password1", "Sunshine1"])
async def test_short_and_common_passwords_are_refused(auth_with: AuthFactory, password: str) -> None:
    auth = auth_with()
    answer = await auth.post("/signup", {"email": new_email(), "password": password})
    assert (answer.status_code, answer.json()["code"]) == (422, "weak_password")
    person = await auth.sign_up()
    answer = await auth.put("/user", {"password": password}, person.access_token)
    assert (answer.status_code, answer.json()["code"]) == (422, "weak_password")


@pytest.fixture
async def sql(stack: StackInfo) -> "AsyncIterator[asyncpg.Connection[asyncpg.Record]]":
    connection = await asyncpg.connect(stack.database_url)
    yield connection
    await connection.close()
