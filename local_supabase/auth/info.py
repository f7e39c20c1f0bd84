"""Public information: the service's health, settings and public keys."""

from starlette.requests import Request
from starlette.responses import Response

from local_supabase.auth.api import AuthApi, json_answer

_EXTERNAL = (
    "apple", "azure", "bitbucket", "discord", "facebook", "figma", "fly", "github", "gitlab", "google",
    "keycloak", "kakao", "linkedin", "linkedin_oidc", "notion", "spotify", "slack", "slack_oidc", "workos",
    "twitch", "twitter", "zoom",
)  # fmt: skip

_CLAIMS = (
    "sub", "aud", "iss", "exp", "iat", "auth_time", "nonce", "email", "email_verified", "phone_number",
    "phone_number_verified", "name", "picture", "preferred_username", "updated_at",
)  # fmt: skip


async def health(api: AuthApi, request: Request) -> Response:
    """Return what GoTrue does, with a version that names this server."""
    del api, request
    return json_answer(
        {
            "version": "embedded",
            "name": "GoTrue",
            "description": "GoTrue is a user registration and authentication API",
        }
    )


async def settings(api: AuthApi, request: Request) -> Response:
    """Return which ways of signing in are enabled."""
    del request
    external: dict[str, bool] = {"anonymous_users": api.settings.anonymous}
    external |= dict.fromkeys(_EXTERNAL, False)
    external |= {"email": api.settings.email_signup, "phone": False}
    return json_answer(
        {
            "external": external,
            "disable_signup": not api.settings.signup,
            "mailer_autoconfirm": api.settings.autoconfirm,
            "phone_autoconfirm": False,
            "sms_provider": "",
            "saml_enabled": False,
        }
    )


async def openid_configuration(api: AuthApi, request: Request) -> Response:
    """Return where the service's endpoints are. Those of its OAuth server answer that it is off."""
    del request
    answer = json_answer(
        {
            "issuer": api.issuer,
            "authorization_endpoint": f"{api.issuer}/oauth/authorize",
            "token_endpoint": f"{api.issuer}/oauth/token",
            "jwks_uri": f"{api.issuer}/.well-known/jwks.json",
            "userinfo_endpoint": f"{api.issuer}/oauth/userinfo",
            "scopes_supported": ["openid", "profile", "email", "phone", "offline_access"],
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "ES256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
            "claims_supported": list(_CLAIMS),
            "code_challenge_methods_supported": ["S256", "plain"],
        }
    )
    answer.headers["Cache-Control"] = "public, max-age=600"
    return answer


async def jwks(api: AuthApi, request: Request) -> Response:
    """Return no public keys, because tokens are signed with the shared secret."""
    del api, request
    answer = json_answer({"keys": []})
    answer.headers["Cache-Control"] = "public, max-age=600"
    return answer
