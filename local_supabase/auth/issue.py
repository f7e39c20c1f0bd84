"""Issues sessions, as the JSON that clients store."""

from datetime import UTC, datetime

from local_supabase.auth import sessions, tokens, users
from local_supabase.auth.api import AuthApi
from local_supabase.auth.models import User
from local_supabase.auth.sessions import SessionClient
from local_supabase.database import Connection


async def sign_in(
    api: AuthApi, connection: Connection, user: User, method: str, client: SessionClient
) -> dict[str, object]:
    """Open a session and return its JSON; ``method`` goes into the ``amr`` claim."""
    session_id, refresh_token = await sessions.open_session(connection, user, method, client)
    signed_in = await users.reload(connection, user)
    return await session_json(api, connection, signed_in, session_id, refresh_token)


async def session_json(
    api: AuthApi, connection: Connection, user: User, session_id: str, refresh_token: str
) -> dict[str, object]:
    """Return the JSON of a session, with a new access token."""
    lifetime = api.settings.jwt_expiry
    issued_at = datetime.fromtimestamp(api.context.verifier.now(), UTC)
    claims = tokens.access_claims(
        user,
        session_id=session_id,
        methods=await sessions.methods_of(connection, session_id),
        issuer=api.issuer,
        issued_at=issued_at,
        lifetime=lifetime,
    )
    return {
        "access_token": tokens.sign(claims, api.context.keys.jwt_secret),
        "token_type": "bearer",
        "expires_in": lifetime,
        "expires_at": int(issued_at.timestamp()) + lifetime,
        "refresh_token": refresh_token,
        "user": user.to_json(),
    }
