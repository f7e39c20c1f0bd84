"""Fixtures of the engine's tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from livetables.engine import Engine
from local_supabase.stack.runtime import StackInfo
from tests.livetables import stage
from tests.livetables.fault_proxy import FaultProxy, fault_proxy
from tests.livetables.streamlit_server import Server, running_server
from tests.livetables.things import idle_engine
from tests.support.people import Person, sign_up


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Run a real Streamlit runtime that serves `tab_script.py`."""
    with running_server(Path(__file__).with_name("tab_script.py")) as running:
        yield running


@pytest.fixture
def engine() -> Iterator[Engine]:
    """Return an engine without feeds, whose tables the tabs of this test show."""
    stage.engine = idle_engine()
    stage.user = None
    stage.page, stage.filters = "first", ()
    stage.gate.set()
    yield stage.engine
    stage.engine.stop()


@pytest.fixture
def proxy(stack: StackInfo) -> Iterator[FaultProxy]:
    """Return a proxy in front of the stack that can fail."""
    with fault_proxy(stack.url) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def ada(stack: StackInfo) -> Person:
    """Return somebody with an account."""
    return sign_up(stack, "Ada")
