"""The errors of Supabase Storage, in its JSON form.

The HTTP status is 400 for nearly everything; the real one is ``statusCode`` in the body, as a text. Codes and
messages are those of github.com/supabase/storage, ``src/internal/errors/codes.ts``.
"""

from http import HTTPStatus

import asyncpg
from starlette.responses import JSONResponse


class StorageError(Exception):
    """An answer other than success.

    ``status`` goes into the body, ``http_status`` on the wire; ``error`` is the older name of ``code``.
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
        """Render the error."""
        body = {
            "statusCode": str(int(self.status)),
            "code": self.code,
            "error": self.error,
            "message": self.message,
        }
        return JSONResponse(body, self.http_status)


def no_such_bucket() -> StorageError:
    """Name a bucket that is not there, or not for the caller."""
    return StorageError(404, "NoSuchBucket", "Bucket not found", error="Bucket not found")


def no_such_key() -> StorageError:
    """Name an object that is not there, or not for the caller."""
    return StorageError(404, "NoSuchKey", "Object not found", error="not_found")


def invalid_key(key: str) -> StorageError:
    """Refuse a name that no object may have."""
    return StorageError(400, "InvalidKey", f"Invalid key: {key}")


def invalid_bucket_name() -> StorageError:
    """Refuse a name that no bucket may have."""
    return StorageError(400, "InvalidBucketName", "Bucket name invalid", error="Invalid Input")


def invalid_request(message: str) -> StorageError:
    """Refuse a request whose body or parameters are not of the form asked for."""
    return StorageError(400, "InvalidRequest", message, error="Error")


def invalid_jwt(message: str) -> StorageError:
    """Refuse a token of a signed URL that is not one."""
    return StorageError(400, "InvalidJWT", message)


def access_denied(message: str) -> StorageError:
    """Refuse something that the caller may not do."""
    return StorageError(403, "AccessDenied", message, error="Unauthorized")


def already_exists(code: str = "ResourceAlreadyExists") -> StorageError:
    """Refuse a name that is taken."""
    return StorageError(409, code, "The resource already exists", error="Duplicate")


def too_large(what: str = "object") -> StorageError:
    """Refuse more bytes than are allowed."""
    message = f"The {what} exceeded the maximum allowed size"
    return StorageError(413, "EntityTooLarge", message, error="Payload too large")


def invalid_mime_type(mime_type: str) -> StorageError:
    """Refuse a type of content that the bucket does not take."""
    message = f"mime type {mime_type} is not supported"
    return StorageError(415, "InvalidMimeType", message, error="invalid_mime_type")


def no_content() -> StorageError:
    """Refuse an upload without a file."""
    return StorageError(400, "InvalidRequest", "No content provided")


def not_supported(message: str) -> StorageError:
    """Refuse what hosted Supabase does and this server refuses to pretend."""
    return StorageError(501, "NotSupported", message)


def of_database(error: asyncpg.PostgresError) -> StorageError:
    """Translate what Postgres refused, row security above all."""
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
