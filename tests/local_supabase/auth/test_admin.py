from typing import TYPE_CHECKING
from uuid import uuid4

import bcrypt
import httpx
import pytest

from local_supabase.auth.mailbox import MailKind
from tests.local_supabase.auth.conftest import CODED, PASSWORD, Auth, AuthFactory, new_email

if TYPE_CHECKING:
    import asyncpg

NOBODY = "6f1d0c9e-5a7b-4c7e-9d55-0b1f6a1c2e34"
"""An id that no row has; fixed, so that the tests have the same names each time."""


class Admin:
    """An administrator, who has the service key."""

    def __init__(self, auth: Auth) -> None:
        self.auth = auth
        self._headers = CODED | {"Authorization": f"Bearer {auth.keys.service_key}"}

    async def call(self, method: str, path: str, body: object = None) -> httpx.Response:
        return await self.auth.http.request(method, path, json=body, headers=self._headers)

    async def create(self, **body: object) -> dict[str, object]:
        whole = {"email": new_email(), "password": PASSWORD, "email_confirm": True} | body
        answer = await self.call("POST", "/admin/users", whole)
        assert answer.status_code == 200, answer.text
        created: dict[str, object] = answer.json()
        return created


@pytest.fixture
def admin(auth: Auth) -> Admin:
    return Admin(auth)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/admin/users"),
        ("POST", "/admin/users"),
        ("GET", f"/admin/users/{NOBODY}"),
        ("PUT", f"/admin/users/{NOBODY}"),
        ("DELETE", f"/admin/users/{NOBODY}"),
        ("POST", "/admin/generate_link"),
        ("POST", "/invite"),
        ("GET", "/admin/audit"),
    ],
)
async def test_administration_needs_the_service_key(auth: Auth, method: str, path: str) -> None:
    session = await auth.sign_up()
    nobody = await auth.http.request(method, path, headers=CODED)
    assert (nobody.status_code, nobody.json()["code"]) == (401, "no_authorization")
    for token in (session.access_token, auth.keys.anon_key):
        headers = CODED | {"Authorization": f"Bearer {token}"}
        answer = await auth.http.request(method, path, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "not_admin")


async def test_a_user_is_created_as_requested(admin: Admin) -> None:
    user_id = str(uuid4())
    user = await admin.create(
        id=user_id,
        user_metadata={"name": "Bo"},
        app_metadata={"team": 1},
        phone="+49 151 1234567" + user_id[:0],
    )
    assert user["id"] == user_id
    assert user["app_metadata"] == {"provider": "email", "providers": ["email", "phone"], "team": 1}
    assert user["user_metadata"] == {"name": "Bo", "email_verified": True}
    assert user["phone"] == "491511234567"
    assert (await admin.auth.sign_in(str(user["email"]))).status_code == 200
    duplicate = {"email": new_email(), "phone": "491511234567"}
    taken = await admin.call("POST", "/admin/users", duplicate)
    assert (taken.status_code, taken.json()["code"]) == (422, "phone_exists")
    await admin.call("DELETE", f"/admin/users/{user_id}")


async def test_an_address_that_is_not_confirmed_cannot_sign_in(admin: Admin) -> None:
    user = await admin.create(email_confirm=False)
    assert (await admin.auth.sign_in(str(user["email"]))).json()["code"] == "email_not_confirmed"


