"""The errors of Supabase Auth, in the two JSON forms that clients may ask for.

    AuthError               a status, a code and a message
     +- WeakPasswordError   422, with the reasons
    OAuthError              RFC 6749 form, for a few answers of the token endpoint

Codes and messages are those of github.com/supabase/auth, ``internal/api/apierrors`` and ``errors.go``.
"""

from collections.abc import Sequence
from datetime import date
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.responses import JSONResponse

API_VERSION_HEADER = "X-Supabase-Api-Version"
ERROR_CODE_HEADER = "x-sb-error-code"
_CODED_ERRORS_SINCE = date(2024, 1, 1)


class AuthError(Exception):
    """A failed request: HTTP status, machine-readable code, message for a person."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


class WeakPasswordError(AuthError):
    """A password that breaks the rules; ``reasons`` holds ``length``, ``characters`` or ``pwned``."""

    def __init__(self, message: str, reasons: Sequence[str]) -> None:
        super().__init__(HTTPStatus.UNPROCESSABLE_ENTITY, "weak_password", message)
        self.reasons = tuple(reasons)


class OAuthError(Exception):
    """An error in the form of RFC 6749, always status 400."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description


def bad_request(code: str, message: str) -> AuthError:
    """Return a 400."""
    return AuthError(HTTPStatus.BAD_REQUEST, code, message)


def invalid(message: str) -> AuthError:
    """Return a 400 for a value that breaks a rule."""
    return bad_request("validation_failed", message)


def forbidden(code: str, message: str) -> AuthError:
    """Return a 403."""
    return AuthError(HTTPStatus.FORBIDDEN, code, message)


def not_found(code: str, message: str) -> AuthError:
    """Return a 404."""
    return AuthError(HTTPStatus.NOT_FOUND, code, message)


def unprocessable(code: str, message: str) -> AuthError:
    """Return a 422."""
    return AuthError(HTTPStatus.UNPROCESSABLE_ENTITY, code, message)


def too_many(code: str, message: str) -> AuthError:
    """Return a 429."""
    return AuthError(HTTPStatus.TOO_MANY_REQUESTS, code, message)


def unexpected(message: str) -> AuthError:
    """Return a 500, for a failure that is not the caller's."""
    return AuthError(HTTPStatus.INTERNAL_SERVER_ERROR, "unexpected_failure", message)


def not_supported(message: str) -> AuthError:
    """Return a 501, for what hosted Supabase does and this server does not."""
    return AuthError(HTTPStatus.NOT_IMPLEMENTED, "not_implemented", message)


def wants_coded_errors(headers: Headers) -> bool:
    """Return whether the client asked for the error form of 2024-01-01; an invalid date is ignored."""
    try:
        return date.fromisoformat(headers.get(API_VERSION_HEADER, "")) >= _CODED_ERRORS_SINCE
    except ValueError:
        return False


def error_response(error: AuthError | OAuthError, headers: Headers) -> JSONResponse:
    """Return the response for an error, in the form of the request's API version and with that version."""
    coded = wants_coded_errors(headers)
    answer_headers = {API_VERSION_HEADER: _CODED_ERRORS_SINCE.isoformat()} if coded else {}
    if isinstance(error, OAuthError):
        body: dict[str, object] = {"error": error.error, "error_description": error.description}
        return JSONResponse(body, HTTPStatus.BAD_REQUEST, answer_headers)
    answer_headers[ERROR_CODE_HEADER] = error.code
    if coded:
        body = {"code": error.code, "message": error.message}
    else:
        body = {"code": int(error.status), "error_code": error.code, "msg": error.message}
    if isinstance(error, WeakPasswordError):
        body["weak_password"] = {"reasons": list(error.reasons)}
    return JSONResponse(body, error.status, answer_headers)
