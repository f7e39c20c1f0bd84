"""Every table x verb x role over REST."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from local_supabase.stack.runtime import StackInfo
from tests.security.matrix.cast import TABLES, VISITOR, Cast, cells
from tests.security.matrix.expected import READABLE_ELSEWHERE
from tests.security.matrix.exposed import exposed_schemas
from tests.security.matrix.rows import Record, Rows
from tests.supabase_schema.access import AccessTable, Case, filled

_REFUSED = "42501"


@pytest.fixture
def http(stack: StackInfo) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{stack.url}/rest/v1", timeout=60) as client:
        yield client


def send(http: httpx.Client, cast: Cast, table: AccessTable, case: Case) -> httpx.Response:
    """Send the request of a cell."""
    world = cast.world(case)
    headers = cast.headers(case.role) | {"Prefer": "return=minimal, count=exact"}
    path = f"/{case.relation}"
    if case.verb in ("insert", "forge"):
        values = filled(table.inserts[case.relation], world)
        return http.post(path, json=values, headers=headers)
    params = {column: f"eq.{value}" for column, value in filled(table.row(case), world).items()}
    match case.verb:
        case "select":
            column = next(iter(params)).partition("->>")[0]
            return http.get(path, params={**params, "select": column}, headers=headers)
        case "update":
            changed = filled(table.sets[case.table], world)
            return http.patch(path, params=params, json=changed, headers=headers)
        case _:
            return http.delete(path, params=params, headers=headers)


def touches_a_row(answer: httpx.Response, case: Case) -> bool | str:
    """Whether the request touched a row. A text says what else than a missing right stopped it."""
    if answer.is_success:
        return case.verb in ("insert", "forge") or not answer.headers["content-range"].endswith("/0")
    refused = answer.status_code in (401, 403) and answer.json()["code"] == _REFUSED
    return False if refused else f"{answer.status_code} {answer.text}"


def make_room(rows: Rows, cast: Cast, table: AccessTable, case: Case) -> None:
    """Delete the row whose key an insert uses, so that only a missing right can refuse it."""
    values = filled(table.inserts[case.relation], cast.world(case))
    key = {column: value for column, value in values.items() if column in rows.keys[case.relation]}
    if len(key) == len(rows.keys[case.relation]):
        rows.delete(case.relation, key)
        rows.sql.commit()


def put_back(rows: Rows, found: list[tuple[str, Record]]) -> None:
    """Write the rows again as they were."""
    for relation, record in found:
        rows.delete(relation, record)
        rows.insert(relation, record)
    rows.sql.commit()


def fault(http: httpx.Client, cast: Cast, table: AccessTable, case: Case) -> str:
    """Send a cell; return what is wrong with the answer, or an empty text."""
    touched = touches_a_row(send(http, cast, table, case), case)
    return "" if touched is case.allowed else f"{case}: {touched}"


def test_every_cell_over_rest(http: httpx.Client, cast: Cast, rows: Rows) -> None:
    changing = [cell for cell in cells(cast.roles) if cell[1].allowed and cell[1].verb != "select"]
    others = [cell for cell in cells(cast.roles) if cell not in changing]
    # What changes nothing is tried first, while everything is there, and in parallel.
    with ThreadPoolExecutor(4) as pool:
        wrong = [text for text in pool.map(lambda cell: fault(http, cast, *cell), others) if text]
    everything = cast.records(rows)
    # A profile that is made again has lost its role, so profiles come last.
    for table, case in sorted(
        changing, key=lambda cell: (cell[1].table, cell[1].verb) == ("users", "insert")
    ):
        if case.verb == "insert":
            make_room(rows, cast, table, case)
        wrong.append(fault(http, cast, table, case))
        if case.verb != "insert":
            # A deletion takes along what belongs to the row.
            relations = None if case.verb == "delete" else {case.relation}
            put_back(rows, [each for each in everything if relations is None or each[0] in relations])
    faults = list(filter(None, wrong))
    assert not faults, "\n".join(faults)


def test_every_relation_that_rest_exposes_is_in_an_access_table(rows: Rows) -> None:
    exposed = rows.sql.rows(
        "select c.relname from pg_class c where c.relkind in ('r', 'p', 'v', 'm', 'f')"
        " and c.relnamespace::regnamespace::text = any (%s)",
        exposed_schemas(),
    )
    missing = {name for (name,) in exposed} - {name for table in TABLES for name in table.tables}
    assert missing == set(), "Say who may do what with these: tests/supabase_schema/people_access.py."


def test_no_other_schema_is_exposed(http: httpx.Client, cast: Cast, rows: Rows) -> None:
    schemas = [str(name) for (name,) in rows.sql.rows("select nspname from pg_namespace")]
    for schema in sorted(set(schemas) - set(exposed_schemas())):
        for role in (VISITOR, "admin"):
            headers = cast.headers(role) | {"Accept-Profile": schema, "Content-Profile": schema}
            for answer in (
                http.get("/users", headers=headers),
                http.post("/users", headers=headers, json={}),
                http.post("/rpc/is_admin", headers=headers, json={}),
            ):
                assert (answer.status_code, answer.json()["code"]) == (406, "PGRST106"), schema


def test_nothing_outside_the_exposed_schemas_is_granted_to_people(rows: Rows) -> None:
    granted = rows.sql.rows(
        "select distinct c.relnamespace::regnamespace || '.' || c.relname from pg_class c"
        " cross join unnest(array['anon', 'authenticated']) as person"
        " where c.relkind in ('r', 'p', 'v', 'm', 'f')"
        " and c.relnamespace::regnamespace::text not in ('public', 'pg_catalog', 'information_schema')"
        " and has_schema_privilege(person, c.relnamespace, 'usage')"
        " and has_table_privilege(person, c.oid, 'select, insert, update, delete')"
    )
    assert {name for (name,) in granted} <= READABLE_ELSEWHERE
    without = rows.sql.rows(
        "select relname from pg_class c where c.relnamespace::regnamespace || '.' || relname = any (%s)"
        " and c.relkind in ('r', 'p') and not c.relrowsecurity",
        sorted(READABLE_ELSEWHERE),
    )
    assert without == []
