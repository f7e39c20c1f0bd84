"""The errors of signing in, for people."""

import pytest
from supabase_auth.errors import AuthApiError, AuthRetryableError, AuthWeakPasswordError

from livetables.auth import errors


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("invalid_credentials", errors.SignInFailedError),
        ("email_not_confirmed", errors.EmailNotConfirmedError),
        ("over_request_rate_limit", errors.TooManyAttemptsError),
        ("session_not_found", errors.SignedOutError),
        ("user_already_exists", errors.SignUpRefusedError),
        ("something_new", errors.SignInError),
    ],
)
def test_a_code_has_an_error_with_a_sentence(code: str, expected: type[errors.SignInError]) -> None:
    error = errors.from_auth(AuthApiError("message", 400, code))  # type: ignore[arg-type]
    assert type(error) is expected
    assert str(error).endswith(".")


def test_no_answer_and_a_weak_password_are_told_apart() -> None:
    assert isinstance(errors.from_auth(AuthRetryableError("", 503)), errors.AuthUnreachableError)
    weak = errors.from_auth(AuthWeakPasswordError("Too short.", 422, ["length"]))
    assert "Too short." in str(weak)


def test_a_rate_limit_says_nothing_about_a_sign_in_that_is_refreshed() -> None:
    limited = AuthApiError("message", 429, "over_request_rate_limit")
    assert isinstance(errors.from_refresh(limited), errors.AuthUnreachableError)
