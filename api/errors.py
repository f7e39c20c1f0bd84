"""The one form of every error: problem details (RFC 9457), with the fields that are wrong named.

ApiError
├── Unauthorized   no token, or none that counts
├── NotFound       no such thing, or somebody else's
├── Refused        it cannot be done as things are: a run that is finished, a key used twice
├── Wrong          something that was sent is impossible; `fields` say what
├── TooLarge       the body
├── TooMany        too often
└── Away           the database, or all of Tavern, cannot be reached now
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
AGAIN_IN: Final = 5
"""Seconds after which it is worth asking again while the database is away."""

_log: Final = logging.getLogger(__name__)


class FieldProblem(BaseModel):
    """One thing that was sent and is not possible."""

    place: str = Field(description="Where it was sent.", examples=["body"])
    field: str = Field(description="Its name; empty when all of it is meant.", examples=["agent"])
    message: str = Field(description="What is wrong with it.")


class Problem(BaseModel):
    """Why a request was not done (RFC 9457)."""

    type: str = Field("about:blank", description="Always about:blank: the status says what kind it is.")
    title: str = Field(description="The status in words.", examples=["Not Found"])
    status: int = Field(description="The status code.", examples=[404])
    detail: str = Field(description="What happened, for a person.", examples=["There is no such run."])
    errors: list[FieldProblem] = Field(default_factory=list, description="The fields that are wrong, if any.")


class ApiError(Exception):
    """Any of them; `str()` is for the caller."""

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


class Unauthorized(ApiError):
    """No token, or none that counts. The header is asked for by RFC 6750."""

    status = HTTPStatus.UNAUTHORIZED

    def __init__(self, detail: str, *, error: str | None = None) -> None:
        challenge = 'Bearer realm="Tavern"' + (f', error="{error}"' if error else "")
        super().__init__(detail, headers={"WWW-Authenticate": challenge})


class NotFound(ApiError):
    """No such thing, or somebody else's: which of the two is not told."""

    status = HTTPStatus.NOT_FOUND


class Refused(ApiError):
    """It cannot be done as things are."""

    status = HTTPStatus.CONFLICT


class Wrong(ApiError):
    """Something that was sent is impossible."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class TooMany(ApiError):
    """Too often; `seconds` until the next try."""

    status = HTTPStatus.TOO_MANY_REQUESTS

    def __init__(self, seconds: int, detail: str | None = None) -> None:
        super().__init__(
            detail or f"Too many requests. Please try again in {seconds} s.",
            headers={"Retry-After": str(seconds)},
        )


class Away(ApiError):
    """It cannot be done now, but soon."""

    status = HTTPStatus.SERVICE_UNAVAILABLE

    def __init__(self, detail: str = "Tavern can't reach its database now. Please try again soon.") -> None:
        super().__init__(detail, headers={"Retry-After": str(AGAIN_IN)})


class TooLarge(HTTPException):
    """The body is too large. Starlette's kind, since it is raised where FastAPI reads the body."""

    def __init__(self, most: int) -> None:
        super().__init__(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"The body is too large: up to {most:,} bytes are taken.",
            headers={"Connection": "close"},
        )


def answer(
    status: int,
    detail: str,
    *,
    headers: Mapping[str, str] | None = None,
    fields: Sequence[FieldProblem] = (),
) -> Response:
    """Return the answer that tells of a problem."""
    problem = Problem(
        type="about:blank", title=HTTPStatus(status).phrase, status=status, detail=detail, errors=list(fields)
    )
    return JSONResponse(problem.model_dump(), status, dict(headers or {}), MEDIA_TYPE)


def translated(error: database.DatabaseError) -> ApiError:
    """Say in terms of HTTP what the database said."""
    match error:
        case database.Unreachable():
            return Away()
        case database.Misconfigured():
            _log.error("The Supabase project is not set up for Tavern: %s", error)
            return Away("Tavern is not set up completely. Please tell who runs it.")
        case database.SignedOut():
            return Unauthorized("The access token is not valid (any more).", error="invalid_token")
        case database.TooManyAttempts():
            return TooMany(60, str(error))
        case database.Gone():
            return NotFound("There is no such thing.")
        case database.Duplicate() | database.Conflict():
            return Refused(str(error))
        case database.NotAllowed():
            return Forbidden(str(error))
        case database.Invalid():
            named = [FieldProblem(place="body", field=error.field, message=str(error))] if error.field else []
            return Wrong(str(error), fields=named)
        case _:
            _log.error("The database gave an unexpected answer: %r", error)
            return ApiError("The database gave an unexpected answer.")


class Forbidden(ApiError):
    """The database does not allow it to this person."""

    status = HTTPStatus.FORBIDDEN


_MEANING: Final[Mapping[int, str]] = {
    400: "The body is not text.",
    401: "There is no access token, or none that counts.",
    403: "The database does not allow it to this person.",
    404: "There is no such thing, or it is somebody else's.",
    409: "It cannot be done as things are.",
    413: "The body is too large.",
    422: "What was sent is not possible; `errors` says which fields.",
    429: "Too often. `Retry-After` says in how many seconds to try again.",
    503: "The database cannot be reached now. `Retry-After` says when to try again.",
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
    """Return how a problem with this status may look."""
    missing = FieldProblem(place="body", field="agent", message="Field required")
    return Problem(
        type="about:blank",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=_EXAMPLES.get(status, "Something went wrong."),
        errors=[missing] if status == HTTPStatus.UNPROCESSABLE_ENTITY else [],
    ).model_dump()


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Describe the problems that a route can answer with, for the OpenAPI page."""
    described: dict[int | str, dict[str, Any]] = {}
    for status in statuses:
        described[status] = {"model": Problem, "description": _MEANING[status]}
        if (header := _HEADERS.get(status)) is not None:
            described[status]["headers"] = {header: {"schema": {"type": "string"}}}
    return described


def install(app: FastAPI) -> None:
    """Give every error of the application the one form."""
    app.add_exception_handler(ApiError, _api_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(database.DatabaseError, _database_error)


async def _api_error(_request: Request, error: Exception) -> Response:
    told = cast("ApiError", error)
    return answer(told.status, str(told), headers=told.headers, fields=told.fields)


async def _database_error(request: Request, error: Exception) -> Response:
    return await _api_error(request, translated(cast("database.DatabaseError", error)))


async def _http_error(_request: Request, error: Exception) -> Response:
    told = cast("HTTPException", error)
    return answer(told.status_code, str(told.detail), headers=told.headers)


async def _validation_error(_request: Request, error: Exception) -> Response:
    fields = [_field(one) for one in cast("RequestValidationError", error).errors()]
    detail = "; ".join(f"{one.field or one.place}: {one.message}" for one in fields)
    return answer(HTTPStatus.UNPROCESSABLE_ENTITY, detail, fields=fields)


def _field(error: Mapping[str, object]) -> FieldProblem:
    """Name a field. What was sent is not repeated: it may be a secret in the wrong place."""
    location = [str(part) for part in cast("Sequence[object]", error["loc"])]
    if error["type"] == "json_invalid":
        return FieldProblem(place="body", field="", message="This is not JSON.")
    place, *path = location or ["body"]
    return FieldProblem(place=place, field=".".join(path), message=str(error["msg"]))
