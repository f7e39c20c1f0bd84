"""The models of `db/` have the columns of the schema, and are nullable where the schema is."""

from typing import get_args, get_type_hints

import pytest

from db.columns import Model
from db.ratings.task_models import TaskContent, TaskSecret
from realtime_handlers import ALL_SPECS
from tests.supabase_schema.database import Session

MODELS: dict[str, type[Model]] = {
    **{spec.name: spec.parse.__self__ for spec in ALL_SPECS},  # type: ignore[attr-defined]
    "rating_task_contents": TaskContent,
    "rating_task_secrets": TaskSecret,
}


@pytest.mark.parametrize("table", MODELS)
def test_a_model_agrees_with_its_table(db: Session, table: str) -> None:
    nullable = {
        str(column): bool(null)
        for column, null in db.rows(
            "select attname, not attnotnull from pg_attribute"
            " where attrelid = %s::regclass and attnum > 0 and not attisdropped",
            f"public.{table}",
        )
    }
    annotations = get_type_hints(MODELS[table])
    assert annotations.keys() <= nullable.keys()
    for column, annotation in annotations.items():
        # `object` holds any JSON value, null among them.
        if annotation is not object:
            assert (type(None) in get_args(annotation)) is nullable[column], column
