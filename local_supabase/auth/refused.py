"""Features that this server does not have: refused as GoTrue does when a project has them disabled."""

from starlette.requests import Request
from starlette.responses import Response

from local_supabase.auth.api import AuthApi, caller_of, json_answer, require_admin
from local_supabase.auth.body import read_body
from local_supabase.auth.errors import forbidden, invalid, not_found, not_supported, unprocessable
from local_supabase.auth.validation import validate_uuid

_FACTORS = {
    "totp": ("mfa_totp_enroll_not_enabled", "MFA enroll is disabled for TOTP"),
    "phone": ("mfa_phone_enroll_not_enabled", "MFA enroll is disabled for Phone"),
    "webauthn": ("mfa_webauthn_enroll_not_enabled", "MFA enroll is disabled for WebAuthn"),
}


async def authorize(api: AuthApi, request: Request) -> Response:
    """Refuse to sign in with another provider."""
    del api
    if not request.query_params.get("provider"):
        raise invalid("Unsupported provider: missing provider")
    raise invalid("Unsupported provider: provider is not enabled")


async def link_identity(api: AuthApi, request: Request) -> Response:
    """Refuse to link an identity of another provider."""
    async with api.context.database.as_admin() as connection:
        await caller_of(api, connection, request)
    if not api.settings.manual_linking:
        raise not_found("manual_linking_disabled", "Manual linking is disabled")
    return await authorize(api, request)


async def single_sign_on(api: AuthApi, request: Request) -> Response:
    """Refuse to sign in with SAML."""
    del api, request
    raise not_found("saml_provider_disabled", "SAML 2.0 is disabled")


async def oauth(api: AuthApi, request: Request) -> Response:
    """Refuse to sign people in to other applications."""
    del api, request
    raise not_found("feature_disabled", "OAuth server is disabled")


async def enroll_factor(api: AuthApi, request: Request) -> Response:
    """Refuse to enroll a second factor."""
    async with api.context.database.as_admin() as connection:
        caller = await caller_of(api, connection, request)
    if caller.user.is_anonymous:
        message = "Anonymous user not allowed to perform these actions"
        raise forbidden("no_authorization", message)
    kind = (await read_body(request)).text("factor_type")
    if kind not in _FACTORS:
        raise invalid("factor_type needs to be totp, phone, or webauthn")
    raise unprocessable(*_FACTORS[kind])


async def use_factor(api: AuthApi, request: Request) -> Response:
    """Answer that the factor does not exist."""
    async with api.context.database.as_admin() as connection:
        await caller_of(api, connection, request)
    wrong = not_found("validation_failed", "factor_id must be an UUID")
    validate_uuid(request.path_params["factor_id"], wrong)
    raise not_found("mfa_factor_not_found", "Factor not found")


async def admin_sso(api: AuthApi, request: Request) -> Response:
    """Return no SAML providers, and refuse to create one."""
    require_admin(api, request)
    if request.method == "GET" and request.url.path.endswith("/providers"):
        return json_answer({"items": []})
    raise not_found("saml_provider_disabled", "SAML 2.0 is disabled")


async def audit(api: AuthApi, request: Request) -> Response:
    """Refuse to list the audit log, because an empty list would say that nothing happened."""
    require_admin(api, request)
    raise not_supported("The embedded Supabase keeps no audit log")
