"""The people and rows of the matrix, on the shared stack."""

from collections.abc import Iterator

import pytest

from local_supabase.stack.runtime import StackInfo
from tests.security.matrix.cast import Cast, new_cast, remove
from tests.security.matrix.rows import Rows, rows_of, superuser


@pytest.fixture(scope="module")
def cast(stack: StackInfo) -> Iterator[Cast]:
    """Give people and rows that are committed, so that all services see them."""
    made = new_cast(stack)
    yield made
    remove(made)


@pytest.fixture(scope="module")
def rows(stack: StackInfo) -> Iterator[Rows]:
    """Give a superuser's view of the rows."""
    with superuser(stack) as sql:
        yield rows_of(sql)
