import time

import jwt
import pytest

from local_supabase.identity import TokenError, TokenProblem, TokenVerifier, bearer_token

SECRET = "s" * 40


@pytest.fixture
def verifier() -> TokenVerifier:
    return TokenVerifier(SECRET)


def token(secret: str = SECRET, algorithm: str = "HS256", **claims: object) -> str:
    return jwt.encode(claims, secret, algorithm=algorithm)


def test_a_token_gives_its_role_and_claims(verifier: TokenVerifier) -> None:
    identity = verifier.verify(token(role="authenticated", sub="me", exp=4_000_000_000))
    assert (identity.role, identity.user_id, identity.expires_at) == ("authenticated", "me", 4_000_000_000)
    assert identity.claims_json == '{"role":"authenticated","sub":"me","exp":4000000000}'


def test_a_token_without_a_role_is_anonymous(verifier: TokenVerifier) -> None:
    assert verifier.verify(token(sub="me")).role == "anon"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (None, TokenProblem.MISSING),
        ("", TokenProblem.MISSING),
        ("nonsense", TokenProblem.MALFORMED),
        ("a.b.c", TokenProblem.MALFORMED),
        (token("t" * 40, role="service_role"), TokenProblem.SIGNATURE),
        (jwt.encode({"role": "service_role"}, "", algorithm="none"), TokenProblem.SIGNATURE),
        (token(role="anon", exp=1), TokenProblem.EXPIRED),
        (token(role=["service_role"]), TokenProblem.CLAIMS),
        (token(role=""), TokenProblem.CLAIMS),
        (token(role="anon", nbf=4_000_000_000), TokenProblem.CLAIMS),
        (token(role="anon", exp=float("inf")), TokenProblem.CLAIMS),
        (token(role="anon", exp=10**400), TokenProblem.CLAIMS),
    ],
)
def test_a_refused_token_has_a_reason(
    verifier: TokenVerifier, text: str | None, problem: TokenProblem
) -> None:
    with pytest.raises(TokenError) as refusal:
        verifier.verify(text)
    assert refusal.value.kind is problem


def test_a_cached_token_expires_too(verifier: TokenVerifier, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    text = token(role="anon", exp=int(now) + 60)
    verifier.verify(text)
    monkeypatch.setattr(time, "time", lambda: now + 61)
    with pytest.raises(TokenError) as refusal:
        verifier.verify(text)
    assert refusal.value.kind is TokenProblem.EXPIRED


def test_the_tokens_of_a_revoked_session_are_refused(verifier: TokenVerifier) -> None:
    old, other = (
        token(role="authenticated", session_id="old"),
        token(role="authenticated", session_id=["old"]),
    )
    verifier.verify(old)
    verifier.revoke(["old"])
    assert verifier.verify(other).role == "authenticated"
    with pytest.raises(TokenError) as refused:
        verifier.verify(old)
    assert refused.value.kind is TokenProblem.EXPIRED


def test_the_callers_token_takes_precedence_over_the_key() -> None:
    assert bearer_token({"authorization": "Bearer mine", "apikey": "key"}) == "mine"
    assert bearer_token({"authorization": "bearer  mine "}) == "mine"
    assert bearer_token({"authorization": "Basic mine", "apikey": "key"}) == "key"
    assert bearer_token({"apikey": "key"}) == "key"
    assert bearer_token({}) is None


def test_an_empty_bearer_token_does_not_fall_back_to_the_key() -> None:
    assert bearer_token({"authorization": "Bearer ", "apikey": "key"}) == ""
    assert bearer_token({"authorization": "Bearer", "apikey": "key"}) == ""
