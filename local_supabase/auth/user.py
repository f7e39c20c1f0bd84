"""The endpoints of the signed-in user: ``/user``, ``/logout``, ``/reauthenticate``, ``/user/identities``."""

from starlette.requests import Request
from starlette.responses import Response

from local_supabase.auth import accounts, flow, one_time, passwords, sessions, tokens, users
from local_supabase.auth.api import AuthApi, Caller, caller_of, json_answer, transaction
from local_supabase.auth.body import Body, read_body
from local_supabase.auth.errors import (
    AuthError,
    bad_request,
    forbidden,
    invalid,
    not_found,
    unprocessable,
)
from local_supabase.auth.limits import refuse_if_over
from local_supabase.auth.models import User
from local_supabase.auth.users import Column, Lookup
from local_supabase.auth.validation import validate_email, validate_pkce, validate_uuid
from local_supabase.database import Connection

LOGOUT_SCOPES = ("global", "local", "others")
_RECENTLY = 24 * 3600.0


async def get_user(api: AuthApi, request: Request) -> Response:
    """Return the signed-in user."""
    async with api.context.database.as_admin() as connection:
        caller = await caller_of(api, connection, request)
    return json_answer(caller.user.to_json())


async def logout(api: AuthApi, request: Request) -> Response:
    """Sign out all sessions, this one, or all others."""
    async with transaction(api) as connection:
        caller = await caller_of(api, connection, request)
        scope = request.query_params.get("scope") or "global"
        if scope not in LOGOUT_SCOPES:
            raise invalid(f'Unsupported logout scope "{scope}"')
        if caller.session is None or scope == "global":
            await sessions.close_all(connection, caller.user.id)
        elif scope == "local":
            await sessions.close_one(connection, caller.session.id)
        else:
            await sessions.close_others(connection, caller.user.id, caller.session.id)
    return Response(status_code=204)


async def reauthenticate(api: AuthApi, request: Request) -> Response:
    """Send the nonce that a change of password may require."""
    async with transaction(api) as connection:
        user = (await caller_of(api, connection, request)).user
        if not user.email:
            message = "Reauthentication requires the user to have an email or a phone number"
            raise invalid(message)
        if not user.is_confirmed:
            raise unprocessable("email_not_confirmed", "Please verify your email first.")
        await one_time.send_reauthentication(api, connection, request, user)
    return json_answer({})


async def update_user(api: AuthApi, request: Request) -> Response:
    """Change the user's password, metadata or address; the address needs a confirmation by mail."""
    async with api.context.database.as_admin() as connection:
        caller = await caller_of(api, connection, request)
    body = await read_body(request)
    email = _check_update(api, body, caller)
    password = body.optional_text("password")
    await _refuse_taken(api, caller.user, email)
    if password is not None:
        await _check_password_change(api, caller, body.text("nonce"), password)
    password_hash = await api.hasher.hash(password) if password else None
    async with transaction(api) as connection:
        # Read again in the transaction, because the account may have been deleted while the hash was made.
        user = await users.reload(connection, caller.user)
        if password_hash is not None:
            keep = caller.session.id if caller.session else None
            user = await accounts.change_password(connection, user, password_hash, keep)
        data = body.mapping("data")
        if data is not None:
            user = await users.update(connection, user, users.user_metadata_change(user, data))
        if email and email != user.email:
            user = await _begin_email_change(api, connection, request, user, email, body)
    return json_answer(user.to_json())


