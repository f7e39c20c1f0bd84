"""Fixtures of the engine's tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from live.engine import Engine
from tests.live import stage
from tests.live.streamlit_server import Server, running_server
from tests.live.tables import idle_engine


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Give a real Streamlit runtime that serves `tab_script.py`."""
    with running_server(Path(__file__).with_name("tab_script.py")) as running:
        yield running


@pytest.fixture
def engine() -> Iterator[Engine]:
    """Give an engine without feeds, which the tabs of this test show."""
    stage.engine = idle_engine()
    stage.user = None
    stage.gate.set()
    yield stage.engine
    stage.engine.stop()
