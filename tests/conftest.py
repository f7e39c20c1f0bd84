"""Fixtures for every test, and the mark of those that start processes."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer

from local_supabase.serving import allow_many_sockets
from local_supabase.stack.runtime import StackInfo
from tests.support.scheduling import FewBrowsers, scheduler
from tests.support.services import MARK, forbid_processes, mark_services
from tests.support.stack import running_stack

# Tests that open hundreds of sockets have both ends of each in this process.
allow_many_sockets()

# A deadline for each example, and for the making of examples, measures how busy the machine is.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")
# For `make check`. `make test` tries 100 examples, where a test does not say otherwise.
settings.register_profile("quick", settings.get_profile("any machine"), max_examples=15)


@pytest.hookimpl(optionalhook=True)  # without pytest-xdist nobody asks
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> FewBrowsers | None:
    """Give the browser tests to two of the test processes."""
    return scheduler(config, log)


@pytest.hookimpl(tryfirst=True)  # before pytest leaves tests out by their marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that start processes."""
    mark_services(items)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Forbid processes in a run that chose only tests without them, as `make check` does."""
    if not session.config.option.collectonly and not any(map(_has_services, session.items)):
        forbid_processes()


def _has_services(item: pytest.Item) -> bool:
    return item.get_closest_marker(MARK) is not None


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackInfo]:
    """Give a running embedded Supabase with this project's schema and demo data, shared by the session."""
    with running_stack(tmp_path_factory.mktemp("stack") / "data") as info:
        yield info
