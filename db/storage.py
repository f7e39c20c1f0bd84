"""The errors of Storage's client, as `DatabaseError`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final, TypeVar

import httpx
from storage3.exceptions import StorageApiError
from storage3.utils import StorageException

from db.caller import Caller, with_token
from db.errors import (
    DatabaseError,
    DuplicateError,
    GoneError,
    MisconfiguredError,
    NotAllowedError,
    SignedOutError,
    UnreachableError,
    from_transport,
)

T = TypeVar("T")

_KNOWN: Final[Mapping[str, tuple[type[DatabaseError], str]]] = {
    "409": (DuplicateError, "There is a file of this name already."),
    "403": (NotAllowedError, "These files are not yours to see or change."),
}


def run(me: Caller, refusals: Mapping[str, DatabaseError], send: Callable[[str], T]) -> T:
    """Call `send` with the person's access token, and raise what goes wrong as `DatabaseError`.

    Arguments:
        me: the person.
        refusals: errors by the HTTP status that stands for them, for what the bucket does not accept.
        send: calls Storage.
    """

    def translated(token: str) -> T:
        with translated_errors(refusals):
            return send(token)

    return with_token(me, translated)


@contextmanager
def translated_errors(refusals: Mapping[str, DatabaseError]) -> Iterator[None]:
    """Raise the errors of Storage's client as `DatabaseError`, by status those of `refusals`."""
    try:
        yield
    except StorageApiError as error:
        raise _from_storage(refusals, error) from error
    except StorageException as error:
        raise DatabaseError from error
    except httpx.HTTPError as error:
        raise from_transport(error) from error


def _from_storage(refusals: Mapping[str, DatabaseError], error: StorageApiError) -> DatabaseError:
    """Translate an error of Storage.

    Its codes: https://supabase.com/docs/guides/storage/debugging/error-codes.
    """
    text = f"{error.code} {error.message}".lower()
    if "jwt" in text or "token" in text or '"exp"' in text:
        return SignedOutError()
    status = str(error.status)
    if status == "404":
        return MisconfiguredError() if "bucket" in text else GoneError("This file is not there any more.")
    if status in refusals:
        return refusals[status]
    if status in _KNOWN:
        kind, words = _KNOWN[status]
        return kind(words)
    return UnreachableError() if status.startswith("5") else DatabaseError()
