"""Fixtures for every test."""

from collections.abc import Iterator

import pytest

from local_supabase.gateway import allow_many_sockets
from local_supabase.runtime import StackInfo
from tests.support.stack import running_stack

# Tests that open hundreds of sockets have both ends of each in this process.
allow_many_sockets()


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackInfo]:
    """Give a running embedded Supabase with this project's schema and demo data, shared by the session."""
    with running_stack(tmp_path_factory.mktemp("stack") / "data") as info:
        yield info
