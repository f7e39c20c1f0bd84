"""Every function x role over REST."""

from __future__ import annotations

import httpx

from tests.security.matrix.cast import VISITOR, Cast
from tests.security.matrix.expected import FUNCTIONS
from tests.security.matrix.exposed import exposed_schemas
from tests.security.matrix.rows import Rows
from tests.security.matrix.test_files import put
from tests.supabase_schema.access import filled

_REFUSED = "42501"


def test_every_function_that_rest_exposes_is_listed(rows: Rows) -> None:
    exposed = rows.sql.rows(
        "select proname from pg_proc where pronamespace::regnamespace::text = any (%s)"
        " and prorettype <> 'trigger'::regtype",
        exposed_schemas(),
    )
    missing = {name for (name,) in exposed} - FUNCTIONS.keys()
    assert missing == set(), (
        "Say who may call these functions, and with which arguments they are tried: add them to FUNCTIONS in"
        " tests/security/matrix/expected.py."
    )


def test_every_function_is_called_by_those_who_may(cast: Cast) -> None:
    calls = [(name, role) for name in FUNCTIONS for role in cast.roles]
    # What is refused changes nothing, so it is tried first.
    calls.sort(key=lambda call: FUNCTIONS[call[0]].allows(call[1], VISITOR))
    wrong = []
    with httpx.Client(base_url=f"{cast.stack.url}/storage/v1", timeout=60) as http:
        put(http, cast, "model-artifacts", "kept.json")
    with httpx.Client(base_url=f"{cast.stack.url}/rest/v1/rpc", timeout=60) as http:
        for name, role in calls:
            arguments = filled(FUNCTIONS[name].arguments, cast.values)
            answer = http.post(f"/{name}", json=arguments, headers=cast.headers(role))
            if is_refused(answer) is FUNCTIONS[name].allows(role, VISITOR):
                wrong.append(f"{name} by {role}: {answer.status_code} {answer.text[:200]}")
    assert not wrong, "\n".join(wrong)


def is_refused(answer: httpx.Response) -> bool:
    """Whether a right is missing, or the function tells nothing. Other errors are those of its caller."""
    if answer.is_success:
        return answer.text in ("null", "[]")
    return bool(answer.json()["code"] == _REFUSED)
