import pytest

from tests.local_supabase.auth.conftest import Auth

NOBODY = "6f1d0c9e-5a7b-4c7e-9d55-0b1f6a1c2e34"
"""An id that no row has; fixed, so that the tests have the same names each time."""


async def test_the_audit_log_is_refused_and_never_shown_as_empty(auth: Auth) -> None:
    answer = await auth.http.get("/admin/audit", headers={"Authorization": f"Bearer {auth.keys.service_key}"})
    assert answer.status_code == 501
    assert answer.json() == {
        "code": 501,
        "error_code": "not_implemented",
        "msg": "The embedded Supabase keeps no audit log",
    }


async def test_the_audit_log_is_for_administrators(auth: Auth) -> None:
    session = await auth.sign_up()
    answer = await auth.http.get("/admin/audit", headers={"Authorization": f"Bearer {session.access_token}"})
    assert (answer.status_code, answer.json()["error_code"]) == (403, "not_admin")


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/authorize?provider=github", None, 400, "validation_failed"),
        ("POST", "/sso", {"domain": "x.example"}, 404, "saml_provider_disabled"),
        ("GET", "/sso/saml/metadata", None, 404, "saml_provider_disabled"),
        ("POST", "/token?grant_type=web3", {"chain": "solana"}, 422, "web3_provider_disabled"),
        (
            "POST",
            "/token?grant_type=id_token",
            {"id_token": "x", "provider": "google"},
            400,
            "provider_disabled",
        ),
        ("POST", "/factors", {"factor_type": "phone"}, 422, "mfa_phone_enroll_not_enabled"),
        ("POST", "/factors", {"factor_type": "webauthn"}, 422, "mfa_webauthn_enroll_not_enabled"),
        ("GET", "/user/identities/authorize?provider=github", None, 404, "manual_linking_disabled"),
        ("DELETE", f"/user/identities/{NOBODY}", None, 404, "manual_linking_disabled"),
    ],
)
async def test_missing_features_are_refused_as_disabled_ones(
    auth: Auth, method: str, path: str, body: object, status: int, code: str
) -> None:
    session = await auth.sign_up()
    headers = {
        "Authorization": f"Bearer {session.access_token}",
        "X-Supabase-Api-Version": "2024-01-01",
    }
    answer = await auth.http.request(method, path, json=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_a_missing_id_token_is_refused_as_missing(auth: Auth) -> None:
    answer = await auth.post("/token?grant_type=id_token", {"provider": "google"})
    assert answer.status_code == 400
    assert answer.json()["error_description"] == "id_token required"
