"""A person with a second factor, and the codes of their authenticator app."""

import time

from supabase import Client

from local_supabase.auth import totp


def enrol(client: Client) -> str:
    """Give the account of a signed-in client a verified factor; return its secret.

    Afterwards the client has a session of level aal2, and the next code is unused.
    """
    enrolled = client.auth.mfa.enroll({"factor_type": "totp", "friendly_name": "phone"})
    assert enrolled.totp is not None
    secret = enrolled.totp.secret
    client.auth.mfa.challenge_and_verify({"factor_id": enrolled.id, "code": code_of(secret)})
    return secret


def code_of(secret: str, later: int = 0) -> str:
    """Return the code that an app shows now, or so many steps of 30 seconds later."""
    return totp.code_at(secret, totp.step_at(time.time()) + later)
