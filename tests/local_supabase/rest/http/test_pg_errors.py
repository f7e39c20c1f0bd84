import asyncpg
import pytest

from local_supabase.rest.http.pg_errors import from_postgres


def _error(sqlstate: str, message: str = "failed", detail: str | None = None) -> asyncpg.PostgresError:
    fields = {"C": sqlstate, "M": message} | ({} if detail is None else {"D": detail})
    error: asyncpg.PostgresError = asyncpg.PostgresError.new(fields)
    return error


@pytest.mark.parametrize(
    ("sqlstate", "message", "anonymous", "status"),
    [
        ("42501", "permission denied", True, 401),
        ("42501", "permission denied", False, 403),
        ("23505", "duplicate key", False, 409),
        ("22023", 'role "x" does not exist', True, 401),
        ("22023", "bad value", True, 400),
        ("21000", "UPDATE requires a WHERE clause", False, 400),
        ("21000", "more than one row", False, 500),
        ("42883", "function xmlagg(integer) does not exist", False, 406),
        ("42883", "function f() does not exist", False, 404),
        ("PT418", "teapot", False, 418),
        ("PTxyz", "no status", False, 500),
        ("53300", "too many connections", False, 503),
        ("99999", "unknown", False, 400),
    ],
)
def test_the_sqlstate_decides_the_status(sqlstate: str, message: str, anonymous: bool, status: int) -> None:
    error = from_postgres(_error(sqlstate, message), anonymous=anonymous)
    assert (error.status, error.code, error.message) == (status, sqlstate, message)
    assert ("WWW-Authenticate" in dict(error.headers)) == (status == 401)


def test_a_missing_operator_names_the_type_that_postgrest_names() -> None:
    message = "operator does not exist: integer ~~ text"
    error = from_postgres(_error("42883", message), anonymous=True)
    assert error.message == "operator does not exist: integer ~~ unknown"


def test_a_function_may_raise_a_whole_response() -> None:
    message = '{"code": "123", "message": "Payment Required", "hint": "Upgrade"}'
    error = from_postgres(
        _error("PGRST", message, '{"status": 402, "headers": {"X-A": "b"}}'), anonymous=True
    )
    assert (error.status, error.code, error.message, error.hint) == (
        402,
        "123",
        "Payment Required",
        "Upgrade",
    )
    assert error.headers == (("X-A", "b"),)


@pytest.mark.parametrize(
    ("message", "detail"),
    [("text", "{}"), ('{"code": "1"}', "{}"), ('{"code": "1", "message": "m"}', None),
     ('{"code": "1", "message": "m"}', '{"status": "200"}')],
)  # fmt: skip
def test_a_raise_without_the_required_json_is_an_error(message: str, detail: str | None) -> None:
    error = from_postgres(_error("PGRST", message, detail), anonymous=True)
    assert (error.status, error.code) == (500, "PGRST121")
