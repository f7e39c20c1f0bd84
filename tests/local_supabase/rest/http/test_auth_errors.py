import pytest

from local_supabase.identity import TokenError, TokenProblem
from local_supabase.rest.http.auth_errors import auth_error


@pytest.mark.parametrize(
    ("problem", "detail", "token", "code", "message"),
    [
        (TokenProblem.MISSING, "", None, "PGRST302", "Anonymous access is disabled"),
        (TokenProblem.EXPIRED, "", "a.b.c", "PGRST303", "JWT expired"),
        (TokenProblem.CLAIMS, "exp", "a.b.c", "PGRST303", "The JWT 'exp' claim must be a number"),
        (TokenProblem.CLAIMS, "nbf", "a.b.c", "PGRST303", "The JWT 'nbf' claim must be a number"),
        (
            TokenProblem.CLAIMS,
            "aud",
            "a.b.c",
            "PGRST303",
            "The JWT 'aud' claim must be a string or an array of strings",
        ),
        (TokenProblem.MISSING, "", "", "PGRST301", "Empty JWT is sent in Authorization header"),
        (TokenProblem.CLAIMS, "not valid yet", "a.b.c", "PGRST303", "JWT not yet valid"),
        (TokenProblem.CLAIMS, "role", "a.b.c", "PGRST303", "Parsing claims failed"),
        (TokenProblem.SIGNATURE, "", "a.b.c", "PGRST301", "No suitable key or wrong key type"),
        (TokenProblem.MALFORMED, "", "a.b", "PGRST301", "Expected 3 parts in JWT; got 2"),
        (TokenProblem.MALFORMED, "", "a.b.c", "PGRST301", "JWT couldn't be decoded"),
    ],
)
def test_each_problem_of_a_token_has_its_error(
    problem: TokenProblem, detail: str, token: str | None, code: str, message: str
) -> None:
    error = auth_error(TokenError(problem, detail), token)
    assert (error.status, error.code, error.message) == (401, code, message)
    challenge = dict(error.headers)["WWW-Authenticate"]
    assert challenge == (
        "Bearer" if token is None else f'Bearer error="invalid_token", error_description="{message}"'
    )
