"""Features that this server does not have: refused as GoTrue does when a project has them disabled."""

from starlette.requests import Request
from starlette.responses import Response

from local_supabase.auth.api import AuthApi, caller_of, json_answer, require_admin
from local_supabase.auth.errors import invalid, not_found, not_supported


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
