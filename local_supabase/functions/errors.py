"""The errors that Supabase itself returns for a call of a function.

Source: supabase.com/docs/guides/functions/error-codes and status-codes.
"""

from __future__ import annotations

from starlette.responses import JSONResponse


class FunctionsError(Exception):
    """A call that did not reach the function, or got no answer from it.

    - `UnauthorizedError` no token, or not one of this project
    - `NotFoundError` no such function
    - `BootError` it does not start: Deno is not installed, or the code fails before it listens
    - `WorkerError` it ended while it was answering
    - `WorkerLimitError` it ran out of memory
    - `IdleTimeoutError` it did not begin to answer in time
    - `BodyTooLargeError` the request is larger than the limit
    - `ClientLeftError` the client ended its connection
    """

    status = 500
    code = "WORKER_ERROR"
    message = "Function exited due to an error (please check logs)"

    def __init__(self, message: str | None = None, *, code: str | None = None) -> None:
        self.message = message or self.message
        self.code = code or self.code
        super().__init__(self.message)

    def response(self) -> JSONResponse:
        """Return the answer in Supabase's form."""
        body = {"code": self.code, "message": self.message}
        return JSONResponse(body, status_code=self.status, headers={"sb-error-code": self.code})


class UnauthorizedError(FunctionsError):
    """No token, or not one of this project's."""

    status = 401
    code = "UNAUTHORIZED_NO_AUTH_HEADER"
    message = "Missing authorization header"


class NotFoundError(FunctionsError):
    """There is no function of this name."""

    status = 404
    code = "NOT_FOUND"
    message = "Requested function was not found"


class BootError(FunctionsError):
    """The function does not start."""

    status = 503
    code = "BOOT_ERROR"
    message = "Function failed to start (please check logs)"


class WorkerError(FunctionsError):
    """The function ended while it was answering."""


class WorkerLimitError(FunctionsError):
    """The function ran out of memory."""

    status = 546
    code = "WORKER_LIMIT"
    message = "Function failed due to not having enough compute resources (please check logs)"


class IdleTimeoutError(FunctionsError):
    """The function did not begin to answer in time."""

    status = 504
    code = "IDLE_TIMEOUT"
    message = "Function did not respond within the time limit (please check logs)"


class BodyTooLargeError(FunctionsError):
    """The request is larger than the limit."""

    status = 413
    code = "REQUEST_ENTITY_TOO_LARGE"
    message = "The request body is larger than 20 MB"


class ClientLeftError(FunctionsError):
    """The client ended its connection, so nobody reads this answer."""

    status = 499
    code = "CLIENT_CLOSED_REQUEST"
    message = "The client closed the connection"
