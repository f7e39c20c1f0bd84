"""Two-step sign-in: a person's authenticator app, and the recovery codes for when it is lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from supabase_auth import SyncGoTrueClient
from supabase_auth.errors import AuthError
from supabase_auth.types import Factor as AuthFactor

from db import rows
from db.auth.signed_in import SignedIn
from db.errors import SignInError, from_auth

_ISSUER = "Tavern"


@dataclass(frozen=True, slots=True)
class Factor:
    """An authenticator app that the account asks for."""

    id: str
    added_at: datetime


@dataclass(frozen=True, slots=True)
class Enrolment:
    """An app that has not shown a code yet. `qr_code` is the text of an SVG, `uri` what it says."""

    factor_id: str
    secret: str
    uri: str
    qr_code: str


def factors(me: SignedIn) -> list[Factor]:
    """Return the apps whose codes this account asks for. Raises `UnreachableError`, `SignedOutError`."""
    with _client(me) as client:
        found = _all(client)
    return [Factor(one.id, one.created_at) for one in found if one.status == "verified"]


def begin(me: SignedIn) -> Enrolment:
    """Begin to add an app. What was begun before and not finished is dropped."""
    with _client(me) as client:
        for factor in _all(client):
            if factor.status != "verified":
                client.mfa.unenroll({"factor_id": factor.id})
        answer = client.mfa.enroll({"factor_type": "totp", "issuer": _ISSUER})
    if answer.totp is None:
        raise SignInError("The sign-in service offers no codes of an app.")
    svg = answer.totp.qr_code
    return Enrolment(answer.id, answer.totp.secret, answer.totp.uri, svg[svg.index("<") :])


def confirm(me: SignedIn, enrolment: Enrolment, code: str) -> list[str]:
    """Finish adding an app with a code that it shows; return the account's recovery codes.

    All other sign-ins of the account end. Raises `WrongCodeError` for a code that does not count.
    """
    with _client(me) as client:
        client.mfa.challenge_and_verify({"factor_id": enrolment.factor_id, "code": "".join(code.split())})
        session = client.get_session()
    if session is None:
        raise SignInError("The sign-in service gave no session. Please sign in again.")
    me.replace_session(session, me.cookie.rotation + 1)
    return new_recovery_codes(me)


def switch_off(me: SignedIn) -> None:
    """Remove the apps of this account. The password is enough from then on."""
    with _client(me) as client:
        for factor in _all(client):
            client.mfa.unenroll({"factor_id": factor.id})


def new_recovery_codes(me: SignedIn) -> list[str]:
    """Make ten recovery codes, each good for once. Those from before are void."""
    codes = rows.call(me, "new_recovery_codes", {})
    return [str(code) for code in codes] if isinstance(codes, Sequence) else []


def recovery_codes_left(me: SignedIn) -> int:
    """Return how many recovery codes are unused."""
    left = rows.call(me, "recovery_codes_left", {})
    return left if isinstance(left, int) else 0


def _all(client: SyncGoTrueClient) -> Sequence[AuthFactor]:
    """Return the apps of an account, also those that have not shown a code yet."""
    response = client.get_user()
    return response.user.factors or [] if response is not None else []


@contextmanager
def _client(me: SignedIn) -> Iterator[SyncGoTrueClient]:
    """Give a client of the Auth service that is signed in as this person."""
    client = me.clients.auth(me.user_agent)
    try:
        client.set_session(me.access_token(), me.refresh_token)
        yield client
    except AuthError as error:
        raise from_auth(error) from error
