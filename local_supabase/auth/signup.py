"""``POST /signup``: by email and password, or anonymously."""

from datetime import UTC, datetime
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response

from local_supabase.auth import accounts, flow, issue, one_time, passwords, users
from local_supabase.auth.api import (
    AUDIENCE,
    AuthApi,
    client_of,
    json_answer,
    limit_key,
    transaction,
)
from local_supabase.auth.body import Body, read_body
from local_supabase.auth.errors import bad_request, invalid, unprocessable
from local_supabase.auth.limits import refuse_if_over
from local_supabase.auth.models import Metadata, User, rfc3339
from local_supabase.auth.users import Lookup
from local_supabase.auth.validation import validate_email, validate_pkce
from local_supabase.database import Connection

PKCE_METHOD = "email/signup"


async def signup(api: AuthApi, request: Request) -> Response:
    """Create an account and sign it in, unless its address must be confirmed first."""
    body = await read_body(request)
    email, phone = body.text("email"), body.text("phone")
    if not email and not phone:
        return await _sign_up_anonymously(api, request, body)
    refuse_if_over(api.buckets.sign_ins, limit_key(request))
    if not api.settings.signup:
        raise unprocessable("signup_disabled", "Signups not allowed for this instance")
    return await sign_up_by_email(api, request, body)


async def sign_up_by_email(api: AuthApi, request: Request, body: Body) -> Response:
    """Sign up with a password; returns a session, or the user if the address must be confirmed."""
    email = _checked_email(api, body)
    password = body.text("password")
    data = body.mapping("data") or {}
    async with api.context.database.as_admin() as connection:
        known = await users.find(connection, Lookup.EMAIL_OR_IDENTITY, email)
    if known is not None and known.is_confirmed:
        await api.hasher.hash(password)  # takes as long as for a new account
        return _already_registered(api, email, data)
    password_hash = "" if known else await api.hasher.hash(password)
    challenge, method = body.text("code_challenge"), body.text("code_challenge_method")
    async with accounts.saving_new_user(), transaction(api) as connection:
        user = known or await accounts.sign_up(connection, email, password_hash, data)
        if api.settings.autoconfirm:
            confirmed = await accounts.confirm(connection, user)
            return json_answer(
                await issue.sign_in(api, connection, confirmed, "password", client_of(request))
            )
        if challenge:
            await flow.store(connection, user, PKCE_METHOD, challenge, method)
        user = await one_time.send_confirmation(api, connection, request, user, pkce=bool(challenge))
    return json_answer(_without_secrets(user))


def _checked_email(api: AuthApi, body: Body) -> str:
    """Check the parameters of a sign-up in GoTrue's order, and return the address."""
    password = body.text("password")
    if not password:
        raise invalid("Signup requires a valid password")
    passwords.check_strength(password, api.settings.minimum_password_length, api.settings.required_characters)
    if body.text("email") and body.text("phone"):
        raise invalid("Only an email address or phone number should be provided on signup.")
    validate_pkce(body.text("code_challenge_method"), body.text("code_challenge"))
    if body.text("phone"):
        raise bad_request("phone_provider_disabled", "Phone signups are disabled")
    if not api.settings.email_signup:
        raise bad_request("email_provider_disabled", "Email signups are disabled")
    return validate_email(body.text("email"))


def _already_registered(api: AuthApi, email: str, data: Metadata) -> Response:
    """Return the answer for a taken address; it does not reveal that if addresses must be confirmed."""
    if api.settings.autoconfirm:
        raise unprocessable("user_already_exists", "User already registered")
    now = rfc3339(datetime.now(UTC))
    return json_answer(
        {
            "id": str(uuid4()),
            "aud": AUDIENCE,
            "role": "",
            "email": email,
            "phone": "",
            "confirmation_sent_at": now,
            "app_metadata": {"provider": "email", "providers": ["email"]},
            "user_metadata": dict(data),
            "identities": [],
            "created_at": now,
            "updated_at": now,
            "is_anonymous": False,
        }
    )


def _without_secrets(user: User) -> dict[str, object]:
    """Return the JSON of a user who is not signed in, without what an inviter entered."""
    answer = user.to_json()
    if user.invited_at is not None:
        answer |= {"user_metadata": {}, "identities": []}
    return answer


async def _sign_up_anonymously(api: AuthApi, request: Request, body: Body) -> Response:
    if not api.settings.anonymous:
        raise unprocessable("anonymous_provider_disabled", "Anonymous sign-ins are disabled")
    refuse_if_over(api.buckets.anonymous, limit_key(request))
    if not api.settings.signup:
        raise unprocessable("signup_disabled", "Signups not allowed for this instance")
    data = body.mapping("data") or {}
    async with accounts.saving_new_user(), transaction(api) as connection:
        user = await _insert_anonymous(connection, data)
        session = await issue.sign_in(api, connection, user, "anonymous", client_of(request))
    return json_answer(session)


async def _insert_anonymous(connection: Connection, data: Metadata) -> User:
    new = users.NewUser(AUDIENCE, accounts.ROLE, app_metadata={}, user_metadata=data, is_anonymous=True)
    return await users.insert(connection, new)
