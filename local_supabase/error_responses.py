"""What the gateway answers when a service cannot, in the words of hosted projects."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, ExceptionHandler, Receive, Scope, Send

from local_supabase.database import DatabaseBusyError, DatabaseUnavailableError
from local_supabase.request_limits import BodyTooLargeError, too_large


def not_implemented(message: str) -> ASGIApp:
    """Return an application that answers 501 with this message, and closes websockets with 1011."""

    async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1011})
            return
        body = {"code": "not_implemented", "message": message}
        await JSONResponse(body, status_code=501)(scope, receive, send)

    return refuse


def exception_handlers() -> dict[int | type[Exception], ExceptionHandler]:
    """Return what answers the errors that no service handles."""
    return {
        404: _path_not_found,
        BodyTooLargeError: _body_too_large,
        HTTPException: _http_error,
        Exception: _unexpected_error,
        DatabaseUnavailableError: _database_unavailable,
        DatabaseBusyError: _database_busy,
    }


async def _path_not_found(_: Request, __: Exception) -> Response:
    return JSONResponse({"error": "requested path is invalid"}, status_code=404)


async def _http_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException), "registered for it"
    return JSONResponse({"message": error.detail}, status_code=error.status_code, headers=error.headers)


async def _body_too_large(_: Request, error: Exception) -> Response:
    assert isinstance(error, BodyTooLargeError), "registered for it"
    return too_large(error)


async def _unexpected_error(_: Request, __: Exception) -> Response:
    # Supabase's gateway answers with this message. The error goes only to the log: it may hold secrets.
    return JSONResponse({"message": "An unexpected error occurred"}, status_code=500)


# Both messages are PostgREST's; the gateway uses them for every service.
async def _database_unavailable(_: Request, __: Exception) -> Response:
    return _postgrest_error(503, "PGRST001", "Database client error. Retrying the connection.")


async def _database_busy(_: Request, __: Exception) -> Response:
    return _postgrest_error(504, "PGRST003", "Timed out acquiring connection from connection pool.")


def _postgrest_error(status: int, code: str, message: str) -> Response:
    body = {"code": code, "details": None, "hint": None, "message": message}
    return JSONResponse(body, status_code=status)
