"""Any request gets an answer or an error that clients understand, and never a failure of the server."""

import asyncio
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.local_supabase.auth.conftest import Auth, AuthFactory

PATHS = (
    "/signup",
    "/token?grant_type=password",
    "/token?grant_type=refresh_token",
    "/token?grant_type=pkce",
    "/token?grant_type=id_token",
    "/token",
    "/verify",
    "/otp",
    "/magiclink",
    "/recover",
    "/resend",
    "/admin/users",
    "/admin/generate_link",
    "/invite",
)
FIELDS = (
    "email", "phone", "password", "data", "type", "token", "token_hash", "refresh_token", "auth_code",
    "code_verifier", "code_challenge", "code_challenge_method", "create_user", "redirect_to", "id", "role",
    "ban_duration", "password_hash", "user_metadata", "app_metadata", "new_email", "nonce", "channel", "aud",
)  # fmt: skip

text = st.text(st.characters(codec="utf-8"), max_size=30)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=8,
)
plausible = st.sampled_from(
    [
        "a@x.example",
        "signup",
        "recovery",
        "email",
        "s256",
        "x" * 43,
        "24h",
        "\0",
        "%",
        "'",
        "' or 1=1 --",
        "x" * 300,
    ]
)
bodies = st.dictionaries(st.sampled_from(FIELDS), plausible | anything, max_size=6)


@pytest.fixture
async def open_auth(auth_with: AuthFactory) -> Auth:
    return auth_with(anonymous=True, autoconfirm=False, minimum_password_length=200)


def _understandable(status: int, body: object) -> bool:
    return status < 500 or (status == 501 and isinstance(body, dict) and body["code"] == "not_implemented")


# All examples run in one event loop, because the database connections belong to it.
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def _assert_answers_post(loop: asyncio.AbstractEventLoop, auth: Auth, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(PATHS))
    raw = data.draw(bodies.map(json.dumps).map(str.encode) | st.binary(max_size=60))
    headers = {"Authorization": f"Bearer {auth.keys.service_key}"}
    posting = asyncio.run_coroutine_threadsafe(auth.http.post(path, content=raw, headers=headers), loop)
    answer = posting.result(30)
    assert _understandable(answer.status_code, answer.json() if answer.content else None), (path, raw)


async def test_no_body_makes_the_server_fail(open_auth: Auth) -> None:
    await asyncio.to_thread(_assert_answers_post, asyncio.get_running_loop(), open_auth)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def _assert_answers_put(
    loop: asyncio.AbstractEventLoop, auth: Auth, token: str, user: str, data: st.DataObject
) -> None:
    raw = json.dumps(data.draw(bodies)).encode()
    as_admin = data.draw(st.booleans())
    path = f"/admin/users/{user}" if as_admin else "/user"
    bearer = auth.keys.service_key if as_admin else token
    headers = {"Authorization": f"Bearer {bearer}"}
    putting = asyncio.run_coroutine_threadsafe(auth.http.put(path, content=raw, headers=headers), loop)
    answer = putting.result(30)
    assert _understandable(answer.status_code, answer.json()), (path, raw)


async def test_no_change_makes_the_server_fail(auth: Auth) -> None:
    session = await auth.sign_up()
    loop = asyncio.get_running_loop()
    await asyncio.to_thread(_assert_answers_put, loop, auth, session.access_token, session.user_id)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from(("/verify", "/authorize", "/admin/users", "/logout", "/user", "/settings")),
    query=st.dictionaries(
        st.sampled_from(("type", "token", "redirect_to", "provider", "page", "per_page", "filter", "scope"))
        | text,
        text | plausible,
        max_size=4,
    ),
    bearer=st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=40),
)
def _assert_answers_get(
    loop: asyncio.AbstractEventLoop, auth: Auth, path: str, query: dict[str, str], bearer: str
) -> None:
    token = auth.keys.service_key if path == "/admin/users" else bearer
    headers = {"Authorization": f"Bearer {token}"}
    asking = asyncio.run_coroutine_threadsafe(auth.http.get(path, params=query, headers=headers), loop)
    assert asking.result(30).status_code < 500, (path, query)


async def test_no_query_makes_the_server_fail(auth: Auth) -> None:
    await asyncio.to_thread(_assert_answers_get, asyncio.get_running_loop(), auth)
