"""Errors of the database become the API's own, with the status that fits."""

from http import HTTPStatus

import pytest

from api.errors import RETRY_AFTER, api_error_of
from db import errors as database


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (database.UnreachableError(), HTTPStatus.SERVICE_UNAVAILABLE),
        (database.MisconfiguredError(), HTTPStatus.SERVICE_UNAVAILABLE),
        (database.SignedOutError(), HTTPStatus.UNAUTHORIZED),
        (database.NotAllowedError(), HTTPStatus.FORBIDDEN),
        (database.GoneError(), HTTPStatus.NOT_FOUND),
        (database.DuplicateError(), HTTPStatus.CONFLICT),
        (database.ConflictError({}), HTTPStatus.CONFLICT),
        (database.InvalidValueError("Too long.", "task_id"), HTTPStatus.UNPROCESSABLE_ENTITY),
        (database.TooManyAttemptsError(), HTTPStatus.TOO_MANY_REQUESTS),
        (database.SlowDownError("A little slower, please.", 7), HTTPStatus.TOO_MANY_REQUESTS),
        (database.SlowDownError(), HTTPStatus.TOO_MANY_REQUESTS),
        (database.DatabaseError(), HTTPStatus.INTERNAL_SERVER_ERROR),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_every_error_of_the_database_has_a_status(error: database.DatabaseError, status: HTTPStatus) -> None:
    assert api_error_of(error).status is status


def test_an_invalid_value_names_its_field() -> None:
    (field,) = api_error_of(database.InvalidValueError("Too long.", "task_id")).fields
    assert (field.place, field.field, field.message) == ("body", "task_id", "Too long.")


def test_errors_that_pass_say_when_to_retry() -> None:
    assert api_error_of(database.UnreachableError()).headers["Retry-After"] == str(RETRY_AFTER)
    slow_down = api_error_of(database.SlowDownError("A little slower, please.", 7))
    assert (slow_down.headers["Retry-After"], str(slow_down)) == ("7", "A little slower, please.")
