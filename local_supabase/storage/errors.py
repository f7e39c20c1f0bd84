"""The errors of Supabase Storage, in its JSON form.

The HTTP status is nearly always 400; the status of the error is the text ``statusCode`` in the body. Codes
and messages are those of github.com/supabase/storage, ``src/internal/errors/codes.ts``.
"""

from http import HTTPStatus

import asyncpg
from starlette.responses import JSONResponse


class StorageError(Exception):
    """A failed request.

    ``status`` goes into the body, ``http_status`` is the status of the response; ``error`` is an older form
    of ``code``.
    """

    def __init__(
        self, status: int, code: str, message: str, *, error: str = "", http_status: int | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.error = error or code
        self.message = message
        self.http_status = http_status or (status if status in (500, 501, 503, 544) else 400)

    def response(self) -> JSONResponse:
        """Return the response for the error."""
        body = {
            "statusCode": str(int(self.status)),
            "code": self.code,
            "error": self.error,
            "message": self.message,
        }
        return JSONResponse(body, self.http_status)


def no_such_bucket() -> StorageError:
    """Return the error for a bucket that does not exist, or that the caller may not see."""
    return StorageError(404, "NoSuchBucket", "Bucket not found", error="Bucket not found")


def no_such_key() -> StorageError:
    """Return the error for an object that does not exist, or that the caller may not see."""
    return StorageError(404, "NoSuchKey", "Object not found", error="not_found")


def invalid_key(key: str) -> StorageError:
    """Return the error for an invalid object name."""
    return StorageError(400, "InvalidKey", f"Invalid key: {key}")


def invalid_bucket_name() -> StorageError:
    """Return the error for an invalid bucket name."""
    return StorageError(400, "InvalidBucketName", "Bucket name invalid", error="Invalid Input")


def invalid_request(message: str) -> StorageError:
    """Return the error for an invalid body or parameter."""
    return StorageError(400, "InvalidRequest", message, error="Error")


def invalid_jwt(message: str) -> StorageError:
    """Return the error for an invalid token of a signed URL."""
    return StorageError(400, "InvalidJWT", message)


def access_denied(message: str) -> StorageError:
    """Return the error for something that the caller may not do."""
    return StorageError(403, "AccessDenied", message, error="Unauthorized")


def already_exists(code: str = "ResourceAlreadyExists") -> StorageError:
    """Return the error for a name that is taken."""
    return StorageError(409, code, "The resource already exists", error="Duplicate")


def too_large(what: str = "object") -> StorageError:
    """Return the error for more bytes than are allowed."""
    message = f"The {what} exceeded the maximum allowed size"
    return StorageError(413, "EntityTooLarge", message, error="Payload too large")


def invalid_mime_type(mime_type: str) -> StorageError:
    """Return the error for a content type that the bucket does not accept."""
    message = f"mime type {mime_type} is not supported"
    return StorageError(415, "InvalidMimeType", message, error="invalid_mime_type")


def no_content() -> StorageError:
    """Return the error for an upload without a file."""
    return StorageError(400, "InvalidRequest", "No content provided")


def not_supported(message: str) -> StorageError:
    """Return the error for what hosted Supabase does and this server does not."""
    return StorageError(501, "NotSupported", message)


def of_database(error: asyncpg.PostgresError) -> StorageError:
    """Return Storage's error for an error of Postgres, such as a violation of row security."""
    state = error.sqlstate or ""
    message = str(error)
    if state == "42501":
        by_policy = "row-level security" in message
        return access_denied("new row violates row-level security policy" if by_policy else message)
    if state == "23505":
        return already_exists()
    if state == "23503":
        return StorageError(404, "InvalidRequest", "The related resource does not exist")
    if state == "57014":
        return StorageError(544, "DatabaseTimeout", "The connection to the database timed out")
    if state == "22P02":
        return StorageError(400, "InvalidParameter", message)
    if state == "P0001":
        return StorageError(400, "InvalidRequest", message)
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    return StorageError(status, "DatabaseError", f"database error, code: {state}")
