"""Public information: the service's health, settings and public keys."""

from starlette.requests import Request
from starlette.responses import Response

from local_supabase.auth.api import AuthApi, json_answer

_EXTERNAL = (
    "apple", "azure", "bitbucket", "discord", "facebook", "figma", "fly", "github", "gitlab", "google",
    "keycloak", "kakao", "linkedin", "linkedin_oidc", "notion", "spotify", "slack", "slack_oidc", "workos",
    "twitch", "twitter", "zoom",
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


async def jwks(api: AuthApi, request: Request) -> Response:
    """Return no public keys, because tokens are signed with the shared secret."""
    del api, request
    answer = json_answer({"keys": []})
    answer.headers["Cache-Control"] = "public, max-age=600"
    return answer
