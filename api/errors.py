"""The errors of the API, all sent as problem details (RFC 9457) that name the invalid fields.

ApiError
├── UnauthorizedError        no valid access token
├── NotFoundError            it does not exist, or belongs to somebody else
├── RefusedError             the current state does not allow it: a finished run, a key used twice
├── InvalidInputError        something in the request is invalid; `fields` say what
├── ForbiddenError           the database does not allow it to this person
├── TooManyRequestsError     this caller calls too often
└── ServiceUnavailableError  the database, or Tavern as a whole, is unreachable now

`TooLargeError` (the body) is Starlette's kind of error.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final, cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from db import errors as database

MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER: Final = 5
"""Seconds after which callers should retry while the database is unreachable."""

_QUOTA_WAIT: Final = 60
"""Seconds after which a used-up quota has room again, if the database does not say."""

_log: Final = logging.getLogger(__name__)


class FieldProblem(BaseModel):
    """One invalid value in a request."""

    place: str = Field(description="Where it was sent.", examples=["body"])
    field: str = Field(description="Its name; empty when all of it is meant.", examples=["agent"])
    message: str = Field(description="What is wrong with it.")


class Problem(BaseModel):
    """Why a request failed (RFC 9457)."""

    type: str = Field("about:blank", description="Always about:blank: the status says what kind it is.")
    title: str = Field(description="The status in words.", examples=["Not Found"])
    status: int = Field(description="The status code.", examples=[404])
    detail: str = Field(description="What happened, for a person.", examples=["There is no such run."])
    errors: list[FieldProblem] = Field(default_factory=list, description="The fields that are wrong, if any.")


class ApiError(Exception):
    """The base of the errors; `str()` is a sentence for the caller."""

    status = HTTPStatus.INTERNAL_SERVER_ERROR

    def __init__(
        self,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        fields: Sequence[FieldProblem] = (),
    ) -> None:
        super().__init__(detail)
        self.headers = dict(headers or {})
        self.fields = tuple(fields)


class UnauthorizedError(ApiError):
    """No valid access token. RFC 6750 requires the header."""

    status = HTTPStatus.UNAUTHORIZED

    def __init__(self, detail: str, *, error: str | None = None) -> None:
        challenge = 'Bearer realm="Tavern"' + (f', error="{error}"' if error else "")
        super().__init__(detail, headers={"WWW-Authenticate": challenge})


class NotFoundError(ApiError):
    """It does not exist, or belongs to somebody else; the caller does not learn which."""

    status = HTTPStatus.NOT_FOUND


class RefusedError(ApiError):
    """The current state does not allow it."""

    status = HTTPStatus.CONFLICT


class InvalidInputError(ApiError):
    """Something in the request is invalid."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class TooManyRequestsError(ApiError):
    """The caller calls too often; `seconds` is the time until the next try."""

    status = HTTPStatus.TOO_MANY_REQUESTS

    def __init__(self, seconds: int, detail: str | None = None) -> None:
        super().__init__(
            detail or f"Too many requests. Please try again in {seconds} s.",
            headers={"Retry-After": str(seconds)},
        )


class ServiceUnavailableError(ApiError):
    """It cannot be done now, but probably soon."""

    status = HTTPStatus.SERVICE_UNAVAILABLE

    def __init__(self, detail: str = "Tavern can't reach its database now. Please try again soon.") -> None:
        super().__init__(detail, headers={"Retry-After": str(RETRY_AFTER)})


class ForbiddenError(ApiError):
    """The database does not allow it to this person."""

    status = HTTPStatus.FORBIDDEN


class TooLargeError(HTTPException):
    """The body is larger than `most` bytes. FastAPI passes on this kind of error when it reads a body."""

    def __init__(self, most: int) -> None:
        super().__init__(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"The body is too large: up to {most:,} bytes are taken.",
            headers={"Connection": "close"},
        )


def problem_response(
    status: int,
    detail: str,
    *,
    headers: Mapping[str, str] | None = None,
    fields: Sequence[FieldProblem] = (),
) -> Response:
    """Return the response for a problem."""
    problem = Problem(
        type="about:blank", title=HTTPStatus(status).phrase, status=status, detail=detail, errors=list(fields)
    )
    return JSONResponse(problem.model_dump(), status, dict(headers or {}), MEDIA_TYPE)


