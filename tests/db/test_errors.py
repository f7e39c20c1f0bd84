"""Errors: every refusal of the services becomes a message for a person."""

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
        ("", "Invalid API key", errors.MisconfiguredError),
        ("42501", 'new row violates row-level security policy for table "events"', errors.NotAllowedError),
        ("23503", "violates foreign key constraint", errors.GoneError),
        ("23505", "duplicate key value", errors.DuplicateError),
        ("23514", "This event is full.", errors.EventFullError),
        ("23514", "This event is over.", errors.InvalidValueError),
        ("22P02", "invalid input syntax for type uuid", errors.InvalidValueError),
        ("PGRST301", "JWT invalid", errors.SignedOutError),
        ("PGRST303", "JWT expired", errors.SignedOutError),
        ("PGRST205", "Could not find the table", errors.MisconfiguredError),
        ("PGRST000", "no connection", errors.UnreachableError),
        ("40P01", "deadlock detected", errors.DeadlockError),
        ("40001", "could not serialize access", errors.DeadlockError),
        ("57P03", "the database system is starting up", errors.UnreachableError),
        ("503", "Service Unavailable", errors.UnreachableError),
        ("XX000", "internal error", errors.DatabaseError),
    ],
)
def test_postgrest_answers(code: str, message: str, expected: type[errors.DatabaseError]) -> None:
    assert type(errors.from_api(api_error(code, message))) is expected


def test_a_message_of_the_schema_is_shown_as_it_is() -> None:
    assert (
        str(errors.from_api(api_error("23514", "This event was cancelled."))) == "This event was cancelled."
    )
    refused = errors.from_api(api_error("42501", "Only an admin can change a role."))
    assert str(refused) == "Only an admin can change a role."


def test_a_message_of_postgres_is_not_shown() -> None:
    refused = errors.from_api(api_error("42501", 'permission denied for table "users"'))
    assert str(refused) == errors.NotAllowedError.message


@pytest.mark.parametrize(("details", "wait"), [("7", 7), (None, None), ("soon", None)])
def test_a_used_up_quota_says_how_long_to_wait(details: str | None, wait: int | None) -> None:
    text = "A little slower, please: try again in 7 s."
    refused = errors.from_api(APIError({"code": "PT429", "message": text, "hint": None, "details": details}))
    assert isinstance(refused, errors.SlowDownError)
    assert (str(refused), refused.wait) == (text, wait)


@pytest.mark.parametrize("constraint", list(MEANING))
def test_every_constraint_names_its_field_and_says_what_is_wrong(constraint: str) -> None:
    text = f'new row for relation "x" violates check constraint "{constraint}"'
    error = errors.from_api(api_error("23514", text))
    assert isinstance(error, errors.InvalidValueError)
    assert (error.field, str(error)) == MEANING[constraint]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("invalid_credentials", errors.SignInFailedError),
        ("email_not_confirmed", errors.EmailNotConfirmedError),
        ("user_already_exists", errors.SignUpRefusedError),
        ("over_request_rate_limit", errors.TooManyAttemptsError),
        ("session_not_found", errors.SignedOutError),
        ("unexpected_failure", errors.SignInError),
    ],
)
def test_sign_in_answers(code: ErrorCode, expected: type[errors.DatabaseError]) -> None:
    assert type(errors.from_auth(AuthApiError("message", 400, code))) is expected


def test_an_unreachable_sign_in_service() -> None:
    assert isinstance(errors.from_auth(AuthRetryableError("", 503)), errors.UnreachableError)


def test_a_weak_password_says_why() -> None:
    error = errors.from_auth(AuthWeakPasswordError("Too short.", 422, ["length"]))
    assert "Too short." in str(error)
    assert isinstance(error, errors.SignUpRefusedError)
    assert error.field == "password"


@pytest.mark.parametrize(
    ("code", "field"),
    [("user_already_exists", "email"), ("email_address_invalid", "email"), ("signup_disabled", None)],
)
def test_a_refused_account_names_the_field(code: ErrorCode, field: str | None) -> None:
    error = errors.from_auth(AuthApiError("message", 400, code))
    assert isinstance(error, errors.SignUpRefusedError)
    assert error.field == field


def test_a_well_known_password_is_refused_in_two_sentences_not_in_the_services_words() -> None:
    service = "Password is known to be weak and easy to guess, please choose a different one."
    error = errors.from_auth(AuthWeakPasswordError(service, 422, ["pwned"]))
    assert str(error) == "This password is well known and easy to guess. Please choose another."


def test_only_a_request_that_was_sent_may_have_written() -> None:
    request = httpx.Request("POST", "http://x")
    assert not errors.from_transport(httpx.ConnectError("no", request=request)).perhaps_written
    assert errors.from_transport(httpx.ReadTimeout("slow", request=request)).perhaps_written
