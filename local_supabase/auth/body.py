"""Reads request bodies as GoTrue does: a JSON object of optional fields with fixed types."""

from collections.abc import Mapping

import orjson
from starlette.requests import Request

from local_supabase.auth.errors import AuthError, bad_request

MAX_BODY_BYTES = 1024 * 1024


def _bad_json(detail: str) -> AuthError:
    return bad_request("bad_json", f"Could not parse request body as JSON: {detail}")


def _go_kind(value: object) -> str:
    """Return the kind of a JSON value, as the messages of Go's decoder name it."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "string"
    if isinstance(value, int | float):
        return "number"
    return "array" if isinstance(value, list) else "object"


def _holds_nul(value: object) -> bool:
    """Return whether any text or key of a JSON value has a NUL, which Postgres cannot store."""
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, str):
            if "\0" in item:
                return True
        elif isinstance(item, dict):
            pending.extend(item.keys())
            pending.extend(item.values())
        elif isinstance(item, list):
            pending.extend(item)
    return False


class Body:
    """A parsed request body. A field of the wrong type is an `AuthError`, 400 ``bad_json``."""

    def __init__(self, fields: Mapping[str, object]) -> None:
        self._fields = fields

    def _mismatch(self, name: str, wanted: str) -> AuthError:
        kind = _go_kind(self._fields[name])
        return _bad_json(f"json: cannot unmarshal {kind} into Go struct field .{name} of type {wanted}")

    def optional_text(self, name: str) -> str | None:
        """Return a string field, or None if it is absent or null."""
        value = self._fields.get(name)
        if value is None or isinstance(value, str):
            return value
        raise self._mismatch(name, "string")

    def text(self, name: str) -> str:
        """Return a string field, or "" if it is absent or null."""
        return self.optional_text(name) or ""

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Return a boolean field, or the default if it is absent or null."""
        value = self._fields.get(name)
        if value is None:
            return default
        if isinstance(value, bool):
            return value
        raise self._mismatch(name, "bool")

    def mapping(self, name: str) -> dict[str, object] | None:
        """Return an object field, or None if it is absent or null."""
        value = self._fields.get(name)
        if value is None or isinstance(value, dict):
            return value
        raise self._mismatch(name, "map[string]interface {}")


def parse_body(raw: bytes) -> Body:
    """Parse a body. Anything but an object (or null, as in Go) is an `AuthError`, 400 ``bad_json``."""
    if not raw:
        raise _bad_json("unexpected end of JSON input")
    try:
        fields = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise _bad_json(str(error)) from None
    if fields is None:
        return Body({})
    if not isinstance(fields, dict):
        raise _bad_json(f"json: cannot unmarshal {_go_kind(fields)} into Go value")
    if b"\\u0000" in raw and _holds_nul(fields):
        raise _bad_json("a string contains the NUL character, which Postgres cannot store")
    return Body(fields)


async def read_raw(request: Request) -> bytes:
    """Read a request's body. Raises `AuthError` 413 for more than one megabyte."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            raise AuthError(413, "validation_failed", "Request body is too large")
        chunks.append(chunk)
    return b"".join(chunks)


async def read_body(request: Request) -> Body:
    """Read and parse a request's body. Raises `AuthError` as `read_raw` and `parse_body` do."""
    return parse_body(await read_raw(request))
