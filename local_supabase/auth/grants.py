"""``POST /token``: signing in with a password, refreshing a session, exchanging a PKCE code."""

from datetime import UTC, datetime
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import Response

from local_supabase.auth import flow, issue, passwords, sessions, tokens, users
from local_supabase.auth.api import AuthApi, client_of, json_answer, limit_key, transaction
from local_supabase.auth.body import Body, parse_body, read_raw
from local_supabase.auth.errors import (
    AuthError,
    OAuthError,
    WeakPasswordError,
    bad_request,
    invalid,
    not_found,
    unprocessable,
)
from local_supabase.auth.limits import refuse_if_over
from local_supabase.auth.models import User
from local_supabase.auth.rotation import Rotation, decide
from local_supabase.auth.sessions import Session, StoredToken
from local_supabase.auth.users import Lookup
from local_supabase.database import Connection


async def token(api: AuthApi, request: Request) -> Response:
    """Return a session for a password, a refresh token or a PKCE code, as the grant type says."""
    raw = await read_raw(request)
    grant_type = request.query_params.get("grant_type") or _form_grant_type(request, raw)
    if grant_type == "password":
        return await _password_grant(api, request, parse_body(raw))
    if grant_type == "refresh_token":
        return await _refresh_grant(api, request, parse_body(raw))
    if grant_type == "pkce":
        return await _pkce_grant(api, request, parse_body(raw))
    if grant_type == "id_token":
        raise _no_provider(parse_body(raw))
    if grant_type == "web3":
        raise unprocessable("web3_provider_disabled", "Web3 provider is disabled")
    raise bad_request("invalid_credentials", "unsupported_grant_type")


def _no_provider(body: Body) -> AuthError | OAuthError:
    """Return the error for an ID token: there are no other providers."""
    if not body.text("id_token"):
        return OAuthError("invalid request", "id_token required")
    provider = body.text("provider")
    if not provider:
        return OAuthError("invalid request", "provider or client_id and issuer required")
    return bad_request("provider_disabled", f'Provider (issuer "{provider}") is not enabled')


def _form_grant_type(request: Request, raw: bytes) -> str:
    """Read the grant type from a form body, as Go's ``FormValue`` does."""
    if not request.headers.get("content-type", "").lower().startswith("application/x-www-form-urlencoded"):
        return ""
    return parse_qs(raw.decode("latin-1")).get("grant_type", [""])[0]


async def _password_grant(api: AuthApi, request: Request, body: Body) -> Response:
    refuse_if_over(api.buckets.sign_ins, limit_key(request))
    email, phone, password = body.text("email"), body.text("phone"), body.text("password")
    if email and phone:
        raise invalid("Only an email address or phone number should be provided on login.")
    if phone:
        raise unprocessable("phone_provider_disabled", "Phone logins are disabled")
    if not email:
        raise invalid("missing email or phone")
    account = email.lower()
    # Taken before the password is known to be wrong, so that many tries at the same moment count as well.
    refuse_if_over(api.buckets.wrong_passwords, account)
    async with api.context.database.as_admin() as connection:
        user = await users.find(connection, Lookup.EMAIL, account)
    matches = await api.hasher.verify(password, user.encrypted_password if user else None)
    if user is None:
        raise _wrong_credentials()
    if user.is_banned:
        raise bad_request("user_banned", "User is banned")
    if not matches:
        raise _wrong_credentials()
    api.buckets.wrong_passwords.give_back(account)
    if not user.is_confirmed:
        raise bad_request("email_not_confirmed", "Email not confirmed")
    async with transaction(api) as connection:
        session = await issue.sign_in(api, connection, user, "password", client_of(request))
    return json_answer(session | _weakness(api, password))


def _wrong_credentials() -> AuthError:
    return bad_request("invalid_credentials", "Invalid login credentials")


