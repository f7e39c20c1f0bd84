"""The access table of the rating tables: every table x role x verb, tested as PostgREST acts for a token."""

import psycopg2

from tests.supabase_schema import ratings_access
from tests.supabase_schema.access import VERBS, Case
from tests.supabase_schema.database import Session
from tests.supabase_schema.ratings import Ratings

TABLE = ratings_access.TABLE


def touches_a_row(db: Session, case: Case, values: dict[str, str]) -> bool:
    """Whether the statement touches a row. If it does not, a missing right must be the reason."""
    sql, parameters = TABLE.statement(case, values)
    try:
        return db.run(sql, *parameters) > 0
    except psycopg2.errors.InsufficientPrivilege:
        return False


def test_every_cell_of_the_access_table(db: Session, ratings: Ratings) -> None:
    wrong = []
    for case in TABLE.cells:
        me = ratings.people.get(case.role)
        db.run("savepoint cell")
        db.act_as(me)
        done = touches_a_row(db, case, {**ratings.values, "name": me or ratings.people["other"]})
        db.run("rollback to savepoint cell")
        db.act_as_owner()
        if done is not case.allowed:
            wrong.append(str(case))
    assert wrong == []


def test_every_rating_table_is_in_the_access_table() -> None:
    for table in TABLE.tables:
        verbs = {(case.role, case.verb) for case in TABLE.cells if case.table == table}
        for role in ("anon", "manager", "rater", "stranger", "admin", "other"):
            assert {verb for who, verb in verbs if who == role} == set(VERBS), (table, role)
