"""Errors: every answer of the services becomes a sentence for a person."""

import httpx
import pytest
from postgrest.exceptions import APIError
from supabase_auth.errors import (
    AuthApiError,
    AuthRetryableError,
    AuthWeakPasswordError,
    ErrorCode,
)

from db import errors
from db.constraints import MEANING


def api_error(code: str, message: str = "") -> APIError:
    return APIError({"code": code, "message": message, "hint": None, "details": None})


@pytest.mark.parametrize(
    ("code", "message", "expected"),
    [
        ("", "Invalid API key", errors.Misconfigured),
        ("42501", 'new row violates row-level security policy for table "events"', errors.NotAllowed),
        ("23503", "violates foreign key constraint", errors.Gone),
        ("23505", "duplicate key value", errors.Duplicate),
        ("23514", "This event is full.", errors.EventFull),
        ("23514", "This event is over.", errors.Invalid),
        ("22P02", "invalid input syntax for type uuid", errors.Invalid),
        ("PGRST301", "JWT invalid", errors.SignedOut),
        ("PGRST303", "JWT expired", errors.SignedOut),
        ("PGRST205", "Could not find the table", errors.Misconfigured),
        ("PGRST000", "no connection", errors.Unreachable),
        ("57P03", "the database system is starting up", errors.Unreachable),
        ("503", "Service Unavailable", errors.Unreachable),
        ("XX000", "internal error", errors.DatabaseError),
    ],
)
def test_postgrest_answers(code: str, message: str, expected: type[errors.DatabaseError]) -> None:
    assert type(errors.from_api(api_error(code, message))) is expected


def test_a_sentence_of_the_schema_is_passed_on() -> None:
    assert (
        str(errors.from_api(api_error("23514", "This event was cancelled."))) == "This event was cancelled."
    )
    told = errors.from_api(api_error("42501", "Only an admin can change a role."))
    assert str(told) == "Only an admin can change a role."


def test_postgres_own_words_are_not() -> None:
    said = errors.from_api(api_error("42501", 'permission denied for table "users"'))
    assert str(said) == errors.NotAllowed.message


@pytest.mark.parametrize("constraint", list(MEANING))
def test_every_constraint_names_its_field_and_says_what_is_wrong(constraint: str) -> None:
    text = f'new row for relation "x" violates check constraint "{constraint}"'
    error = errors.from_api(api_error("23514", text))
    assert isinstance(error, errors.Invalid)
    assert (error.field, str(error)) == MEANING[constraint]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("invalid_credentials", errors.SignInFailed),
        ("email_not_confirmed", errors.EmailNotConfirmed),
        ("user_already_exists", errors.SignUpRefused),
        ("over_request_rate_limit", errors.TooManyAttempts),
        ("session_not_found", errors.SignedOut),
        ("unexpected_failure", errors.SignInError),
    ],
)
def test_sign_in_answers(code: ErrorCode, expected: type[errors.DatabaseError]) -> None:
    assert type(errors.from_auth(AuthApiError("words", 400, code))) is expected


def test_a_sign_in_service_that_is_away() -> None:
    assert isinstance(errors.from_auth(AuthRetryableError("", 503)), errors.Unreachable)


def test_a_weak_password_says_why() -> None:
    error = errors.from_auth(AuthWeakPasswordError("Too short.", 422, ["length"]))
    assert "Too short." in str(error)


def test_only_a_request_that_was_sent_may_have_written() -> None:
    request = httpx.Request("POST", "http://x")
    assert not errors.from_transport(httpx.ConnectError("no", request=request)).perhaps_written
    assert errors.from_transport(httpx.ReadTimeout("slow", request=request)).perhaps_written
