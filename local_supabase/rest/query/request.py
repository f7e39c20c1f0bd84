"""Parses a whole request, without knowledge of the database."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from starlette.datastructures import Headers

from local_supabase.rest.errors import bad_path, put_range, unknown_schema, wrong_method, wrong_rpc_method
from local_supabase.rest.names import Name
from local_supabase.rest.query.media import Format, content_kind, negotiate
from local_supabase.rest.query.payload import (
    Arguments,
    Rows,
    parse_arguments,
    parse_rows,
)
from local_supabase.rest.query.preferences import Preferences
from local_supabase.rest.query.query_string import Query, parse_query
from local_supabase.rest.query.ranges import Window, with_header


class Resource(Enum):
    """What a path names."""

    ROOT = "root"
    RELATION = "relation"
    ROUTINE = "routine"


class Action(Enum):
    """What a request does."""

    READ = "read"
    INSERT = "insert"
    UPSERT = "upsert"
    UPDATE = "update"
    DELETE = "delete"
    CALL = "call"
    CALL_READ = "call read"
    DESCRIBE = "describe"
    OPTIONS = "options"


_RELATION_ACTIONS: Final = {
    "GET": Action.READ,
    "HEAD": Action.READ,
    "POST": Action.INSERT,
    "PUT": Action.UPSERT,
    "PATCH": Action.UPDATE,
    "DELETE": Action.DELETE,
    "OPTIONS": Action.OPTIONS,
}
_ROUTINE_ACTIONS: Final = {
    "GET": Action.CALL_READ,
    "HEAD": Action.CALL_READ,
    "POST": Action.CALL,
    "OPTIONS": Action.OPTIONS,
}
_ROOT_ACTIONS: Final = {"GET": Action.DESCRIBE, "HEAD": Action.DESCRIBE, "OPTIONS": Action.OPTIONS}
_WRITING_METHODS: Final = {"POST", "PUT", "PATCH", "DELETE"}


@dataclass(frozen=True, slots=True)
class Target:
    """The resource, the action and the schema of a request."""

    resource: Resource
    action: Action
    name: Name
    method: str

    @property
    def headers_only(self) -> bool:
        """Whether the response has no body."""
        return self.method == "HEAD"


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """A parsed request for a relation or a routine.

    Arguments:
        target: the resource, action and schema.
        query: the query string.
        window: the rows of the root that are requested.
        preferences: the `Prefer` headers.
        accept: the Accept header.
        content: the media type of the body.
        rows: the body of a write.
        arguments: the arguments of a call.
    """

    target: Target
    query: Query
    window: Window
    preferences: Preferences
    accept: str | None
    content: str
    rows: Rows | None = None
    arguments: Arguments | None = None

    @property
    def form(self) -> Format:
        """The format of the response's body.

        PostgREST reports other errors first, so it is negotiated only after planning.

        Raises:
            RestError: PGRST107, the caller accepts no format that can be made.
        """
        return negotiate(self.accept)


def find_target(path: str, method: str, headers: Headers, schemas: tuple[str, ...]) -> Target:
    """Return what a path and method name, in the schema of the profile header.

    Arguments:
        path: the path below /rest/v1.
        method: the HTTP method.
        headers: the request's headers.
        schemas: the exposed schemas; the first one is the default.

    Raises:
        RestError: PGRST125, bad path; 106, unknown schema; 101 and 117, method not allowed.
    """
    parts = [part for part in path.split("/") if part]
    match parts:
        case []:
            resource, name, actions = Resource.ROOT, "", _ROOT_ACTIONS
        case [relation]:
            resource, name, actions = Resource.RELATION, relation, _RELATION_ACTIONS
        case ["rpc", routine]:
            resource, name, actions = Resource.ROUTINE, routine, _ROUTINE_ACTIONS
        case _:
            raise bad_path()
    profile = headers.get("content-profile" if method in _WRITING_METHODS else "accept-profile")
    if profile is not None and profile not in schemas:
        raise unknown_schema(profile, schemas)
    action = actions.get(method)
    if action is None:
        raise wrong_rpc_method(method) if resource is Resource.ROUTINE else wrong_method(method)
    return Target(resource, action, Name(profile or schemas[0], name), method)


def read_request(
    target: Target, raw_query: str, headers: Headers, body: bytes, preferences: Preferences
) -> ApiRequest:
    """Parse a request for a relation or routine.

    Arguments:
        target: the resource, action and schema.
        raw_query: the query string.
        headers: the request's headers.
        body: the request's body.
        preferences: the parsed `Prefer` headers.

    Raises:
        RestError: PGRST100, bad query string; 102, bad body; 103, bad range; 114, a PUT with a range.
    """
    action = target.action
    query = parse_query(raw_query, arguments=action is Action.CALL_READ)
    window = with_header(query.window, headers.get("range") if target.method == "GET" else None)
    if action is Action.UPSERT and not window.everything:
        raise put_range()
    content = content_kind(headers.get("content-type"))
    rows, arguments = _body(action, body, content, query)
    return ApiRequest(target, query, window, preferences, headers.get("accept"), content, rows, arguments)


def _body(action: Action, body: bytes, content: str, query: Query) -> tuple[Rows | None, Arguments | None]:
    match action:
        case Action.INSERT | Action.UPDATE:
            return parse_rows(body, content, query.columns), None
        case Action.UPSERT:
            return parse_rows(body, content, None), None
        case Action.CALL:
            return None, parse_arguments(body, content, query.columns)
        case Action.CALL_READ:
            names = tuple(dict.fromkeys(name for name, _ in query.arguments))
            return None, Arguments(names, pairs=query.arguments)
        case _:
            return None, None
