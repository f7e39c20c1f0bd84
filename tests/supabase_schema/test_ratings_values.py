"""Bad values of the rating tables are refused by the constraint that has the message for a person."""

from tests.supabase_schema.database import Session
from tests.supabase_schema.rating_values import CONSTRAINTS
from tests.supabase_schema.ratings import Ratings


def test_a_bad_value_is_refused_by_name(db: Session, ratings: Ratings) -> None:
    quoted = {name: f"'{value}'" for name, value in ratings.values.items()}
    db.run("delete from public.rating_task_contents where task_id = %s", ratings.open)
    refused = {}
    for constraint, sql in CONSTRAINTS.items():
        # As one string without parameters: some of these are two statements.
        refusal = db.refusal(sql % quoted)
        refused[constraint] = (refusal.pgcode, refusal.diag.constraint_name)
    assert refused == {constraint: ("23514", constraint) for constraint in CONSTRAINTS}
