"""PostgREST's errors: one exception, and one function for each error code.

Codes and messages: https://docs.postgrest.org/en/stable/references/errors.html.
"""

from __future__ import annotations

from collections.abc import Sequence

import orjson


class RestError(Exception):
    """An error response.

    Arguments:
        status: the HTTP status.
        code: PostgREST's code or an SQLSTATE.
        message: what went wrong.
        details: more about it, any JSON value.
        hint: what to do, any JSON value.
        headers: further headers of the response.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        details: object = None,
        hint: object = None,
        headers: Sequence[tuple[str, str]] = (),
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.details = details
        self.hint = hint
        self.headers = tuple(headers)

    def body(self) -> bytes:
        """Return the JSON body. It always has all four keys."""
        return orjson.dumps(
            {"code": self.code, "details": self.details, "hint": self.hint, "message": self.message}
        )


def bad_query(message: str, details: str) -> RestError:
    """PGRST100: the query string does not follow the grammar."""
    return RestError(400, "PGRST100", message, details=details)


def wrong_rpc_method(method: str) -> RestError:
    """PGRST101: a function called with a method other than GET, HEAD and POST."""
    return RestError(405, "PGRST101", f"Cannot use the {method} method on RPC")


def bad_body(message: str) -> RestError:
    """PGRST102: the body is not what its content type says, or its rows differ in their keys."""
    return RestError(400, "PGRST102", message)


def bad_range(details: str) -> RestError:
    """PGRST103: the range of rows is invalid or starts behind the last row."""
    return RestError(416, "PGRST103", "Requested range not satisfiable", details=details)


def put_filters() -> RestError:
    """PGRST105: a PUT without exactly the primary key as its filters."""
    message = "Filters must include all and only primary key columns with 'eq' operators"
    return RestError(405, "PGRST105", message)


def unknown_schema(schema: str, exposed: Sequence[str]) -> RestError:
    """PGRST106: the profile header names a schema that is not exposed."""
    hint = "Only the following schemas are exposed: " + ", ".join(exposed)
    return RestError(406, "PGRST106", f"Invalid schema: {schema}", hint=hint)


def no_media_type(accepted: Sequence[str]) -> RestError:
    """PGRST107: no acceptable media type. Hosted projects answer so to `explain` too, which is off there."""
    return RestError(406, "PGRST107", "None of these media types are available: " + ", ".join(accepted))


def not_embedded(name: str) -> RestError:
    """PGRST108: a parameter names a resource that `select` does not embed."""
    return RestError(
        400,
        "PGRST108",
        f"'{name}' is not an embedded resource in this request",
        hint=f"Verify that '{name}' is included in the 'select' query parameter.",
    )


def bad_response_headers() -> RestError:
    """PGRST111: a function set `response.headers` to something else than headers."""
    message = (
        "response.headers guc must be a JSON array composed of objects with a single key and a string value"
    )
    return RestError(500, "PGRST111", message)


def bad_response_status() -> RestError:
    """PGRST112: a function set `response.status` to something else than a status."""
    return RestError(500, "PGRST112", "response.status guc must be a valid status code")


def put_range() -> RestError:
    """PGRST114: a PUT with a limit or an offset."""
    return RestError(400, "PGRST114", "limit/offset querystring parameters are not allowed for PUT")


def put_mismatch() -> RestError:
    """PGRST115: the body of a PUT has another key than its URL."""
    return RestError(400, "PGRST115", "Payload values do not match URL in primary key column(s)")


def not_singular(rows: int) -> RestError:
    """PGRST116: a single object was requested, but there is not exactly one row."""
    message = "Cannot coerce the result to a single JSON object"
    return RestError(406, "PGRST116", message, details=f"The result contains {rows} rows")


def wrong_method(method: str) -> RestError:
    """PGRST117: a method that PostgREST does not know."""
    return RestError(405, "PGRST117", f"Unsupported HTTP method: {method}")


def order_not_to_one(origin: str, target: str) -> RestError:
    """PGRST118: an order by a to-many resource."""
    return RestError(
        400,
        "PGRST118",
        f"A related order on '{target}' is not possible",
        details=f"'{origin}' and '{target}' do not form a many-to-one or one-to-one relationship",
    )


def bad_raise(details: str, hint: str) -> RestError:
    """PGRST121: a function raised SQLSTATE PGRST without the required JSON."""
    message = "Could not parse JSON in the \"RAISE SQLSTATE 'PGRST'\" error"
    return RestError(500, "PGRST121", message, details=details, hint=hint)


def bad_preferences(refused: Sequence[str]) -> RestError:
    """PGRST122: an invalid preference with `handling=strict`."""
    return RestError(
        400,
        "PGRST122",
        "Invalid preferences given with handling=strict",
        details="Invalid preferences: " + ", ".join(refused),
    )


def no_aggregates() -> RestError:
    """PGRST123: an aggregate function. Hosted projects refuse them unless their owner allows them."""
    return RestError(400, "PGRST123", "Use of aggregate functions is not allowed")


def too_many_affected(rows: int) -> RestError:
    """PGRST124: a write or call affected more rows than `max-affected` allows."""
    message = "Query result exceeds max-affected preference constraint"
    return RestError(400, "PGRST124", message, details=f"The query affects {rows} rows")


def bad_path() -> RestError:
    """PGRST125: the path is neither a table's nor a function's."""
    return RestError(404, "PGRST125", "Invalid path specified in request URL")


def max_affected_rpc() -> RestError:
    """PGRST128: `max-affected` with a function that returns no set."""
    message = "Function must return SETOF or TABLE when max-affected preference is used with handling=strict"
    return RestError(400, "PGRST128", message)


def too_many_arguments(schema: str, function: str, most: int) -> RestError:
    """PGRST202, without naming all the arguments: no function takes so many."""
    message = f"Could not find the function {schema}.{function} with these parameters in the schema cache"
    return RestError(404, "PGRST202", message, details=f"A function takes at most {most} parameters.")


def no_column(table: str, column: str) -> RestError:
    """PGRST204: the table has no such column."""
    return RestError(
        400, "PGRST204", f"Could not find the '{column}' column of '{table}' in the schema cache"
    )


def no_table(schema: str, table: str, hint: str | None) -> RestError:
    """PGRST205: there is no such table in the exposed schemas."""
    message = f"Could not find the table '{schema}.{table}' in the schema cache"
    return RestError(404, "PGRST205", message, hint=hint)


def unreachable(details: str) -> RestError:
    """PGRST000: no connection to Postgres."""
    message = "Database connection error. Retrying the connection."
    return RestError(503, "PGRST000", message, details=details)


def no_catalog() -> RestError:
    """PGRST002: the catalog cannot be loaded."""
    return RestError(503, "PGRST002", "Could not query the database for the schema cache. Retrying.")


def busy() -> RestError:
    """PGRST003: no database connection became free in time."""
    return RestError(504, "PGRST003", "Timed out acquiring connection from connection pool.")
