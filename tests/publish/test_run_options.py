"""The keywords of `start_run` are the same for both publishers, and others are refused."""

from typing import Required, get_origin, get_type_hints

import pytest

from publish.run_options import NewRun, RunOptions
from publish.sync import SyncAgentEventPublisher
from tests.publish.conftest import Bench


def test_every_keyword_is_a_field_of_the_run() -> None:
    assert get_type_hints(RunOptions) == get_type_hints(NewRun)
    hints = get_type_hints(RunOptions, include_extras=True)
    assert [name for name, hint in hints.items() if get_origin(hint) is Required] == ["agent_name"]


def test_an_unknown_keyword_is_an_error_in_the_program(bench: Bench) -> None:
    with SyncAgentEventPublisher(bench.proxy.url, bench.key, bench.token) as publisher:
        with pytest.raises(TypeError, match="agent"):
            publisher.start_run(agent="writer")  # type: ignore[call-arg]  # on purpose
        with pytest.raises(TypeError, match="agent_name"):
            publisher.start_run()  # type: ignore[call-arg]  # on purpose
        assert publisher.requests == 0
