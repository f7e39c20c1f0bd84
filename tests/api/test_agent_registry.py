"""The registry of agents: found by name, with options that fit their model."""

from pathlib import Path

import pytest

from api.agent_registry import AgentRegistry
from api.demo import docs_checker
from api.errors import InvalidInputError
from tests.api.serving import WaitingAgent


@pytest.fixture
def registry(tmp_path: Path) -> AgentRegistry:
    return AgentRegistry([WaitingAgent().agent("waiting"), docs_checker(tmp_path)])


def test_agents_are_found_and_listed_by_name(registry: AgentRegistry) -> None:
    assert [agent.name for agent in registry.agents] == ["docs-checker", "waiting"]
    assert registry.require("waiting") is registry.find("waiting")
    assert registry.find("nobody") is None


def test_an_unknown_agent_is_refused_with_the_names_that_exist(registry: AgentRegistry) -> None:
    with pytest.raises(InvalidInputError, match="docs-checker, waiting") as refused:
        registry.require("nobody")
    assert [field.field for field in refused.value.fields] == ["agent"]


def test_the_demo_agent_takes_its_options_and_no_others(registry: AgentRegistry) -> None:
    agent = registry.require("docs-checker")
    assert callable(agent.work({"pattern": "docs/*", "pace": 0}))
    with pytest.raises(InvalidInputError) as refused:
        agent.work({"pace": 11, "colour": "blue"})
    assert {field.field for field in refused.value.fields} == {"options.pace", "options.colour"}
