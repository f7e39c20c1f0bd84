"""The pytest plugin: the fixture and the marker `supabase`, and the option `--supabase-keep`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from local_supabase.testing.session import Session
    from local_supabase.testing.supabase import Supabase

_TEMPLATE = "template"
_MARKER = (
    "supabase(reset): how the test gets its own state. 'rows' (the default) puts back what tests have "
    "written, 'template' makes a new copy of the whole database."
)


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


@pytest.fixture(scope="session")
def _supabase_session(pytestconfig: pytest.Config) -> Iterator[Session]:
    # Imported here, so that tests without the fixture start as fast as without the plugin.
    from local_supabase.testing.session import Session

    project = _project(pytestconfig)
    session = Session(project, keep=bool(pytestconfig.getoption("supabase_keep")))
    yield session
    for line in session.close():
        _print(pytestconfig, line)


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


def _print(config: pytest.Config, line: str) -> None:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        reporter.ensure_newline()
        reporter.write_line(line)
