import time

import httpx
import pytest

from local_supabase.auth import totp
from tests.local_supabase.auth.conftest import CODED, Auth, Session


async def _call(auth: Auth, method: str, path: str, body: object = None, key: str = "") -> httpx.Response:
    headers = CODED | {"Authorization": f"Bearer {key or auth.keys.service_key}"}
    return await auth.http.request(method, path, json=body, headers=headers)


async def _person_with_factor(auth: Auth) -> tuple[Session, str]:
    """Return a session of level aal2, and the path of its factor for administrators."""
    session = await auth.sign_up()
    body = {"factor_type": "totp", "friendly_name": "phone"}
    enrolled = (await auth.post("/factors", body, session.access_token)).json()
    path = f"/factors/{enrolled['id']}"
    challenge = (await auth.post(f"{path}/challenge", {}, session.access_token)).json()
    code = totp.code_at(enrolled["totp"]["secret"], totp.step_at(time.time()))
    answer = await auth.post(
        f"{path}/verify", {"challenge_id": challenge["id"], "code": code}, session.access_token
    )
    return Session.of(answer), f"/admin/users/{session.user_id}{path}"


async def test_administrators_see_factors_without_secrets(auth: Auth) -> None:
    session, path = await _person_with_factor(auth)
    answer = await _call(auth, "GET", f"/admin/users/{session.user_id}/factors")
    [factor] = answer.json()
    assert (factor["id"], factor["status"]) == (path.rsplit("/", 1)[1], "verified")
    assert "secret" not in factor


async def test_nobody_has_factors_at_first(auth: Auth) -> None:
    session = await auth.sign_up()
    assert (await _call(auth, "GET", f"/admin/users/{session.user_id}/factors")).json() == []


async def test_administrators_rename_factors(auth: Auth) -> None:
    _, path = await _person_with_factor(auth)
    answer = await _call(auth, "PUT", path, {"friendly_name": "tablet"})
    assert (answer.status_code, answer.json()["friendly_name"]) == (200, "tablet")


async def test_administrators_remove_a_lost_factor(auth: Auth) -> None:
    session, path = await _person_with_factor(auth)
    assert (await _call(auth, "DELETE", path)).status_code == 200
    user = (await auth.sign_in(session.email)).json()["user"]
    assert "factors" not in user
    again = await _call(auth, "DELETE", path)
    assert (again.status_code, again.json()["code"]) == (404, "mfa_factor_not_found")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_the_factors_of_others_are_for_administrators(auth: Auth, method: str) -> None:
    session, path = await _person_with_factor(auth)
    target = path.rsplit("/", 1)[0] if method == "GET" else path
    body = {"friendly_name": "mine"} if method == "PUT" else None
    answer = await _call(auth, method, target, body, session.access_token)
    assert (answer.status_code, answer.json()["code"]) == (403, "not_admin")
