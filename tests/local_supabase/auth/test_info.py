from tests.local_supabase.auth.conftest import Auth, AuthFactory


async def test_health_names_the_service(auth: Auth) -> None:
    assert (await auth.get("/health")).json()["name"] == "GoTrue"


async def test_settings_list_the_ways_to_sign_in(auth_with: AuthFactory) -> None:
    settings = (await auth_with(anonymous=True, autoconfirm=False, signup=False).get("/settings")).json()
    assert settings["external"]["email"] is True
    assert settings["external"]["anonymous_users"] is True
    assert settings["external"]["google"] is False
    assert settings["external"]["phone"] is False
    assert settings["disable_signup"] is True
    assert settings["mailer_autoconfirm"] is False


async def test_there_are_no_public_keys(auth: Auth) -> None:
    assert (await auth.get("/.well-known/jwks.json")).json() == {"keys": []}


async def test_the_openid_configuration_names_the_endpoints_which_are_off(auth: Auth) -> None:
    found = (await auth.get("/.well-known/openid-configuration")).json()
    assert found["jwks_uri"] == f"{found['issuer']}/.well-known/jwks.json"
    assert (await auth.get("/.well-known/oauth-authorization-server")).json() == found
    refused = await auth.get("/oauth/authorize")
    assert (refused.status_code, refused.json()["code"]) == (404, "feature_disabled")