def api_error_of(error: database.DatabaseError) -> ApiError:
    """Return the API's error for an error of the database."""
    match error:
        case database.RefusedError():
            return _refusal_of(error)
        case database.UnreachableError():
            return ServiceUnavailableError()
        case database.MisconfiguredError():
            _log.error("The Supabase project is not set up for Tavern: %s", error)
            return ServiceUnavailableError("Tavern is not set up completely. Please tell who runs it.")
        case database.SignedOutError():
            return UnauthorizedError("The access token is not valid (any more).", error="invalid_token")
        case database.TooManyAttemptsError():
            return TooManyRequestsError(_QUOTA_WAIT, str(error))
    return _unexpected(error)


def _refusal_of(error: database.RefusedError) -> ApiError:
    match error:
        case database.GoneError():
            return NotFoundError("There is no such thing.")
        case database.DuplicateError() | database.ConflictError():
            return RefusedError(str(error))
        case database.NotAllowedError():
            return ForbiddenError(str(error))
        case database.SlowDownError():
            return TooManyRequestsError(error.wait or _QUOTA_WAIT, str(error))
        case database.InvalidValueError():
            fields = (
                [FieldProblem(place="body", field=error.field, message=str(error))] if error.field else []
            )
            return InvalidInputError(str(error), fields=fields)
    return _unexpected(error)


def _unexpected(error: database.DatabaseError) -> ApiError:
    _log.error("The database gave an unexpected answer: %r", error)
    return ApiError("The database gave an unexpected answer.")


_DESCRIPTIONS: Final[Mapping[int, str]] = {
    400: "The body is not text.",
    401: "There is no valid access token.",
    403: "The database does not allow it to this person.",
    404: "It does not exist, or belongs to somebody else.",
    409: "The current state does not allow it.",
    413: "The body is too large.",
    422: "Something in the request is invalid; `errors` names the fields.",
    429: "Too many requests. `Retry-After` says in how many seconds to try again.",
    503: "The database is unreachable now. `Retry-After` says when to try again.",
}
_EXAMPLES: Final[Mapping[int, str]] = {
    400: "There was an error parsing the body",
    401: "This needs an access token: send it as 'Authorization: Bearer …'.",
    403: "You are not allowed to do that.",
    404: "There is no such run, or it is somebody else's.",
    409: "This run is finished: it cannot be changed any more.",
    413: "The body is too large: up to 65,536 bytes are taken.",
    422: "agent: Field required",
    429: "Too many requests. Please try again in 12 s.",
    503: "Tavern can't reach its database now. Please try again soon.",
}
_HEADERS: Final[Mapping[int, str]] = {401: "WWW-Authenticate", 429: "Retry-After", 503: "Retry-After"}


def example_of(status: int) -> dict[str, Any]:
    """Return an example of a problem with this status."""
    missing_field = FieldProblem(place="body", field="agent", message="Field required")
    return Problem(
        type="about:blank",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=_EXAMPLES.get(status, "Something went wrong."),
        errors=[missing_field] if status == HTTPStatus.UNPROCESSABLE_ENTITY else [],
    ).model_dump()


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Describe the problems that a route can answer with, for the OpenAPI schema."""
    responses: dict[int | str, dict[str, Any]] = {}
    for status in statuses:
        responses[status] = {"model": Problem, "description": _DESCRIPTIONS[status]}
        if (header := _HEADERS.get(status)) is not None:
            responses[status]["headers"] = {header: {"schema": {"type": "string"}}}
    return responses


def install(app: FastAPI) -> None:
    """Make the application send every error as problem details."""
    app.add_exception_handler(ApiError, _api_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(database.DatabaseError, _database_error)


async def _api_error(_request: Request, error: Exception) -> Response:
    api_error = cast("ApiError", error)
    return problem_response(
        api_error.status, str(api_error), headers=api_error.headers, fields=api_error.fields
    )


async def _database_error(request: Request, error: Exception) -> Response:
    return await _api_error(request, api_error_of(cast("database.DatabaseError", error)))


async def _http_error(_request: Request, error: Exception) -> Response:
    http_error = cast("HTTPException", error)
    return problem_response(http_error.status_code, str(http_error.detail), headers=http_error.headers)


async def _validation_error(_request: Request, error: Exception) -> Response:
    fields = [_field(one) for one in cast("RequestValidationError", error).errors()]
    detail = "; ".join(f"{one.field or one.place}: {one.message}" for one in fields)
    return problem_response(HTTPStatus.UNPROCESSABLE_ENTITY, detail, fields=fields)


def _field(error: Mapping[str, object]) -> FieldProblem:
    """Name an invalid field. The value is not repeated, because it may be a secret in the wrong place."""
    location = [str(part) for part in cast("Sequence[object]", error["loc"])]
    if error["type"] == "json_invalid":
        return FieldProblem(place="body", field="", message="This is not JSON.")
    place, *path = location or ["body"]
    return FieldProblem(place=place, field=".".join(path), message=str(error["msg"]))
