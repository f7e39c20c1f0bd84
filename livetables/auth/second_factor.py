"""A sign-in whose password was right, and that waits for a code of the account's second factor."""

from __future__ import annotations

from dataclasses import dataclass

from supabase_auth import SyncGoTrueClient
from supabase_auth.types import Session

from livetables.auth.jwt import claims_of


@dataclass(frozen=True, slots=True)
class CodeNeeded:
    """What goes on when the code is entered. Its session opens nothing private until then.

    Arguments:
        client: a client of the Auth service with the session of the password.
        factor_id: the factor whose code is asked for.
        user_agent: the browser as it names itself.
    """

    client: SyncGoTrueClient
    factor_id: str
    user_agent: str

    @property
    def access_token(self) -> str:
        """The token of the session of the password; empty when it has ended."""
        session = self.client.get_session()
        return session.access_token if session is not None else ""

    def enter(self, code: str) -> Session | None:
        """Send a code; return the session that it opens. Raises the client's `AuthError` of the refusal."""
        self.client.mfa.challenge_and_verify({"factor_id": self.factor_id, "code": code})
        return self.client.get_session()


def needed(client: SyncGoTrueClient, session: Session, user_agent: str) -> CodeNeeded | None:
    """Return what waits for a code, None if this session needs none."""
    if claims_of(session.access_token).get("aal") == "aal2":
        return None
    verified = [factor for factor in session.user.factors or () if factor.status == "verified"]
    # Of several kinds, the codes of an app: the others need more than a field.
    found = next((factor for factor in verified if factor.factor_type == "totp"), None)
    return CodeNeeded(client, found.id, user_agent) if found is not None else None
