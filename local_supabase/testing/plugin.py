"""The pytest plugin: the fixture and the marker `supabase`, and the option `--supabase-keep`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest

if TYPE_CHECKING:
    from local_supabase.testing.session import Session
    from local_supabase.testing.supabase import Supabase

_TEMPLATE = "template"
_KEPT: pytest.StashKey[list[str]] = pytest.StashKey()
_KEPT_OF_WORKER = "local_supabase_kept"
_MARKER = (
    "supabase(reset): how the test gets its own state. 'rows' (the default) puts back what tests have "
    "written, 'template' makes a new copy of the whole database."
)


class Worker(Protocol):
    """What is used of a worker of pytest-xdist."""

    config: pytest.Config


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the setting and the option."""
    parser.addini("supabase_project", "the folder with migrations/ and seed.sql", default="supabase")
    group = parser.getgroup("supabase")
    group.addoption(
        "--supabase-keep",
        action="store_true",
        help="leave the stack running for an hour, in the state of the last test, and print its addresses",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line("markers", _MARKER)
    config.stash[_KEPT] = []


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Worker) -> None:
    """Take over what a worker of pytest-xdist tells about its stack."""
    node.config.stash[_KEPT].extend(getattr(node, "workeroutput", {}).get(_KEPT_OF_WORKER, []))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Tell where the kept stacks are."""
    for line in config.stash[_KEPT]:
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def _supabase_session(pytestconfig: pytest.Config) -> Iterator[Session]:
    # Imported here, so that tests without the fixture start as fast as without the plugin.
    from local_supabase.testing.session import Session

    project = _project(pytestconfig)
    session = Session(project, keep=bool(pytestconfig.getoption("supabase_keep")))
    yield session
    pytestconfig.stash[_KEPT].extend(session.close())
    if hasattr(pytestconfig, "workeroutput"):
        # A worker of pytest-xdist, whose output nobody sees: its lines go to the process that started it.
        pytestconfig.workeroutput[_KEPT_OF_WORKER] = pytestconfig.stash[_KEPT]


@pytest.fixture
def supabase(request: pytest.FixtureRequest, _supabase_session: Session) -> Iterator[Supabase]:
    """Give the test a Supabase in the state after migrations and seed, with an empty mailbox."""
    marker = request.node.get_closest_marker("supabase")
    reset = marker.kwargs.get("reset", "rows") if marker else "rows"
    if reset not in ("rows", _TEMPLATE):
        pytest.fail(f"supabase(reset={reset!r}): it is 'rows' or 'template'", pytrace=False)
    own = _supabase_session.begin(renewed=reset == _TEMPLATE)
    yield own
    own.close()


def _project(config: pytest.Config) -> Path:
    base = config.inipath.parent if config.inipath else config.rootpath
    return Path(os.path.normpath(base / str(config.getini("supabase_project"))))