async def test_a_user_can_be_created_with_a_bcrypt_hash(admin: Admin) -> None:
    hashed = bcrypt.hashpw(b"from elsewhere", bcrypt.gensalt(4)).decode()
    user = await admin.create(password=None, password_hash=hashed)
    assert (await admin.auth.sign_in(str(user["email"]), "from elsewhere")).status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"password": PASSWORD}, 400, "validation_failed"),
        ({"email": "nobody"}, 400, "validation_failed"),
        ({"email": "a@x.example", "id": "1"}, 400, "validation_failed"),
        ({"phone": "0151"}, 400, "validation_failed"),
        ({"email": "a@x.example", "ban_duration": "long"}, 400, "validation_failed"),
        ({"email": "a@x.example", "password": "x" * 73}, 400, "validation_failed"),
        ({"email": "a@x.example", "password": "x", "password_hash": "y"}, 400, "validation_failed"),
        ({"email": "a@x.example", "password_hash": "$argon2id$..."}, 501, "not_implemented"),
        ({"email": "a@x.example", "user_metadata": 1}, 400, "bad_json"),
    ],
)
async def test_an_invalid_user_is_refused(admin: Admin, body: object, status: int, code: str) -> None:
    answer = await admin.call("POST", "/admin/users", body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_a_taken_address_is_refused(admin: Admin) -> None:
    user, other = await admin.create(), await admin.create()
    for method, path in (("POST", "/admin/users"), ("PUT", f"/admin/users/{other['id']}")):
        answer = await admin.call(method, path, {"email": user["email"]})
        assert (answer.status_code, answer.json()["code"]) == (422, "email_exists")


async def test_users_are_listed_in_pages(admin: Admin) -> None:
    made = [(await admin.create())["id"] for _ in range(3)]
    answer = await admin.call("GET", "/admin/users?page=1&per_page=2")
    body = answer.json()
    assert body["aud"] == "authenticated"
    assert [user["id"] for user in body["users"]] == [made[2], made[1]]
    assert int(answer.headers["x-total-count"]) >= 3
    assert 'page=2&per_page=2>; rel="next"' in answer.headers["link"]
    assert 'rel="last"' in answer.headers["link"]
    far = await admin.call("GET", "/admin/users?page=99999999999999999999999&per_page=2")
    assert (far.status_code, far.json()["users"]) == (200, [])


@pytest.mark.parametrize("query", ["page=x", "per_page=-1", "per_page=0", "page=%00"])
async def test_a_wrong_page_is_refused(admin: Admin, query: str) -> None:
    answer = await admin.call("GET", f"/admin/users?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "validation_failed")


async def test_an_unknown_user_is_not_found(admin: Admin) -> None:
    for method in ("GET", "PUT", "DELETE"):
        unknown = await admin.call(method, f"/admin/users/{uuid4()}", {})
        assert (unknown.status_code, unknown.json()["code"]) == (404, "user_not_found")
        wrong = await admin.call(method, "/admin/users/me", {})
        assert (wrong.status_code, wrong.json()["code"]) == (404, "validation_failed")


async def test_a_user_is_changed(admin: Admin) -> None:
    user = await admin.create(user_metadata={"a": 1, "b": 2})
    body = {
        "email": (email := new_email()),
        "password": "another horse",
        "email_confirm": True,
        "user_metadata": {"a": None},
        "app_metadata": {"role": "admin"},
        "role": "authenticated",
    }
    changed = (await admin.call("PUT", f"/admin/users/{user['id']}", body)).json()
    assert changed["email"] == email
    assert changed["identities"][0]["identity_data"]["email"] == email
    assert "a" not in changed["user_metadata"]
    assert changed["app_metadata"]["role"] == "admin"
    assert (await admin.auth.sign_in(email, "another horse")).status_code == 200


async def test_a_new_password_signs_out_everywhere(admin: Admin) -> None:
    session = await admin.auth.sign_up()
    await admin.call("PUT", f"/admin/users/{session.user_id}", {"password": "another horse"})
    assert (await admin.auth.get("/user", session.access_token)).status_code == 403


async def test_a_ban_lasts_until_it_is_lifted(admin: Admin) -> None:
    user = await admin.create()
    path, email = f"/admin/users/{user['id']}", str(user["email"])
    banned = (await admin.call("PUT", path, {"ban_duration": "24h"})).json()
    assert banned["banned_until"]
    assert (await admin.auth.sign_in(email)).json()["code"] == "user_banned"
    lifted = (await admin.call("PUT", path, {"ban_duration": "none"})).json()
    assert "banned_until" not in lifted
    assert (await admin.auth.sign_in(email)).status_code == 200


async def test_a_deleted_user_is_not_found(admin: Admin) -> None:
    session = await admin.auth.sign_up()
    path = f"/admin/users/{session.user_id}"
    answer = await admin.call("DELETE", path)
    assert (answer.status_code, answer.json()) == (200, {})
    assert (await admin.call("GET", path)).status_code == 404
    assert (await admin.auth.sign_in(session.email)).status_code == 400


async def test_a_softly_deleted_user_leaves_nothing_that_identifies_a_person(
    admin: Admin, sql: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    session = await admin.auth.sign_up(data={"name": "Somebody Known"})
    body = {"should_soft_delete": True}
    await admin.call("DELETE", f"/admin/users/{session.user_id}", body)
    user = (await admin.call("GET", f"/admin/users/{session.user_id}")).json()
    assert user["deleted_at"]
    kept = await sql.fetchval(
        """
        select to_jsonb(u)::text
            || (select jsonb_agg(i)::text from auth.identities i where i.user_id = u.id)
          from auth.users u where id = $1::uuid
        """,
        session.user_id,
    )
    assert session.email not in kept
    assert "Somebody Known" not in kept
    assert (await admin.auth.sign_up(session.email)).user_id != session.user_id


async def test_an_invitation_creates_an_account_that_its_mail_opens(admin: Admin) -> None:
    email = new_email()
    answer = await admin.call("POST", "/invite", {"email": email, "data": {"n": 1}})
    assert answer.json()["invited_at"]
    mail = await admin.auth.mail_to(email)
    assert mail.kind is MailKind.INVITE
    body = {"type": "invite", "email": email, "token": mail.code}
    assert (await admin.auth.post("/verify", body)).json()["user"]["email_confirmed_at"]
    again = await admin.call("POST", "/invite", {"email": email})
    assert (again.status_code, again.json()["code"]) == (422, "email_exists")


@pytest.mark.parametrize("kind", ["signup", "invite", "magiclink"])
async def test_a_link_for_a_new_address_signs_up(admin: Admin, kind: str) -> None:
    email = new_email()
    body = {"type": kind, "email": email, "password": PASSWORD, "data": {"n": 1}}
    link = (await admin.call("POST", "/admin/generate_link", body)).json()
    assert link["email"] == email
    assert link["verification_type"] == ("invite" if kind == "invite" else "signup")
    assert link["hashed_token"] in link["action_link"]
    verified = await admin.auth.post(
        "/verify", {"type": link["verification_type"], "email": email, "token": link["email_otp"]}
    )
    assert verified.json()["user"]["id"] == link["id"]


@pytest.mark.parametrize("kind", ["magiclink", "recovery"])
async def test_a_link_for_a_member_signs_in(admin: Admin, kind: str) -> None:
    user = await admin.create()
    body = {"type": kind, "email": user["email"]}
    link = (await admin.call("POST", "/admin/generate_link", body)).json()
    hashed = {"type": kind, "token_hash": link["hashed_token"]}
    verified = await admin.auth.post("/verify", hashed)
    assert verified.json()["user"]["id"] == user["id"]


async def test_links_for_a_change_of_address(auth_with: AuthFactory) -> None:
    strict = Admin(auth_with(autoconfirm=False))
    user, email = await strict.create(), new_email()
    hashes = []
    for kind in ("email_change_current", "email_change_new"):
        body = {"type": kind, "email": user["email"], "new_email": email}
        link = (await strict.call("POST", "/admin/generate_link", body)).json()
        hashes.append(link["hashed_token"])
    for hashed in hashes:
        await strict.auth.post("/verify", {"type": "email_change", "token_hash": hashed})
    assert (await strict.call("GET", f"/admin/users/{user['id']}")).json()["email"] == email


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"type": "recovery", "email": "nobody@x.example"}, 404, "user_not_found"),
        ({"type": "sms", "email": "nobody@x.example"}, 400, "validation_failed"),
        ({"type": "signup", "email": "nobody@x.example"}, 400, "validation_failed"),
        ({"type": "signup", "email": "nobody"}, 400, "validation_failed"),
    ],
)
async def test_a_wrong_link_is_refused(admin: Admin, body: object, status: int, code: str) -> None:
    answer = await admin.call("POST", "/admin/generate_link", body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
