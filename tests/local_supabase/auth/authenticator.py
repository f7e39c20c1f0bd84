"""An authenticator app, and the steps in which a person enrols and uses it."""

from dataclasses import dataclass

import httpx
import jwt

from local_supabase.auth import totp
from tests.local_supabase.auth.conftest import CODED, NOW, Auth, Session


@dataclass(frozen=True, slots=True)
class Factor:
    """An enrolled factor, as an authenticator app knows it."""

    id: str
    secret: str

    def code(self, later: int = 0) -> str:
        """Return the code of now, or of so many time steps later."""
        return totp.code_at(self.secret, totp.step_at(NOW) + later)


async def enroll(auth: Auth, token: str, name: str = "phone") -> Factor:
    """Enrol a factor that is not verified yet."""
    answer = await auth.post("/factors", {"factor_type": "totp", "friendly_name": name}, token)
    assert answer.status_code == 200, answer.text
    return Factor(answer.json()["id"], answer.json()["totp"]["secret"])


async def challenge(auth: Auth, token: str, factor: Factor) -> str:
    """Begin the entering of a code; return the id of the challenge."""
    answer = await auth.post(f"/factors/{factor.id}/challenge", {}, token)
    assert answer.status_code == 200, answer.text
    challenge_id: str = answer.json()["id"]
    return challenge_id


async def verify(auth: Auth, token: str, factor: Factor, code: str = "") -> httpx.Response:
    """Enter a code, by default the present one."""
    body = {"challenge_id": await challenge(auth, token, factor), "code": code or factor.code()}
    return await auth.post(f"/factors/{factor.id}/verify", body, token)


async def with_factor(auth: Auth) -> tuple[Session, Factor]:
    """Return a session of level aal2 and its factor."""
    session = await auth.sign_up()
    factor = await enroll(auth, session.access_token)
    # The code of the step before, so that the present and the next are unused.
    return Session.of(await verify(auth, session.access_token, factor, factor.code(-1))), factor


async def unenroll(auth: Auth, token: str, factor: Factor) -> httpx.Response:
    """Remove a factor."""
    return await auth.http.delete(
        f"/factors/{factor.id}", headers=CODED | {"Authorization": f"Bearer {token}"}
    )


def problem(answer: httpx.Response) -> tuple[int, str]:
    """Return the status and the code of a refusal."""
    return answer.status_code, answer.json()["code"]


def claims(token: str) -> dict[str, object]:
    """Return the claims of an access token."""
    claims: dict[str, object] = jwt.decode(token, options={"verify_signature": False})
    return claims