def _check_update(api: AuthApi, body: Body, caller: Caller) -> str:
    """Check the parameters in GoTrue's order and return the new address, "" without one."""
    user = caller.user
    email = body.text("email")
    if email:
        email = validate_email(email)
    if body.text("phone"):
        raise bad_request("phone_provider_disabled", "Phone logins are disabled")
    password = body.optional_text("password")
    if password is not None:
        passwords.check_strength(
            password, api.settings.minimum_password_length, api.settings.required_characters
        )
    body.mapping("data")
    if body.mapping("app_metadata") is not None:
        raise forbidden("not_admin", "Updating app_metadata requires admin privileges")
    validate_pkce(body.text("code_challenge_method"), body.text("code_challenge"))
    if (password or (email and email != user.email)) and _lacks_second_factor(caller):
        message = "AAL2 session is required to update email or password when MFA is enabled."
        raise AuthError(401, "insufficient_aal", message)
    if user.is_anonymous and password and not email:
        message = "Updating password of an anonymous user without an email or phone is not allowed"
        raise unprocessable("validation_failed", message)
    return email


def _lacks_second_factor(caller: Caller) -> bool:
    session = caller.session
    return caller.user.has_second_factor and (session is None or not session.has_second_factor)


async def _refuse_taken(api: AuthApi, user: User, email: str) -> None:
    if not email or email == user.email:
        return
    async with api.context.database.as_admin() as connection:
        other = await users.find(connection, Lookup.EMAIL_OR_IDENTITY, email)
    if other is not None and other.id != user.id:
        raise unprocessable("email_exists", accounts.DUPLICATE_EMAIL)


async def _check_password_change(api: AuthApi, caller: Caller, nonce: str, password: str) -> None:
    if api.settings.secure_password_change and not _signed_in_recently(caller):
        if not nonce:
            raise bad_request("reauthentication_needed", "Password update requires reauthentication")
        await _use_nonce(api, caller.user, nonce)
    if password and await api.hasher.verify(password, caller.user.encrypted_password):
        message = "New password should be different from the old password."
        raise unprocessable("same_password", message)


def _signed_in_recently(caller: Caller) -> bool:
    return caller.session is not None and not tokens.is_expired(caller.session.created_at, int(_RECENTLY))


async def _use_nonce(api: AuthApi, user: User, nonce: str) -> None:
    refuse_if_over(api.buckets.wrong_codes, user.email)
    hashed = tokens.token_hash(user.email, nonce)
    sent_at, stored = user.reauthentication_sent_at, user.reauthentication_token
    if not tokens.otp_matches(hashed, stored, sent_at, api.settings.otp_expiry):
        raise unprocessable("reauthentication_not_valid", "Nonce has expired or is invalid")
    api.buckets.wrong_codes.give_back(user.email)
    async with transaction(api) as connection:
        await one_time.clear(connection, user)
        await users.update(connection, user, {Column.REAUTHENTICATION_TOKEN: ""})


async def _begin_email_change(
    api: AuthApi, connection: Connection, request: Request, user: User, email: str, body: Body
) -> User:
    """Send the confirmation mails; without confirmations, an anonymous user's address is set at once."""
    if user.is_anonymous and api.settings.autoconfirm:
        user = await accounts.adopt_email(connection, user, email)
        return await accounts.refresh_providers(connection, user)
    challenge = body.text("code_challenge")
    if challenge:
        method = body.text("code_challenge_method")
        await flow.store(connection, user, "email_change", challenge, method)
    return await one_time.send_email_change(api, connection, request, user, email, pkce=bool(challenge))


async def delete_identity(api: AuthApi, request: Request) -> Response:
    """Unlink one of several identities."""
    async with transaction(api) as connection:
        caller = await caller_of(api, connection, request)
        if not api.settings.manual_linking:
            raise not_found("manual_linking_disabled", "Manual linking is disabled")
        wrong = not_found("validation_failed", "identity_id must be an UUID")
        identity_id = str(validate_uuid(request.path_params["identity_id"], wrong))
        if len(caller.user.identities) <= 1:
            message = "User must have at least 1 identity after unlinking"
            raise unprocessable("single_identity_not_deletable", message)
        if all(identity.id != identity_id for identity in caller.user.identities):
            raise unprocessable("identity_not_found", "Identity doesn't exist")
        await users.delete_identity(connection, identity_id)
        user = await users.reload(connection, caller.user)
        await accounts.refresh_providers(connection, user)
    return json_answer({})