def _weakness(api: AuthApi, password: str) -> dict[str, object]:
    """Return the warning for a password that no longer meets the rules."""
    try:
        passwords.check_strength(
            password, api.settings.minimum_password_length, api.settings.required_characters
        )
    except WeakPasswordError as weak:
        return {"weak_password": {"message": weak.message, "reasons": list(weak.reasons)}}
    except AuthError:  # longer than the 72 bytes that bcrypt compares; those did match
        return {}
    return {}


async def _refresh_grant(api: AuthApi, request: Request, body: Body) -> Response:
    presented = body.text("refresh_token")
    if not presented:
        raise OAuthError("invalid_request", "refresh_token required")
    refuse_if_over(api.buckets.refreshes, limit_key(request))
    async with transaction(api) as connection:
        answer = await _refresh(api, connection, request, presented)
    # Raised after the transaction, so that the revocation of the family is committed.
    if isinstance(answer, AuthError):
        raise answer
    return json_answer(answer)


async def _refresh(
    api: AuthApi, connection: Connection, request: Request, presented: str
) -> dict[str, object] | AuthError:
    user, session, stored = await _locked(connection, presented)
    now = datetime.now(UTC)
    _check_validity(api, session, stored, now)
    active = await sessions.active_token(connection, session.id)
    parent = active.parent if active else None
    verdict = decide(stored.presented, parent, now, api.settings.reuse_interval)
    if verdict is Rotation.REUSED:
        if api.settings.rotation:
            await sessions.revoke_family(connection, session.id)
        return bad_request("refresh_token_already_used", "Invalid Refresh Token: Already Used")
    if verdict is Rotation.RETURN_ACTIVE and active is not None:
        refresh_token = active.token
    else:
        refresh_token = await sessions.swap_token(connection, stored, session.id)
    await sessions.record_refresh(connection, session.id, client_of(request))
    return await issue.session_json(api, connection, user, session.id, refresh_token)


async def _locked(connection: Connection, presented: str) -> tuple[User, Session, StoredToken]:
    """Lock the session of a token against other refreshes; return its user, the session and its state."""
    missing = bad_request("refresh_token_not_found", "Invalid Refresh Token: Refresh Token Not Found")
    found = await sessions.find_token(connection, presented)
    if found is None:
        raise missing
    session = await sessions.lock(connection, found.session_id) if found.session_id else None
    user = await users.find(connection, Lookup.ID, found.user_id)
    if user is None:
        raise missing
    if user.is_banned:
        raise bad_request("user_banned", "Invalid Refresh Token: User Banned")
    # Read again, because another refresh may have used the token before this one got the lock.
    stored = await sessions.find_token(connection, presented)
    if session is None or stored is None:
        raise bad_request("session_not_found", "Invalid Refresh Token: No Valid Session Found")
    return user, session, stored


def _check_validity(api: AuthApi, session: Session, stored: StoredToken, now: datetime) -> None:
    if session.is_over(now, api.settings.session_timebox):
        raise bad_request("session_expired", "Invalid Refresh Token: Session Expired")
    if session.is_idle(now, stored.presented.updated_at, api.settings.session_inactivity):
        raise bad_request("session_expired", "Invalid Refresh Token: Session Expired (Inactivity)")


async def _pkce_grant(api: AuthApi, request: Request, body: Body) -> Response:
    code, verifier = body.text("auth_code"), body.text("code_verifier")
    if not code or not verifier:
        raise invalid("invalid request: both auth code and code verifier should be non-empty")
    async with transaction(api) as connection:
        state = await flow.find(connection, code)
        user = await users.find(connection, Lookup.ID, state.user_id) if state else None
        if state is None or user is None:
            raise not_found("flow_state_not_found", "invalid flow state, no valid flow state found")
        if state.is_expired():
            raise unprocessable("flow_state_expired", "invalid flow state, flow state has expired")
        if not tokens.challenge_matches(state.challenge_method, state.challenge, verifier):
            message = "code challenge does not match previously saved code verifier"
            raise bad_request("bad_code_verifier", message)
        await flow.delete(connection, state)
        session = await issue.sign_in(api, connection, user, state.method, client_of(request))
    return json_answer(session)
