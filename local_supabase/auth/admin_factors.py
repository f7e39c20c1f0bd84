"""The endpoints with which administrators see and remove the second factors of users.

Source: github.com/supabase/auth, ``internal/api/admin.go``.
"""

from starlette.requests import Request
from starlette.responses import Response

from local_supabase.auth import factors, sessions
from local_supabase.auth.admin import load_user
from local_supabase.auth.api import AuthApi, json_answer, require_admin, transaction
from local_supabase.auth.body import read_body
from local_supabase.auth.errors import invalid
from local_supabase.auth.mfa import MAX_NAME_LENGTH, find_factor


async def list_factors(api: AuthApi, request: Request) -> Response:
    """Return the second factors of a user, without their secrets."""
    require_admin(api, request)
    async with api.context.database.as_admin() as connection:
        user = await load_user(connection, request)
    return json_answer([factor.to_json() for factor in user.factors])


async def update_factor(api: AuthApi, request: Request) -> Response:
    """Rename a factor."""
    require_admin(api, request)
    name = (await read_body(request)).text("friendly_name")
    if len(name) > MAX_NAME_LENGTH:
        raise invalid(f"friendly_name cannot be longer than {MAX_NAME_LENGTH} characters")
    async with transaction(api) as connection:
        factor = find_factor(await load_user(connection, request), request)
        if name:
            await factors.rename(connection, factor, name)
        renamed = find_factor(await load_user(connection, request), request)
    return json_answer(renamed.to_json())


async def delete_factor(api: AuthApi, request: Request) -> Response:
    """Delete a factor, for somebody who has lost it; the sessions that it raised fall back to aal1."""
    require_admin(api, request)
    async with transaction(api) as connection:
        factor = find_factor(await load_user(connection, request), request)
        await factors.delete(connection, factor)
        await sessions.lower_level(connection, factor.id, factor.factor_type)
    return json_answer(factor.to_json())
