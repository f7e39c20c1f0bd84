"""The endpoints that send mail: ``/otp`` and ``/magiclink``, ``/recover``, ``/resend``."""

from starlette.requests import Request
from starlette.responses import Response

from local_supabase.auth import accounts, flow, one_time, passwords, signup, users
from local_supabase.auth.api import AuthApi, json_answer, limit_key, transaction
from local_supabase.auth.body import Body, read_body
from local_supabase.auth.errors import bad_request, invalid, unprocessable
from local_supabase.auth.limits import refuse_if_over
from local_supabase.auth.mailbox import MailKind
from local_supabase.auth.models import User
from local_supabase.auth.users import Lookup
from local_supabase.auth.validation import validate_email, validate_pkce
from local_supabase.database import Connection

RESEND_TYPES = ("signup", "email_change", "sms", "phone_change")


async def otp(api: AuthApi, request: Request) -> Response:
    """Send a magic link with a code; creates a missing account, unless ``create_user`` is false."""
    refuse_if_over(api.buckets.sign_ins, limit_key(request))
    body = await read_body(request)
    email, phone = body.text("email"), body.text("phone")
    if email and phone:
        raise invalid("Only an email address or phone number should be provided")
    if email and body.text("channel"):
        raise invalid("Channel should only be specified with Phone OTP")
    validate_pkce(body.text("code_challenge_method"), body.text("code_challenge"))
    if not body.flag("create_user", default=True) and email:
        async with api.context.database.as_admin() as connection:
            if await users.find(connection, Lookup.EMAIL, validate_email(email)) is None:
                raise unprocessable("otp_disabled", "Signups not allowed for otp")
    if email:
        return await _send_magic_link(api, request, body)
    if phone:
        raise bad_request("phone_provider_disabled", "Unsupported phone provider")
    raise invalid("One of email or phone must be set")


async def magic_link(api: AuthApi, request: Request) -> Response:
    """Send a magic link; the older form of ``/otp`` for email addresses."""
    refuse_if_over(api.buckets.sign_ins, limit_key(request))
    body = await read_body(request)
    if not body.text("email"):
        raise unprocessable("validation_failed", "Password recovery requires an email")
    validate_pkce(body.text("code_challenge_method"), body.text("code_challenge"))
    return await _send_magic_link(api, request, body)


async def _send_magic_link(api: AuthApi, request: Request, body: Body) -> Response:
    email = validate_email(body.text("email"))
    challenge, method = body.text("code_challenge"), body.text("code_challenge_method")
    data = body.mapping("data") or {}
    async with api.context.database.as_admin() as connection:
        known = await users.find(connection, Lookup.EMAIL, email)
    if known is None and not api.settings.signup:
        raise unprocessable("signup_disabled", "Signups not allowed for this instance")
    new_hash = "" if known else await api.hasher.hash(passwords.random_password())
    async with accounts.saving_new_user(), transaction(api) as connection:
        user = known or await accounts.sign_up(connection, email, new_hash, data)
        if not user.is_confirmed and api.settings.autoconfirm:
            user = await accounts.confirm(connection, user)
        if not user.is_confirmed:
            if challenge:
                await flow.store(connection, user, signup.PKCE_METHOD, challenge, method)
            await one_time.send_confirmation(api, connection, request, user, pkce=bool(challenge))
        else:
            if challenge:
                await flow.store(connection, user, "magiclink", challenge, method)
            kind = MailKind.MAGIC_LINK
            await one_time.send_recovery(api, connection, request, user, kind, pkce=bool(challenge))
    return json_answer({})


async def recover(api: AuthApi, request: Request) -> Response:
    """Send a link for setting a new password; the answer does not reveal whether there is an account."""
    refuse_if_over(api.buckets.sign_ins, limit_key(request))
    body = await read_body(request)
    if not api.settings.email_signup:
        raise bad_request("email_provider_disabled", "Email logins are disabled")
    if not body.text("email"):
        raise invalid("Password recovery requires an email")
    email = validate_email(body.text("email"))
    challenge, method = body.text("code_challenge"), body.text("code_challenge_method")
    validate_pkce(method, challenge)
    async with transaction(api) as connection:
        user = await users.find(connection, Lookup.EMAIL, email)
        if user is not None:
            if challenge:
                await flow.store(connection, user, "recovery", challenge, method)
            kind = MailKind.RECOVERY
            await one_time.send_recovery(api, connection, request, user, kind, pkce=bool(challenge))
    return json_answer({})


async def resend(api: AuthApi, request: Request) -> Response:
    """Send a confirmation again, if one is pending."""
    refuse_if_over(api.buckets.sign_ins, limit_key(request))
    body = await read_body(request)
    email = _resend_address(api, body)
    async with transaction(api) as connection:
        if not email:
            return await _resend_message(connection, body.text("phone"))
        user = await users.find(connection, Lookup.EMAIL, email)
        if user is None or not _needs_confirmation(user, body.text("type")):
            return json_answer({})
        if body.text("type") == "signup":
            await one_time.send_confirmation(api, connection, request, user)
        else:
            new_email = user.email_change
            await one_time.send_email_change(api, connection, request, user, new_email, pkce=False)
    return json_answer({})


async def _resend_message(connection: Connection, phone: str) -> Response:
    """Answer for a number as if it could be sent to, unless somebody waits for the message."""
    if await users.find(connection, Lookup.PHONE, phone) is None:
        return json_answer({})
    raise bad_request("phone_provider_disabled", "Phone logins are disabled")


def _needs_confirmation(user: User, kind: str) -> bool:
    return not user.is_confirmed if kind == "signup" else bool(user.email_change)


def _resend_address(api: AuthApi, body: Body) -> str:
    """Check the parameters; return the address, or "" for a telephone number."""
    kind, email, phone = body.text("type"), body.text("email"), body.text("phone")
    if kind not in RESEND_TYPES:
        raise invalid("Missing one of these types: signup, email_change, sms, phone_change")
    if not email and kind == "signup":
        raise invalid("Type provided requires an email address")
    if not phone and kind == "sms":
        raise invalid("Type provided requires a phone number")
    if email and phone:
        raise invalid("Only an email address or phone number should be provided.")
    if phone:
        return ""
    if not email:
        raise invalid("Missing email address or phone number")
    if not api.settings.email_signup:
        raise bad_request("email_provider_disabled", "Email logins are disabled")
    return validate_email(email)
